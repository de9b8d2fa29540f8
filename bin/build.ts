// npm run build: dist/, the program as it is packed and installed.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** The packages of which parts are in it: each licence asks to be passed on with them. */
function licences(files: readonly string[]): string {
  const folders = files.map((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)![0]);
  return [...new Set(folders)].toSorted().map(licence).join('\n');
}

function licence(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
  };
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined)
    throw new Error(`${manifest.name} brings no licence: parts of it may not be passed on`);
  return `── ${manifest.name} ${manifest.version} ──\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

rmSync(DIST, { recursive: true, force: true });
const files = await bundleProgram(ROOT, DIST);
writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES.txt'), licences(files));
