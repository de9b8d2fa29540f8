// A copy of this checkout, set up already, for tests that start, build or pack one: it borrows our node_modules
// entry by entry, so that nothing that happens in the copy can touch ours.
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOk, type RunOptions } from './run.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PARTS = [
  ...[
    'bin',
    'src',
    'filters',
    'systemd',
    'docs/man',
    'package.json',
    'package-lock.json',
    '.npmrc',
    'LICENSE',
    'README.md',
  ],
  ...['tsconfig.json', 'jails.example.json', 'jails.schema.json'],
];

/** Makes the copy at `path`, which must not exist yet. */
export function copyCheckout(path: string): void {
  for (const part of PARTS.filter((name) => existsSync(join(ROOT, name))))
    cpSync(join(ROOT, part), join(path, part), { recursive: true });
  borrowModules(path);
}

/** Sets up a copy that has none of what is installed. */
export function borrowModules(path: string): void {
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(ROOT, 'node_modules', name), join(path, 'node_modules', name));
  // What bin/dev takes for "set up".
  cpSync(join(ROOT, 'package-lock.json'), join(path, 'node_modules/.bailiff-lock.json'));
}

/** How npm is called: the one that called us, else the one on PATH. */
export function npmCommand(): [file: string, ...args: string[]] {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  return cli?.endsWith('npm-cli.js') && node ? [node, cli] : ['npm'];
}

/** Runs npm, which must succeed. @returns its standard output. */
export function npm(args: readonly string[], options: RunOptions): Promise<string> {
  const [file, ...before] = npmCommand();
  return runOk(file, [...before, ...args], options);
}
