// The program as its users have it: built. Each start of it takes a third of what one of the sources takes, and the tests
// make hundreds. vitest calls `setup` once, before all of them; `npm start` and the like are tested from the sources (launcher/).
import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from '../../bin/bundle.ts';
import { temporaryFolder } from './leftovers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NAME = 'BAILIFF_BUILT';

/** The folder of what was built; undefined for what is no test, and starts one daemon. */
export const BUILT = process.env[NAME];
/** Its launcher; that of this checkout where nothing was built. */
export const BAILIFF = join(BUILT ?? ROOT, 'bin', 'bailiff');

/** @returns what removes it. */
export async function setup(): Promise<() => void> {
  const folder = temporaryFolder('built');
  // Some tests start it as another user.
  chmodSync(folder.path, 0o755);
  mkdirSync(join(folder.path, 'bin'));
  for (const name of ['bin/bailiff', 'package.json', 'filters'])
    cpSync(join(ROOT, name), join(folder.path, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'));
  await bundleProgram(ROOT, join(folder.path, 'dist'));
  const { openLedger } = await import('../../src/ledger/index.ts');
  openLedger(join(folder.path, 'proofs')).close();
  process.env[NAME] = folder.path;
  return folder.remove;
}
