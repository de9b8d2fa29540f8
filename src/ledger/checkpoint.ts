// The write-ahead log is written back into the ledger in a thread of its own: it waits for the disk, tens of milliseconds or
// a second, and commits go on meanwhile. This file is that thread's whole program.
import { workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

const db = new Database(workerData as string, { fileMustExist: true, timeout: 0 });
try {
  db.pragma('wal_checkpoint(PASSIVE)');
} finally {
  db.close();
}
