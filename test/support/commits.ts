// How often a running daemon has committed, as its ledger shows from outside.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Transactions so far: the counter in the header of the WAL index (sqlite.org/walformat.html, iChange), modulo 2³². */
export function commitsIn(stateFolder: string): number {
  return readFileSync(join(stateFolder, 'ledger.sqlite-shm')).readUInt32LE(8);
}
