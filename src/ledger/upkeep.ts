// What keeps the ledger small. Every call is one short step, so that the caller can give the event loop back in between.
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Database } from 'better-sqlite3';
import type { RunBeside } from '../ports.ts';
import type { Upkeep } from './contract.ts';
import type { Transactions } from './transaction.ts';

/** Sources run as they are, a package is built: either way it stands beside this file. */
const CHECKPOINT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './checkpoint.ts' : './checkpoint.js', import.meta.url),
);
/**
 * After so many pages (125 MiB) a commit writes the log back itself, and everybody waits for the disk: where nobody keeps
 * house. A flood of bans must not get there between two looks of the housekeeping: it makes 32 MiB in five seconds.
 */
const MOST_PAGES = 32_000;
/** After so many rows it is time for another process to do so. */
const MANY_ROWS = 5_000;
/** A commit writes whole pages, however few its rows: it counts as so many. */
const ROWS_A_COMMIT = 10;

/** Proofs that are no longer there are made again at the next start, which then takes seconds longer. */
const MOST_PROOFS = 10_000;

export function createUpkeep(
  db: Database,
  attempt: <T>(work: () => T) => T,
  transactions: Pick<Transactions, 'between' | 'rows' | 'commits'>,
  runBeside: RunBeside | undefined,
): Upkeep {
  // The newest ban stays whatever its age: the next one's number is counted from it, and no number is given twice.
  const oldest = db
    .prepare<[number, number], number>(
      `SELECT id FROM bans WHERE ended_at <= ? AND id < (SELECT max(id) FROM bans) ORDER BY ended_at LIMIT ?`,
    )
    .pluck();
  const forgetEvents = db.prepare('DELETE FROM ban_events WHERE ban = ?');
  const forgetBan = db.prepare('DELETE FROM bans WHERE id = ?');
  const forgetProofs = db.prepare(
    'DELETE FROM proofs WHERE rowid IN (SELECT rowid FROM proofs ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?)',
  );
  const number = (name: string): number => Number(db.pragma(name, { simple: true }));
  /** When the log had last been written to as it was written back, and as it was had on the disk. */
  let writtenBack: number | undefined;
  let settled: number | undefined;
  let workThen = 0;
  const log = `${db.name}-wal`;
  const work = (): number => transactions.rows + transactions.commits * ROWS_A_COMMIT;
  const lastWrite = (): number | undefined => statSync(log, { throwIfNoEntry: false })?.mtimeMs;
  const holdBack = (isHeld: boolean): void =>
    attempt(() => void db.pragma(`wal_autocheckpoint = ${isHeld ? 0 : MOST_PAGES}`));
  holdBack(false);
  /** Nothing of this need be on the disk at once, and a sync would hold everything up. The next commit says anew what it needs. */
  const unhurried = (): void => void db.pragma('synchronous = NORMAL');
  const forget = db.transaction((ids: readonly number[]) => {
    for (const id of ids) {
      forgetEvents.run(id);
      forgetBan.run(id);
    }
  });

  return {
    between: transactions.between,
    forgetBans: (before, limit) =>
      attempt(() => {
        const ids = oldest.all(Math.min(before, Number.MAX_SAFE_INTEGER), limit);
        unhurried();
        if (ids.length > 0) forget(ids);
        return ids.length;
      }),
    forgetProofs: () =>
      attempt(() => {
        unhurried();
        return forgetProofs.run(MOST_PROOFS).changes;
      }),
    size: () =>
      attempt(() => {
        const page = number('page_size');
        return { bytes: number('page_count') * page, free: number('freelist_count') * page };
      }),
    giveBack: (pages) =>
      attempt(() => {
        unhurried();
        const before = number('freelist_count');
        db.pragma(`incremental_vacuum(${Math.max(1, Math.floor(pages))})`);
        const given = before - number('freelist_count');
        // The file shrinks when the log is written back.
        if (given > 0) workThen = -Infinity;
        return given;
      }),
    async checkpoint() {
      // Nothing was written since the last one: an idle host starts no process.
      const written = lastWrite();
      if (written === undefined || written === writtenBack) return;
      writtenBack = settled = written;
      workThen = work();
      // What it can't do now, for want of memory or in the way of a reader, the next one does.
      if (runBeside) await runBeside(CHECKPOINT, db.name);
      else attempt(() => void db.pragma('wal_checkpoint(PASSIVE)'));
    },
    async settle() {
      const written = lastWrite();
      if (written === undefined || written === settled) return;
      // SQLite locks nothing in this file: to close it again drops no lock.
      const file = await open(log, 'r');
      try {
        await file.datasync();
        settled = written;
      } finally {
        await file.close();
      }
    },
    isLogLong: () => work() - workThen > MANY_ROWS,
    holdBack,
  };
}
