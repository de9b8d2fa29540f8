// The files of a ledger: made for nobody else to read, held by one daemon, brought up to this version.
import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { BailiffError, reasonOf } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import { isBusy } from './failure.ts';
import { migrate } from './migrate.ts';

/** How long a commit waits for another program's lock: the event loop stands still meanwhile. */
const BUSY_TIMEOUT = 50;
/** Opening may wait for someone who looks at the ledger by hand. */
const OPEN_TIMEOUT = 2_000;
/** After a burst the write-ahead log is cut back to this many bytes. */
const WAL_LIMIT = 16 * 1_024 * 1_024;
/**
 * SQLite keeps so many KiB of pages in memory. The binding's 16 MB stay for good once a flood has filled them, for glibc gives
 * back only what lies on top. With 100 000 rows half of it costs nothing; with a quarter commits take longer (0062).
 */
const CACHE = 8_000;
/** What `PRAGMA auto_vacuum` answers. */
const INCREMENTAL = 2;

/** Opens `file` for writing; its folder is made (0700) and the file too (0600) where there is none. */
export function openForWriting(file: string): Database.Database {
  createPrivate(file);
  const db = new Database(file, { timeout: OPEN_TIMEOUT });
  try {
    // Must be said before the first table is made; for older ledgers see below.
    // Said again, it would write, and another program's lock or a full disk would be in the way.
    if (!isShrinkable(db)) db.pragma('auto_vacuum = INCREMENTAL');
    // The journal mode is part of the file; the other settings are this connection's.
    db.pragma('journal_mode = WAL');
    db.pragma('foreign_keys = ON');
    db.pragma(`cache_size = -${CACHE}`);
    db.pragma(`journal_size_limit = ${WAL_LIMIT}`);
    migrate(db, file);
    makeShrinkable(db);
    db.pragma(`busy_timeout = ${BUSY_TIMEOUT}`);
    requireWritable(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/**
 * A ledger of before Bailiff kept house can't give free pages back until it was written anew, once. It takes as much room
 * again; where there is none, the pages are used again all the same, and the next start tries once more.
 */
function makeShrinkable(db: Database.Database): void {
  if (isShrinkable(db)) return;
  try {
    db.exec('VACUUM');
  } catch {
    // A full disk, or somebody who reads: nothing was changed.
  }
}

/** What was opened on a read-only disk stays read-only, also when the disk isn't any more; SQLite opens it without a word. */
function requireWritable(db: Database.Database): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  try {
    // Only a change says so; it is taken back before the disk is asked for room.
    db.exec('BEGIN IMMEDIATE');
    db.pragma(`user_version = ${version}`);
  } catch (error) {
    // Somebody else's lock passes.
    if (!isBusy(error)) throw error;
  } finally {
    if (db.inTransaction) db.exec('ROLLBACK');
  }
}

function isShrinkable(db: Database.Database): boolean {
  return db.pragma('auto_vacuum', { simple: true }) === INCREMENTAL;
}

/** Opens what is there, beside a running daemon too. Nothing is made, nothing is migrated. */
export function openForReading(file: string): Database.Database {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: OPEN_TIMEOUT });
  try {
    migrate(db, file);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Held until it is closed or the process ends, in whatever way. */
export interface Lock {
  release(): void;
}

/**
 * Keeps a second daemon away from the state. The lock is the kernel's, on a file of its own: it dies with the process,
 * and readers of the ledger never meet it.
 * @throws BailiffError E_ALREADY_RUNNING
 */
export function lock(folder: string): Lock {
  const file = join(folder, 'lock.sqlite');
  createPrivate(file);
  const db = new Database(file, { timeout: 0 });
  try {
    // Nothing is ever written to it, so it needs no journal beside it.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (!isBusy(error)) throw error;
    const message = `Another daemon has the state folder ${folder}; stop it first, or choose another one with --state.`;
    throw new BailiffError('E_ALREADY_RUNNING', message, { folder }, error);
  }
  return { release: () => void db.close() };
}

/**
 * SQLite would make the file with the process's umask; its -wal and -shm take over the mode of the file.
 * An existing file is never opened here: to close it again would drop this process's locks on it.
 */
function createPrivate(file: string): void {
  makeFolder(dirname(file), 0o700);
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (reasonOf(error) !== 'EEXIST') throw error;
  }
  if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
}
