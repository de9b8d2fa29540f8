// How much of one round of the event loop the requests of a socket may take. What is over waits for the next round, so
// that neither the other sockets nor the logs wait for a crowd of reporters.

export interface Turns {
  /**
   * Resolves when the work may be done, in the order of asking.
   * @param cost roughly the bytes that are to be worked on.
   */
  take(cost: number): Promise<void>;
}

/** @param most cost of one round. A request that costs more has a round of its own. */
export function createTurns(most: number): Turns {
  const waiting: { readonly cost: number; go(): void }[] = [];
  let left = most;
  let isDue = false;

  function nextRound(): void {
    isDue = false;
    left = most;
    // At least one goes, whatever it costs.
    while (waiting.length > 0 && left > 0) {
      const { cost, go } = waiting.shift()!;
      left -= cost;
      go();
    }
    if (left < most) schedule();
  }

  function schedule(): void {
    if (isDue) return;
    isDue = true;
    setImmediate(nextRound);
  }

  return {
    async take(cost) {
      schedule();
      if (waiting.length === 0 && left > 0) {
        left -= cost;
        return;
      }
      await new Promise<void>((resolve) => waiting.push({ cost, go: resolve }));
    },
  };
}
