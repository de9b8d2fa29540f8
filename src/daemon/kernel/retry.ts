// What could not be done is tried again, ever later.
import type { Cancel, Clock } from '../../ports.ts';

const FIRST = 1_000;
const LAST = 30_000;

export interface Retry {
  /** Once more, after a while. One that waits already is put off. */
  later(): void;
  /** All went well: the next wait is a short one again. */
  reset(): void;
  cancel(): void;
}

export function createRetry(clock: Clock, task: () => void): Retry {
  let after = FIRST;
  let cancel: Cancel | undefined;
  return {
    later() {
      cancel?.();
      cancel = clock.schedule(after, task);
      after = Math.min(after * 2, LAST);
    },
    reset: () => void (after = FIRST),
    cancel: () => cancel?.(),
  };
}
