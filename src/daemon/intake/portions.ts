// How much of a log is read at once: so much that it is worked on within some milliseconds, for meanwhile nobody is answered.
// Lines that match cost a hundred times what others do, and an attacker writes nothing else.
import type { Duration } from '../../model.ts';

/** What a chunk should take, in milliseconds; so many of them fit into what the sockets may wait. */
const AIM: Duration = 10;
/** Bytes. Below it reading would be most of the work. */
const LEAST = 4 * 1_024;
/** Above it strings get slow: decision 0010. */
const MOST = 96 * 1_024;

export interface Portions {
  /** In bytes, for the next read. */
  size(): number;
  /** A chunk of so many bytes took so long. */
  note(bytes: number, took: Duration): void;
}

export function createPortions(): Portions {
  let size = MOST;
  return {
    size: () => size,
    note(bytes, took) {
      if (took > AIM) size = Math.max(LEAST, Math.floor(Math.min(size, (bytes * AIM) / took)));
      // One slow chunk (a pause of the machine) is soon made up for.
      else if (took < AIM / 2) size = Math.min(MOST, size * 2);
    },
  };
}
