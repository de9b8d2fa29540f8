// `bailiff logs` against a real daemon: what it wrote is what is shown, followed over a restart of the daemon.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LogPage } from '../../src/api/contract.ts';
import { BAILIFF } from '../support/built.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { eventually } from '../support/run.ts';

let folder: TemporaryFolder;
const daemons: Daemon[] = [];
const at = (name: string): string => join(folder.path, name);
const start = async (): Promise<Daemon> => {
  const daemon = await startDaemon({ folder: folder.path, args: ['--firewall', 'memory', '--json'] });
  daemons.push(daemon);
  return daemon;
};

beforeEach(() => {
  folder = temporaryFolder('logs');
  writeFileSync(at('auth.log'), '');
  writeFileSync(
    at('jails.json'),
    JSON.stringify({ jails: { sshd: { filter: 'sshd', logs: [at('auth.log')], maxRetry: 1 } } }),
    { mode: 0o600 },
  );
});
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.end().catch(() => undefined);
  folder.remove();
});

function fail(address: string): void {
  const stamp = new Date().toISOString();
  appendFileSync(
    at('auth.log'),
    `${stamp} web sshd[812]: Failed password for root from ${address} port 40022 ssh2\n`,
  );
}

/** `logs --follow`, whose lines are collected. */
function follow(...args: string[]) {
  const child = spawn('/bin/sh', [BAILIFF, '--runtime', at('run'), 'logs', '--follow', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return {
    child,
    err: () => err,
    shows: (text: string) => eventually(`logs shows ${text}`, () => (out.includes(text) ? true : undefined)),
    count: (text: string) => out.split(text).length - 1,
  };
}

it('shows what the daemon wrote, the same lines in the same order', async () => {
  const daemon = await start();
  fail('192.0.2.7');
  await daemon.ban('192.0.2.7');
  const { code, stdout } = await daemon.verb('logs', '--json');
  expect(code).toBe(0);
  const shown = stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message);
  const written = daemon
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(shown).toContain('ban');
  expect(shown).toEqual(written);
  const one = await daemon.verb('logs', 'sshd', '--level', 'info', '--since', '1h');
  expect(one.stdout).toMatch(/^\S+\tinfo\tban\taddress=192\.0\.2\.7\tjail=sshd\t[^\n]*\n$/);
});

it('follows, finds a daemon that was started anew, and ends with 0 on a signal', async () => {
  const first = await start();
  const followed = follow('--json');
  fail('192.0.2.7');
  await followed.shows('"192.0.2.7"');
  await first.end();
  const second = await start();
  fail('192.0.2.8');
  await second.ban('192.0.2.8');
  await followed.shows('"192.0.2.8"');
  expect(followed.count('"192.0.2.7"')).toBe(1);
  expect(followed.err()).toBe(
    'bailiff: the daemon is gone; waiting for it\nbailiff: the daemon is there again\n',
  );
  followed.child.kill('SIGINT');
  expect(await once(followed.child, 'exit')).toEqual([0, null]);
});

it('ends when whoever read its lines has gone, and does not hold up the daemon’s end', async () => {
  const daemon = await start();
  const deaf = follow();
  const waiting = daemon.get<LogPage>('/v1/log?level=error&wait=20', 'control');
  fail('192.0.2.7');
  await deaf.shows('address=192.0.2.7');
  const ended = once(deaf.child, 'exit');
  deaf.child.stdout.destroy();
  fail('192.0.2.8');
  await daemon.ban('192.0.2.8');
  expect(await ended).toEqual([0, null]);
  // The one that waits is answered: it need not be cut off.
  expect(await daemon.end()).toBe(0);
  expect((await waiting).items).toEqual([]);
});
