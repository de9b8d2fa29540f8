// The daemon of the crash harness, bundled as the package is: a harness that starts it hundreds of times does little else
// than start it.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bundle as bundleTo } from '../../bin/bundle.ts';

/**
 * @param root the checkout whose daemon it is, or a copy of its sources.
 * @param folder where it is put; made where it is missing.
 * @returns the program, to be started with bin/bailiff's Node.
 */
export async function bundle(root: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  await bundleTo(root, folder, { 'crash/daemon': 'test/crash/daemon-main.ts' });
  return join(folder, 'crash', 'daemon.js');
}
