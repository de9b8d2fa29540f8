// Is the way of a line still open? What beats: a chunk that was worked on, or an answer to the question whether one could
// be. A timer alone would tell only that the event loop turns.

export interface Pulse {
  /** A chunk was worked on from end to end. */
  beat(): void;
  /** Has it beaten since the last call? Asks anew, so it is to be called at a steady pace. */
  isAlive(): boolean;
}

/**
 * @param probe goes the whole way that a line goes, and resolves at its end, whatever came of it; after a long backlog,
 * say. While one is under way no second one is sent.
 */
export function createPulse(probe: () => Promise<unknown>): Pulse {
  let hasBeaten = true;
  let isAsking = false;
  const beat = (): void => void (hasBeaten = true);

  function ask(): void {
    if (isAsking) return;
    isAsking = true;
    probe().then(
      () => {
        isAsking = false;
        beat();
      },
      // What breaks the way of a line ends the daemon, which says so itself.
      () => (isAsking = false),
    );
  }

  return {
    beat,
    isAlive() {
      const alive = hasBeaten;
      hasBeaten = false;
      ask();
      return alive;
    },
  };
}
