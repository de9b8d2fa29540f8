// How long the firewall has been asked: one that hangs says nothing, so its silence must.
import type { Clock } from '../ports.ts';

/** An answer that takes longer is worth a word. */
const LONG_WAIT = 10_000;

export interface Asking {
  /** Runs a task that waits for the firewall; one at a time. */
  during(task: () => Promise<void>): Promise<void>;
  /** What to say of an answer that doesn't come. */
  readonly trouble: string | undefined;
}

export function createAsking(clock: Clock): Asking {
  let since: number | undefined;
  return {
    async during(task) {
      since = clock.monotonic();
      try {
        await task();
      } finally {
        since = undefined;
      }
    },
    get trouble() {
      const waited = since === undefined ? 0 : clock.monotonic() - since;
      return waited < LONG_WAIT ? undefined : `it has not answered for ${Math.floor(waited / 1_000)} seconds`;
    },
  };
}
