// Bans by the hundred, batch after batch: how long the next batch waits, and whether it is still going on.
import type { Duration } from '../../model.ts';
import type { Clock } from '../../ports.ts';

/**
 * After a large batch the next one waits, the longer the more there were: it takes the processor, and where a program is started
 * for it nobody is served for milliseconds; in a flood more bans come meanwhile. A burst is over before it matters.
 */
const LONGEST_PAUSE: Duration = 100;
/** After so many batches the next one waits as long as one takes, and never more than a few times as long. */
const GENTLY = 4;
const TIMES = 2;
/** So long after the last large batch a flood may still go on: between two batches few wait. */
const CALM: Duration = 5_000;

export interface Flood {
  /** A large batch has been told. @param began when, by the monotonic clock. */
  told(began: Duration): void;
  /** So long nothing large is to be told. */
  readonly pause: Duration;
  readonly isOn: boolean;
}

export function createFlood({ monotonic }: Pick<Clock, 'monotonic'>): Flood {
  let nextAt: Duration = 0;
  let calmAt: Duration = -Infinity;
  /** How many large batches there were in this flood, after the first. */
  let streak = 0;
  return {
    told(began) {
      const ended = monotonic();
      streak = began < calmAt ? streak + 1 : 0;
      nextAt = ended + Math.min(LONGEST_PAUSE, (ended - began) * Math.min(streak / GENTLY, TIMES));
      calmAt = ended + CALM;
    },
    get pause() {
      return nextAt - monotonic();
    },
    get isOn() {
      return monotonic() < calmAt;
    },
  };
}
