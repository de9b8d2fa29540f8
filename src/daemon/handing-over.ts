// When what the lines led to is told to the kernel and committed: the kernel at once, the ledger as soon as it has rested from
// the last commit. The kernel goes first, and works while the ledger is written: who dies in between reads the lines again,
// and decides the same.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Chunk, Duration } from '../model.ts';
import type { Cancel, Clock } from '../ports.ts';
import type { Bans } from './bans.ts';
import type { Committer } from './committer.ts';

export interface HandingOver {
  /** After a chunk was applied. Resolves when what had to be committed before the next one is. */
  after(chunk: Pick<Chunk, 'commitFirst'>): Promise<void>;
  /** A decided ban is enforced and committed; without the disk it is enforced all the same. Resolves when both is done. */
  settle(): Promise<void>;
  /** The same for who only wants to know that it is committed. @returns whether it is. */
  commit(): Promise<boolean>;
  stop(): void;
}

export function createHandingOver(
  { committer, bans }: { readonly committer: Committer; readonly bans: Pick<Bans, 'hasDirty'> },
  enforce: () => Promise<void>,
  clock: Clock,
  fail: (error: unknown) => void,
): HandingOver {
  let waiting: Cancel | undefined;

  /** Not waited for: a firewall may hang. */
  function tellKernel(): void {
    void enforce().catch(fail);
  }

  async function commit(): Promise<boolean> {
    tellKernel();
    // What was written to the firewall's program is on its way before the ledger takes its milliseconds.
    if (bans.hasDirty) await breathe();
    return committer.commit(false);
  }

  async function settle(): Promise<void> {
    await commit();
    await enforce();
  }

  /** No chunk may come for a long while: then nobody else would ask whether it is time by now. */
  function commitIn(delay: Duration): void {
    waiting ??= clock.schedule(delay, () => {
      waiting = undefined;
      void commit().catch(fail);
    });
  }

  return {
    settle,
    commit,
    async after(chunk) {
      // The sources may not go on reading from a first sight's cutoff that a crash would forget.
      if (chunk.commitFirst || committer.isDue()) await commit();
      else tellKernel();
      // Where the ledger can't be written, blocking goes on from memory.
      if (bans.hasDirty && !committer.isResting) commitIn(committer.pauseOfBans);
    },
    stop() {
      waiting?.();
    },
  };
}
