// A journald of its own, in a mount namespace where it finds no machine but itself; its files stand in a folder of the test.
import { spawn } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeAtExit } from './leftovers.ts';
import { program } from './programs.ts';
import { ended, eventually, runOk } from './run.ts';

export interface Journald {
  /** Logs each line as a message of `logger` under the tag `sshd`; they are in the journal afterwards. */
  log(lines: readonly string[]): Promise<void>;
  /** Writes bytes as the standard output of a service that is called `sshd`. */
  say(bytes: string | Buffer): Promise<void>;
  /** Has it begin a new file. */
  rotate(): Promise<void>;
  /** Deletes all files but the one that is written to. */
  vacuum(): Promise<void>;
  stop(): Promise<void>;
}

/** It asks neither the kernel nor audit, and drops nothing for coming too fast. */
const CONFIG =
  '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nRateLimitIntervalSec=0\\nForwardToSyslog=no\\n';
const SOCKET = '/run/systemd/journal/dev-log';

/** @param folder where its files go; made where missing. */
export async function startJournald(folder: string): Promise<Journald> {
  mkdirSync(folder, { recursive: true });
  const script = [
    'set -e',
    'mkdir -p /run/systemd /run/log',
    'mount -t tmpfs tmpfs /run/systemd',
    'mount -t tmpfs tmpfs /run/log',
    'mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal',
    `printf '${CONFIG}' > /run/systemd/journald.conf.d/test.conf`,
    'mount --bind "$1" /run/log/journal',
    'exec "$2"',
  ].join('\n');
  const args = ['--mount', '--propagation', 'private', '/bin/sh', '-c', script, 'journald', folder];
  const child = spawn(program('unshare'), [...args, program('systemd-journald')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const takeBack = removeAtExit(() => child.kill('SIGKILL'));
  const inside = (file: string, ...more: string[]): string[] => [
    '--target',
    String(child.pid),
    '--mount',
    file,
    ...more,
  ];
  const enter = (words: readonly string[], input: string | Buffer = ''): Promise<string> =>
    runOk(program('nsenter'), words, { input });
  await eventually('journald is up', () => {
    if (child.exitCode !== null) throw new Error(`journald ended: ${said}`);
    return globSync(join(folder, '*', 'system.journal')).length > 0;
  });
  const sync = (): Promise<string> => enter(inside(program('journalctl'), '--sync'));
  return {
    async log(lines) {
      await enter(
        inside(program('logger'), '--tag', 'sshd', '--socket', SOCKET),
        lines.map((line) => `${line}\n`).join(''),
      );
      await sync();
    },
    async say(bytes) {
      await enter(inside(program('systemd-cat'), '--identifier=sshd'), bytes);
      await sync();
    },
    async rotate() {
      await enter(inside(program('journalctl'), '--rotate'));
    },
    // By its folder, so that no other journal is looked at.
    async vacuum() {
      await runOk(program('journalctl'), [`--directory=${folder}`, '--vacuum-files=1', '--quiet']);
    },
    async stop() {
      child.kill('SIGKILL');
      await ended(child);
      takeBack();
    },
  };
}
