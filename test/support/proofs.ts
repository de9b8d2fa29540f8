// What a filter's proof costs (two seconds of a core for sshd's) is paid once in a run of the tests, by the first daemon that
// needs it, and not by each that starts with a state folder of its own.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { BUILT } from './built.ts';

/** A ledger in which nothing stands but proofs; undefined where no tests run. */
const SHARED = BUILT === undefined ? undefined : join(BUILT, 'proofs', 'ledger.sqlite');

/** Gives a daemon that was never started the proofs of those that were. */
export function lendProofs(state: string): void {
  if (SHARED === undefined || existsSync(state)) return;
  const shared = new Database(SHARED, { readonly: true });
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(state, 'ledger.sqlite'), shared.serialize(), { mode: 0o600 });
  shared.close();
}

/** Takes over what a daemon has proven, once it answers. */
export function gatherProofs(state: string): void {
  const file = join(state, 'ledger.sqlite');
  if (SHARED === undefined || !existsSync(file)) return;
  const own = new Database(file, { readonly: true });
  const proofs = own.prepare<[], { hash: string; at: number }>('SELECT hash, at FROM proofs').all();
  own.close();
  const shared = new Database(SHARED);
  const add = shared.prepare('INSERT OR IGNORE INTO proofs (hash, at) VALUES (?, ?)');
  for (const { hash, at } of proofs) add.run(hash, at);
  shared.close();
}
