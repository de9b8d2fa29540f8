// Brings a ledger up to this version: migrations/NNN-what.sql, in order, each in a transaction with its number.
import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { BailiffError } from '../errors.ts';

/** Beside this file, in the sources as in a built package. */
const FOLDER = new URL('./migrations/', import.meta.url);

/**
 * @throws BailiffError E_LEDGER_NEWER when a later Bailiff has written it; E_LEDGER_UNAVAILABLE when it is opened for
 * reading only and is older than this Bailiff.
 */
export function migrate(db: Database, file: string): void {
  const migrations = listMigrations();
  const version = db.pragma('user_version', { simple: true }) as number;
  const latest = migrations.length;
  if (version > latest) {
    const message = `The ledger ${file} is of version ${version}, this Bailiff knows ${latest}; start the newer Bailiff that wrote it.`;
    throw new BailiffError('E_LEDGER_NEWER', message, { file, version, latest });
  }
  if (version === latest) return;
  if (db.readonly) {
    const message = `The ledger ${file} is of version ${version} and needs ${latest}; start the daemon once to bring it up to date.`;
    throw new BailiffError('E_LEDGER_UNAVAILABLE', message, { file, version, latest });
  }
  for (const [index, name] of migrations.entries()) {
    if (index < version) continue;
    const sql = readFileSync(new URL(name, FOLDER), 'utf8');
    // The number is part of the transaction: if we die in it, the next start finds the version before.
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/** The migration with number n stands at n - 1. */
function listMigrations(): string[] {
  const names = readdirSync(FOLDER)
    .filter((name) => /^\d{3}-[a-z0-9-]+\.sql$/.test(name))
    .toSorted();
  for (const [index, name] of names.entries())
    if (Number(name.slice(0, 3)) !== index + 1)
      throw new BailiffError('E_INTERNAL', `Migration ${name} should have number ${index + 1}.`, { name });
  return names;
}
