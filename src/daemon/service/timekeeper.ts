// May the wall clock be believed? It is held against the time since boot, which nobody can set and which goes on while the
// host sleeps. While the two are apart, no sentence is over before both say so (docs/decisions/0037).
import type { Duration } from '../../model.ts';
import type { Clock } from '../../ports.ts';

/** The wall clock may stray so far without being doubted. */
const TOLERANCE: Duration = 5 * 60_000;
/** NTP asks every 34 minutes at the longest: a wrong step that anybody will take back has been taken back by then. */
const BELIEVED_AFTER: Duration = 60 * 60_000;
/** What a clock that is slewed may gain or lose; the kernel allows half of it. */
const SLEW = 1 / 1_000;

export interface Timekeeper {
  /**
   * The clock by which sentences end and the kernel's timeouts are reckoned. Its wall time is the host's; while that is
   * doubted, the earlier of it and of what it would be without the jump.
   */
  readonly sentences: Clock;
  /** How far the wall clock is ahead of where it should be (behind where negative), and how long yet it is doubted. */
  readonly parted: { readonly by: Duration; readonly left: Duration } | undefined;
  /** The last parting ended because the new time has stood for long enough, and not because it was taken back. */
  readonly hasGivenIn: boolean;
}

/** What a new timekeeper finds is believed: a restart takes the clock as it is. */
export function createTimekeeper(clock: Clock): Timekeeper {
  const sinceBoot = (): Duration => (clock.sinceBoot ?? clock.monotonic)();
  /** Wall time less the time since boot: stands still where nobody sets the clock. */
  let course = clock.now() - sinceBoot();
  let lookedAt = sinceBoot();
  let doubted: { readonly course: number; readonly since: Duration } | undefined;
  let hasGivenIn = false;

  const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE;

  /** Asked anew at every use: a jump must be noticed by the very release that it would cause. */
  function look(): void {
    const at = sinceBoot();
    const seen = clock.now() - at;
    const slewed = Math.max(0, at - lookedAt) * SLEW;
    lookedAt = at;
    if (isNear(seen, course)) {
      if (doubted) hasGivenIn = false;
      doubted = undefined;
      course += Math.min(slewed, Math.max(-slewed, seen - course));
    } else if (!doubted || !isNear(seen, doubted.course)) doubted = { course: seen, since: at };
    else if (at - doubted.since >= BELIEVED_AFTER) {
      course = seen;
      doubted = undefined;
      hasGivenIn = true;
    }
  }

  return {
    sentences: {
      ...clock,
      now() {
        look();
        // An instant is in whole milliseconds: the ledger takes no other.
        return doubted ? Math.min(clock.now(), Math.floor(course + sinceBoot())) : clock.now();
      },
    },
    get parted() {
      look();
      if (!doubted) return undefined;
      const left = Math.max(0, doubted.since + BELIEVED_AFTER - sinceBoot());
      return { by: doubted.course - course, left };
    },
    get hasGivenIn() {
      return hasGivenIn;
    },
  };
}
