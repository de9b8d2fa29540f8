// What happens because time passes. All of it through the Clock that is handed in.
import type { Instant } from '../../model.ts';
import type { Cancel, Clock } from '../../ports.ts';

/** A clock that jumped is noticed after this long at the latest. */
const LONGEST_NAP = 60_000;

/**
 * Runs `task` every `period` until cancelled.
 * @param fail is told what it throws; the next round comes all the same.
 */
export function every(
  clock: Clock,
  period: number,
  task: () => void,
  fail: (error: unknown) => void,
): Cancel {
  let cancel = clock.schedule(period, run);
  function run(): void {
    try {
      task();
    } catch (error) {
      fail(error);
    }
    cancel = clock.schedule(period, run);
  }
  return () => cancel();
}

/** A firewall that hangs must not keep logs from being counted, nor status from saying so. */
const BOOT_PATIENCE = 11_000;

/**
 * Waits for `task`, but not for ever: then it goes on by itself.
 * @param fail is told what it throws later.
 */
export async function inTime(
  task: Promise<void>,
  clock: Clock,
  fail: (error: unknown) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.schedule(BOOT_PATIENCE, () => {
    task.catch(fail);
    resolve();
  });
  await Promise.race([task, promise]);
  cancel();
}

/** Wakes when the next sentence ends. */
export interface Expiry {
  /** The next end may be another one now. */
  reschedule(): void;
  stop(): void;
}

export function createExpiry(clock: Clock, next: () => Instant | undefined, expire: () => void): Expiry {
  let cancel: Cancel = () => {};
  function reschedule(): void {
    cancel();
    const at = next();
    if (at === undefined) return;
    cancel = clock.schedule(Math.min(Math.max(0, at - clock.now()), LONGEST_NAP), () => {
      expire();
      reschedule();
    });
  }
  return { reschedule, stop: () => cancel() };
}
