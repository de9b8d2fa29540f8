// How much of the processor a task takes: this thread's own, so that what else runs on the machine isn't counted.

/** Milliseconds of this thread's processor time so far. The kernel counts it in ticks, of 4 ms on many machines. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** So many milliseconds are counted that one tick more or less is a few per cent. */
const ENOUGH = 60;

/** Milliseconds that a task takes, over as many repetitions as are needed to tell. */
export function costOf(task: () => void): number {
  const start = processorTime();
  let times = 0;
  let taken = 0;
  for (let step = 1; taken < ENOUGH; step = Math.ceil(step * 1.5)) {
    for (let i = 0; i < step; i++) task();
    times += step;
    taken = processorTime() - start;
  }
  return taken / times;
}

/** How many times as much as another task, where that is more than `limit`. */
export type Excess = number | undefined;

/**
 * Compares tasks with a harmless one. Most are told off by a look at the clock: what was over in less than `limit` times
 * the harmless one's processor time can't have used the processor for longer. What seems to take too long, be it that the
 * machine is busy, is measured: in turn with the harmless one, since a busy machine is slower in everything.
 */
export function createScale(harmless: () => void, limit: number): (task: () => void) => Excess {
  const unit = costOf(harmless);
  return (task) => {
    for (let look = 0; look < 3; look++) {
      const start = performance.now();
      task();
      if (performance.now() - start <= limit * unit) return undefined;
    }
    let least = Infinity;
    for (let turn = 0; turn < 3 && least > limit; turn++)
      least = Math.min(least, costOf(task) / costOf(harmless));
    return least > limit ? Math.round(least) : undefined;
  };
}
