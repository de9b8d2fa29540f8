// Someone logged in from there: the daemon doesn't ban the address, says so everywhere, and knows it after kill -9.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HistoryView } from '../../src/api/contract.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';

const ADMIN = '203.0.113.7';
const STRANGER = '198.51.100.9';

let folder: string;
let daemon: Daemon | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-log-ins-'));
  mkdirSync(join(folder, 'logs'));
  for (const log of ['auth.log', 'access.log']) writeFileSync(join(folder, 'logs', log), '');
});

afterEach(async () => {
  await daemon?.end('SIGKILL');
  daemon = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const log = (name: string): string => join(folder, 'logs', name);
const start = (): Promise<Daemon> => {
  const jails = {
    sshd: { filter: 'sshd', logs: [log('auth.log')], zone: 'UTC', maxRetry: 3 },
    login: { filter: 'nginx-login', logs: [log('access.log')], maxRetry: 2 },
  };
  return startDaemon({ folder: join(folder, 'bailiff'), config: { jails }, args: ['--firewall', 'memory'] });
};

const stamp = (): string => {
  const date = new Date();
  return `${date.toUTCString().slice(8, 11)} ${String(date.getUTCDate()).padStart(2, ' ')} ${date.toISOString().slice(11, 19)}`;
};
const says = (message: string): void =>
  appendFileSync(log('auth.log'), `${stamp()} web sshd[812]: ${message}\n`);
const logIn = (address: string): void => says(`Accepted publickey for ops from ${address} port 40022 ssh2`);
const fail = (address: string): void => says(`Failed password for root from ${address} port 40022 ssh2`);
const refuse = (address: string): void => {
  const date = new Date();
  const at = `${String(date.getUTCDate()).padStart(2, '0')}/${date.toUTCString().slice(8, 11)}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
  appendFileSync(log('access.log'), `${address} - - [${at}] "POST /login HTTP/1.1" 401 1 "-" "-"\n`);
};
const history = (address: string): Promise<HistoryView> =>
  daemon!.get<HistoryView>(`/v1/history?address=${address}`);

test('an administrator who logged in is banned by no jail, and by hand only with --force', async () => {
  daemon = await start();
  logIn(ADMIN);
  await daemon.caughtUp();
  for (let i = 0; i < 4; i++) for (const address of [ADMIN, STRANGER]) fail(address);
  for (let i = 0; i < 4; i++) refuse(ADMIN);
  await daemon.ban(STRANGER);
  const { jails } = await daemon.caughtUp();
  expect(jails).toMatchObject([
    { name: 'sshd', ignored: 4, bansTotal: 1 },
    { name: 'login', matches: 4, ignored: 4, bansTotal: 0 },
  ]);
  const known = await history(ADMIN);
  expect(known.protected.map(({ jail }) => jail)).toEqual(['sshd', 'login']);
  expect(known.offenders).toMatchObject([
    { jail: 'sshd', count: 4, of: 30 },
    { jail: 'login', count: 4, of: 20 },
  ]);
  const shown = await daemon.verb('history', ADMIN);
  expect(shown.stdout).toMatch(/^protected\tsshd\t/m);

  const refused = await daemon.verb('--json', 'ban', ADMIN, '203.0.113.0/24', STRANGER);
  expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([
    1,
    [
      {
        outcome: 'refused',
        why: expect.stringMatching(/protected in the jail sshd .*203\.0\.113\.7 .*--force/),
      },
      { outcome: 'refused', why: expect.stringContaining('someone logged in from 203.0.113.7') },
      { outcome: 'banned' },
    ],
  ]);
  const forced = await daemon.verb('ban', '--force', '--jail', 'sshd', ADMIN);
  expect(forced.code).toBe(0);
  // A sentence ends what the log-in before it was good for, in the jail where it was passed.
  expect((await history(ADMIN)).protected.map(({ jail }) => jail)).toEqual(['login']);
});

test('after kill -9 the next daemon knows who logged in, and what the last line was', async () => {
  daemon = await start();
  logIn(ADMIN);
  for (let i = 0; i < 2; i++) fail(ADMIN);
  fail(STRANGER);
  await daemon.caughtUp();
  const before = await history(ADMIN);
  await daemon.end('SIGKILL');
  appendFileSync(log('auth.log'), `${stamp()} web last message repeated 2 times\n`);
  daemon = await start();
  const ban = await daemon.ban(STRANGER);
  expect(ban.reason).toBe('3 matches of sshd within 10m');
  for (let i = 0; i < 2; i++) fail(ADMIN);
  await daemon.caughtUp();
  const after = await history(ADMIN);
  expect(after.protected).toEqual(before.protected);
  expect([after.bans, after.offenders]).toMatchObject([[], [{ jail: 'sshd', count: 4, of: 30 }]]);
});
