// How long somebody who asked is kept waiting for the firewall. One that hangs is given up after a minute (its program is
// killed then), and who waits at a socket has gone by that time: `bailiff` gives the daemon thirty seconds.
import type { Clock } from '../ports.ts';

/** Longer than an answer may take without a word of it in status (asking.ts), so that there is a word. */
const PATIENCE = 12_000;

/**
 * @param enforce tells the kernel what changed, and goes on when nobody waits any more.
 * @returns the same with patience: whether the kernel has been told by then, or could not be reached. While nobody has got an
 *   answer since somebody waited in vain, others don't wait at all.
 */
export function createPatience(enforce: () => Promise<void>, clock: Clock): () => Promise<boolean> {
  let isInVain = false;
  return async () => {
    const told = enforce().then(() => {
      isInVain = false;
      return true;
    });
    if (isInVain) {
      // Whoever waited first is told of what breaks.
      told.catch(() => {});
      return false;
    }
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const cancel = clock.schedule(PATIENCE, () => {
      isInVain = true;
      resolve(false);
    });
    try {
      return await Promise.race([told, late]);
    } finally {
      cancel();
    }
  };
}
