// The program as a user gets it: built, without sources beside it, so that bin/bailiff starts what is in dist/.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import { ROOT } from './places.ts';

export interface Built {
  /** Its bin/bailiff. */
  readonly bailiff: string;
  /** The Node that bin/bailiff starts it with. */
  readonly node: string;
  readonly filters: string;
  readonly version: string;
  readonly commit: string;
  remove(): void;
}

/** What a program of ours needs to be as bin/bailiff starts it: its flags for Node, and V8's for filters, which run under no others. */
export function launcherFlags(): string[] {
  const script = readFileSync(join(ROOT, 'bin/bailiff'), 'utf8');
  const flags = script.slice(script.lastIndexOf('exec "$node"')).match(/--[\w-]+(?:=[\w-]+)?/g);
  if (!flags) throw new Error('bin/bailiff names no flags for Node');
  return [...flags, '--import', join(ROOT, 'src/cli/linear-regexes.ts')];
}

/** Builds `checkout` and puts what a package holds into a folder of its own. */
export function build(checkout: string): Built {
  execFileSync('/bin/sh', ['bin/dev', 'build'], { cwd: checkout, stdio: ['ignore', 'ignore', 'ignore'] });
  const folder = temporaryFolder('bench-built');
  for (const part of ['bin', 'dist', 'filters', 'package.json', 'jails.schema.json'])
    cpSync(join(checkout, part), join(folder.path, part), { recursive: true });
  mkdirSync(join(folder.path, 'docs'));
  cpSync(join(checkout, 'docs/man'), join(folder.path, 'docs/man'), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(folder.path, 'node_modules'));
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', ['-C', checkout, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    } catch {
      return '';
    }
  };
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'filters', 'bin') !== '';
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const bailiff = join(folder.path, 'bin/bailiff');
  return {
    bailiff,
    node: join(checkout, 'node_modules', `node-linux-${arch}`, 'bin/node'),
    filters: join(folder.path, 'filters'),
    version: execFileSync(bailiff, ['--version'], { encoding: 'utf8' }).trim(),
    commit: `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed ? '-changed' : ''}`,
    remove: () => folder.remove(),
  };
}
