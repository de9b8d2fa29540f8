// Damages a ledger that somebody has open, as a failing disk does: what stands behind its first page is gone.
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';

const PAGE = 4_096;

/** Whoever has it open finds out when he reads or writes next. */
export function damage(ledger: string): void {
  const visitor = new Database(ledger);
  // It all stands in the one file then, and nobody trusts what he has read before.
  visitor.pragma(`user_version = ${Number(visitor.pragma('user_version', { simple: true }))}`);
  visitor.pragma('wal_checkpoint(TRUNCATE)');
  visitor.close();
  const file = openSync(ledger, 'r+');
  writeSync(file, Buffer.alloc(statSync(ledger).size - PAGE, 0xa5), 0, undefined, PAGE);
  closeSync(file);
}
