// The time since boot, which goes on while the machine sleeps. The system tells it to a hundredth of a second, and asking
// costs a twentieth of a line's way to the kernel: in between it goes on by the clock of the process.
import type { Duration } from '../model.ts';

/** Milliseconds that an answer is good for: who looks once a second asks for whoever comes in between. */
const FRESH: Duration = 2_000;
/** By so much the wall clock may part from the process's before it is asked for again; the system's own steps. */
const STEP: Duration = 10;

/**
 * @param ask what the system says, in milliseconds.
 * @param monotonic stands still while the machine sleeps; `wall` doesn't, so that a sleep is seen at once.
 */
export function createSinceBoot(
  ask: () => Duration,
  { monotonic, wall }: { readonly monotonic: () => Duration; readonly wall: () => number },
): () => Duration {
  let told = ask();
  let at = monotonic();
  let wallThen = wall();
  return () => {
    const [now, wallNow] = [monotonic(), wall()];
    const passed = now - at;
    if (passed >= FRESH || Math.abs(wallNow - wallThen - passed) >= STEP)
      [told, at, wallThen] = [ask(), now, wallNow];
    return told + (now - at);
  };
}
