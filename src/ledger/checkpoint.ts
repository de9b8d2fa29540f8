// The write-ahead log is written back into the ledger by a process of its own: it waits for the disk, tens of milliseconds or
// a second, and commits go on meanwhile. This file is that process's whole program; it is told the ledger's path.
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';

/** What SQLite answers; the last two in pages. */
interface Checkpoint {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** Commits go on meanwhile: what one pass leaves, the next one takes, in a fraction of its time. */
const PASSES = 5;

const db = new Database(readFileSync(0, 'utf8'), { fileMustExist: true, timeout: 0 });
try {
  // Only once all of it is written back does the next commit begin the log anew: else it would grow for as long as a flood lasts.
  for (let pass = 0; pass < PASSES; pass++) {
    const [{ busy, log, checkpointed }] = db.pragma('wal_checkpoint(PASSIVE)') as [Checkpoint];
    if (busy !== 0 || checkpointed >= log) break;
  }
} finally {
  db.close();
}
