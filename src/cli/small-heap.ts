// V8's part in a service that runs for long. On node's command line its flags would cost every verb, as linear-regexes.ts says.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MIB = 1_024 * 1_024;
/**
 * Bytes in use beyond which nothing is given back by force: to compact them would hold the daemon up. With 55 MiB, after 100 000
 * bans, it takes 0.3 s.
 */
const SMALL = 96 * MIB;
/**
 * Beyond these not even what of it is garbage is found out, which takes a third of that: 40 ms with 40 MiB that is none, however
 * much is. After 100 000 bans 190 to 270 MiB are in use, and four fifths of it garbage.
 */
const MOST = 384 * MIB;

/**
 * Garbage may grow to as much as is in use before all of it is collected: V8 lets it grow to several times that where the
 * machine has the memory. In a flood of new addresses the daemon takes two thirds of the room, and some more processor time.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

/**
 * What is in use must have grown by half, and by so many bytes, since room was last given back: less isn't worth a pause.
 */
const WORTH = 8 * MIB;
const GROWTH = 1.5;

/**
 * Collects what the start, a backlog or a flood has left behind, and gives the room back. V8 would wait until there is as much
 * again, and an idle daemon never makes that much. Takes a tenth of a second or two: for a moment at which nothing is to be done.
 */
export function createGivingBack(): () => void {
  let left = 0;
  return () => {
    if (used() > MOST || used() < left * GROWTH + WORTH) return;
    collect();
    left = used();
  };
}

function collect(): void {
  // The function is there in contexts that are made while the flag is set.
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (how: { readonly type: string; readonly flavor: string }) => void;
  setFlagsFromString('--no-expose-gc');
  // What the first ban runs hasn't been called yet, and would be thrown away as code that nobody needs.
  setFlagsFromString('--no-flush-bytecode');
  if (used() > SMALL) gc({ type: 'major', flavor: 'regular' });
  if (used() <= SMALL) gc({ type: 'major', flavor: 'last-resort' });
  setFlagsFromString('--flush-bytecode');
}

const used = (): number => getHeapStatistics().used_heap_size;
