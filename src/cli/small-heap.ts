// V8's flag for a service that runs for long. On node's command line it would cost every verb, as linear-regexes.ts says.
import { setFlagsFromString } from 'node:v8';

/**
 * Garbage may grow to as much as is in use before all of it is collected: V8 lets it grow to several times that where the
 * machine has the memory. In a flood of new addresses the daemon takes two thirds of the room, and some more processor time.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
