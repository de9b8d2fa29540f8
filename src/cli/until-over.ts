// What goes on until somebody ends it: `watch`, `logs --follow`.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a task that Ctrl-C ends, and that ends as well when whoever reads our lines has gone.
 * @param task is to return once `over` is aborted; it may do that itself.
 */
export async function untilOver(task: (over: AbortController) => Promise<void>): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  for (const signal of SIGNALS) process.once(signal, end);
  process.stdout.once('error', end);
  try {
    await task(over);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
    process.stdout.off('error', end);
  }
}
