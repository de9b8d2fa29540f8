// The daemon of the crash harness as one file: it starts in half the time that its 350 modules take one by one, and a
// harness that starts it hundreds of times does little else than start it.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** Their addons and workers are found by path. */
const APART = /^better-sqlite3$/;

/**
 * @param root the checkout whose daemon it is, or a copy of its sources.
 * @param folder where it is put; made where it is missing.
 * @returns the program, to be started with bin/bailiff's Node and its flags.
 */
export async function bundle(root: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const build = await rolldown({
    input: { daemon: join(root, 'test', 'crash', 'daemon-main.ts') },
    platform: 'node',
    external: APART,
    // Some packages' other builds load their parts by names made at run time.
    resolve: { mainFields: ['module', 'main'] },
  });
  try {
    // As CommonJS it doesn't ask each of Node's own modules for everything that it has.
    await build.write({ dir: folder, format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false });
  } finally {
    await build.close();
  }
  cpSync(join(root, 'src', 'ledger', 'migrations'), join(folder, 'migrations'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'daemon.cjs');
}
