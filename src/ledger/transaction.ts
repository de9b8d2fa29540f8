// One transaction over several turns of the event loop: a large commit must not keep the sockets waiting, and is still
// written whole or not at all.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';

/** So many rows are written before the event loop is given back: some milliseconds' worth. */
const ROWS_A_TURN = 500;

export interface Transactions {
  /**
   * Runs steps, each of them a row, in one transaction. Another one must not begin before it is settled.
   * @throws what a step or SQLite throws; then nothing was written.
   */
  run(steps: Iterable<void>, durable: boolean): Promise<void>;
  /** How many rows were written so far, and by how many transactions. */
  readonly rows: number;
  readonly commits: number;
  /** Runs a task once no transaction is under way, before another one begins. */
  between<T>(task: () => T): Promise<T>;
}

export function createTransactions(db: Database): Transactions {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  let running: Promise<void> | undefined;
  let written = 0;
  let commits = 0;
  /** The connection doesn't wait for the disk; housekeeping may say so too. Most commits needn't say it again. */
  let isUnhurried = false;

  async function run(steps: Iterable<void>, durable: boolean): Promise<void> {
    // Without FULL the log reaches the disk with the next checkpoint: a crash of the daemon loses nothing, one of the
    // power the last commits, whole ones. With it the sync takes the earlier commits along.
    if (durable || !isUnhurried) db.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
    isUnhurried = !durable;
    begin.run();
    try {
      let rows = 0;
      for (const _ of steps) if (++rows % ROWS_A_TURN === 0) await breathe();
      commit.run();
      written += rows;
      commits++;
    } catch (error) {
      // SQLite rolls some failures back itself (a full disk): then there is nothing left to be undone.
      if (db.inTransaction) rollback.run();
      throw error;
    }
  }

  return {
    get rows() {
      return written;
    },
    get commits() {
      return commits;
    },
    run(steps, durable) {
      const mine = run(steps, durable).finally(() => {
        running = undefined;
      });
      running = mine.catch(() => {});
      return mine;
    },
    async between(task) {
      while (running) await running;
      return task();
    },
  };
}
