// The journal by every set of match terms that jails name, as one stream of chunks.
import { setImmediate as breathe } from 'node:timers/promises';
import type { JournalPosition } from '../model.ts';
import type { Clock, FeedExec, Log } from '../ports.ts';
import type { JournalWatch, Sources } from './contract.ts';
import { createJournal, type Journal } from './journal.ts';
import { createJournalctl } from './journalctl.ts';

export interface Journals extends Sources {
  /** Follows these from now on, and nothing else. What was followed before goes on where it is. */
  follow(watches: readonly JournalWatch[]): void;
}

export interface JournalsOptions {
  readonly watches: readonly JournalWatch[];
  /** What the ledger knows; may hold journals that no watch names: they are gone on with when one does. */
  readonly positions: readonly JournalPosition[];
  /** The folder with the journal's files; undefined: this host's. */
  readonly directory: string | undefined;
}

/** `next` is for one caller at a time. */
export function createJournals(
  options: JournalsOptions,
  ports: { clock: Clock; log: Log; exec: FeedExec; portion?: () => number },
): Journals {
  const journalctl = createJournalctl(ports.exec, options.directory);
  const positions = new Map(options.positions.map((position) => [position.id, position]));
  const journals = new Map<string, Journal>();
  /** In the order in which they are served. */
  const ready = new Set<Journal>();
  let closed = false;
  let wake: (() => void) | undefined;

  function open(watch: JournalWatch): Journal {
    const journal: Journal = createJournal(watch, positions.get(watch.id), journalctl, ports, () => {
      if (journals.get(watch.id) !== journal) return;
      ready.add(journal);
      wake?.();
    });
    return journal;
  }

  function follow(watches: readonly JournalWatch[]): void {
    const wanted = new Map(watches.map((watch) => [watch.id, watch]));
    for (const [id, journal] of journals) {
      if (wanted.has(id)) continue;
      journal.close();
      journals.delete(id);
      ready.delete(journal);
    }
    for (const [id, watch] of wanted) if (!journals.has(id)) journals.set(id, open(watch));
  }

  follow(options.watches);
  return {
    follow,
    async next() {
      // Between two chunks the event loop gets its turn: a backlog must not silence the sockets.
      if (ready.size > 0) await breathe();
      while (!closed) {
        for (const journal of ready) {
          ready.delete(journal);
          const chunk = journal.read();
          if (!chunk) continue;
          // Whoever was served waits behind the others.
          ready.add(journal);
          if (chunk.position?.kind === 'journal') positions.set(chunk.position.id, chunk.position);
          return chunk;
        }
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
      return undefined;
    },
    async caughtUp() {
      if (closed) return true;
      const answers = await Promise.all([...journals.values()].map((journal) => journal.caughtUp()));
      return answers.every(Boolean);
    },
    status: () => [...journals.values()].map((journal) => journal.status()),
    takeForgotten: () => [],
    async close() {
      closed = true;
      follow([]);
      wake?.();
    },
  };
}
