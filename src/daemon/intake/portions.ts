// How much of a log is read at once: so much that it is worked on within some milliseconds, for meanwhile nobody is answered.
// Lines that match cost a hundred times what others do, and an attacker writes nothing else.
import type { Duration } from '../../model.ts';
import type { Clock } from '../../ports.ts';

/** What a chunk should take, in milliseconds; two of them fit into what the sockets may wait. */
const AIM: Duration = 20;
/** Bytes. Below it reading would be most of the work. */
const LEAST = 4 * 1_024;
/** What comes after a pause may be of any kind, and is read by code that has been idle. */
const FIRST = 8 * 1_024;
const PAUSE: Duration = 100;
/** Above it strings get slow: decision 0010. */
const MOST = 96 * 1_024;

export interface Portions {
  /** In bytes, for the next read. */
  size(): number;
  /** A chunk of so many bytes took so long. */
  note(bytes: number, took: Duration): void;
}

export function createPortions({ monotonic }: Pick<Clock, 'monotonic'>): Portions {
  let size = FIRST;
  let noted: Duration = -Infinity;
  return {
    size() {
      return monotonic() - noted > PAUSE ? Math.min(FIRST, size) : size;
    },
    note(bytes, took) {
      const began = monotonic() - took;
      if (began - noted > PAUSE) size = Math.min(FIRST, size);
      noted = began + took;
      // What little there was to read took as long as it takes to do anything at all.
      if (bytes < size / 2) return;
      // One slow chunk (a pause of the machine) is soon made up for.
      const change = Math.min(2, Math.max(1 / 2, AIM / took));
      size = Math.min(MOST, Math.max(LEAST, Math.floor(size * change)));
    },
  };
}
