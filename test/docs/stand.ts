// A newcomer's host: a network namespace that reaches nothing, a file system that forgets what is written, processes of
// its own, and in /root/bailiff what a fresh clone holds, set up already.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { borrowModules, ROOT } from '../support/checkout.ts';
import { removeAtExit, temporaryFolder } from '../support/leftovers.ts';
import { program } from '../support/programs.ts';
import { ended, run, runOk } from '../support/run.ts';

export interface Stand {
  /** The command that enters it; the program and its arguments follow. */
  readonly enter: readonly [file: string, ...args: string[]];
  /** A folder that it shares with the test. */
  readonly shared: string;
  /** Ends every process of it. Nothing of it is left. */
  remove(): Promise<void>;
}

let count = 0;

export async function createStand(): Promise<Stand> {
  const ip = program('ip');
  const name = `bailiff-docs-${process.pid}-${++count}`;
  await runOk(ip, ['netns', 'add', name]);
  const takeBack = removeAtExit(() => void execFileSync(ip, ['netns', 'del', name]));
  await runOk(ip, ['-n', name, 'link', 'set', 'lo', 'up']);
  const folder = temporaryFolder('docs');
  for (const part of ['shared', 'top']) mkdirSync(join(folder.path, part));

  const apart = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const inside = ['/bin/sh', join(import.meta.dirname, 'stand.sh'), join(folder.path, 'top')];
  const holder = spawn(ip, ['netns', 'exec', name, program('unshare'), ...apart, ...inside], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const takeHolderBack = removeAtExit(() => holder.kill('SIGKILL'));
  await Promise.race([
    once(holder.stdout, 'data'),
    ended(holder).then(() => Promise.reject(new Error('the stand could not be made'))),
  ]);
  // The first process of its own numbering; what it sees is what the reader sees.
  const first = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim();
  cloneTo(`/proc/${first}/root/root/bailiff`);

  return {
    enter: [program('nsenter'), '--target', first, '--mount', '--net', '--pid'],
    shared: join(folder.path, 'shared'),
    async remove() {
      takeHolderBack();
      holder.kill('SIGKILL');
      await ended(holder);
      takeBack();
      await run(ip, ['netns', 'del', name]);
      folder.remove();
    },
  };
}

/** What a clone would hold, were this state committed; and what `npm run setup` makes of it, without a registry. */
function cloneTo(path: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0').filter((each) => each !== '' && existsSync(join(ROOT, each)))) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    cpSync(join(ROOT, file), join(path, file));
  }
  borrowModules(path);
}
