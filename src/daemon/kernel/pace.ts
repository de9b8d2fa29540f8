// How soon after one look at the kernel the next may come. At once, as a rule: a flushed ruleset is to be put back within a
// second. But whoever flushes in a loop, or another daemon that undoes what we do, must not have us do nothing else. Pure.
import type { Duration, Instant } from '../../model.ts';

/** Repairs are remembered for so long … */
const WINDOW = 600_000;
/** … and so many within it are nobody's reload any more. */
const CONTESTED = 10;
/** After so many within the window: pauses of so many milliseconds at least. The longest is the poll's. */
const PAUSES: readonly (readonly [repairs: number, pause: Duration])[] = [
  [300, 5_000],
  [CONTESTED, 400],
  [0, 0],
];
const MOST_REMEMBERED = 300;
/** A look that found nothing missing is paid for with so many times what it took, between these bounds. */
const IDLE_FACTOR = 4;
const SHORTEST_IDLE = 50;
const LONGEST_IDLE = 500;

export interface Pace {
  /** A look is over. @param took milliseconds. */
  looked(now: Instant, took: Duration, wasGone: boolean): void;
  /** Milliseconds until the next look may be. */
  wait(now: Instant): Duration;
  /** How many repairs there were in the last ten minutes; 300 stands for more. */
  repairs(now: Instant): number;
  isContested(now: Instant): boolean;
}

/** Instants are of a clock that never jumps. */
export function createPace(): Pace {
  let stamps: Instant[] = [];
  let next: Instant = 0;

  function repairs(now: Instant): number {
    stamps = stamps.filter((at) => at > now - WINDOW);
    return stamps.length;
  }

  return {
    looked(now, took, wasGone) {
      if (!wasGone) {
        next = Math.max(next, now + Math.min(Math.max(took * IDLE_FACTOR, SHORTEST_IDLE), LONGEST_IDLE));
        return;
      }
      stamps = [...stamps, now].slice(-MOST_REMEMBERED);
      const count = repairs(now);
      const [, pause] = PAUSES.find(([least]) => count >= least)!;
      next = now + pause;
    },
    wait: (now) => Math.max(0, next - now),
    repairs,
    isContested: (now) => repairs(now) >= CONTESTED,
  };
}
