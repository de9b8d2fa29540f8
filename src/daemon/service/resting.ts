// When much was done, and now little is: a moment to give back what that has left in memory.
import type { Duration } from '../../model.ts';

/** So many ticks later: by then the kernel was listed again, too. */
const LATER = 4;
/** Milliseconds of reading between two ticks. A backlog takes all that there are, a log that is followed a few. */
const MUCH: Duration = 250;

export interface Resting {
  /** So long it took to work on a chunk. */
  worked(took: Duration): void;
  /** To be called each second. @param isFlooded whether bans come by the hundred. */
  tick(isFlooded: boolean): void;
}

/** @param onRest is told each time that a backlog, or a flood of bans, has been over for some ticks. */
export function createResting(onRest: () => void): Resting {
  let worked: Duration = 0;
  /** 0: nothing was done that leaves much. */
  let ticks = 0;
  return {
    worked(took) {
      worked += took;
    },
    tick(isFlooded) {
      if (isFlooded || worked > MUCH) ticks = LATER;
      else if (ticks > 0 && --ticks === 0) onRest();
      worked = 0;
    },
  };
}
