// A filter that is wrong, a botnet, and an administrator's session: whom the daemon must not lock out, and whom it must.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JailView, StatusView } from '../../src/api/contract.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';

let folder: string;
let daemon: Daemon | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-brake-'));
  mkdirSync(join(folder, 'logs'));
  writeFileSync(log(), '');
});

afterEach(async () => {
  await daemon?.end('SIGKILL');
  daemon = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const MINUTE = 60_000;
const log = (): string => join(folder, 'logs', 'access.log');
const visitor = (number: number): string => `198.51.100.${number + 1}`;
const bot = (number: number): string => `203.${number >> 8}.113.${number & 255}`;

function requestAt(at: number, address: string, request = 'GET /shop', status = 200): string {
  const date = new Date(at);
  const day = `${String(date.getUTCDate()).padStart(2, '0')}/${date.toUTCString().slice(8, 11)}/${date.getUTCFullYear()}`;
  return `${address} - - [${day}:${date.toISOString().slice(11, 19)} +0000] "${request} HTTP/1.1" ${status} 1 "-" "-"\n`;
}

/** What is meant: whoever is refused at the log-in. And the slip: whoever asks for anything. */
const MEANT = { path: '/login', status: 401 };
const SLIP = { method: 'GET' };

const configOf = (where: object, brake?: string) => ({
  jails: {
    shop: {
      ...{ filter: 'any', logs: [log()], start: 'beginning', maxRetry: 3, where },
      ...(brake !== undefined && { brake }),
    },
  },
});

function begin(config: object = configOf(MEANT)): Promise<Daemon> {
  const filters = join(folder, 'bailiff', 'filters');
  mkdirSync(filters, { recursive: true, mode: 0o700 });
  writeFileSync(join(filters, 'any.yaml'), 'service: a shop\nlayout: access\nwhere: { status: [200, 401] }\n');
  return startDaemon({ folder: join(folder, 'bailiff'), config, args: ['--firewall', 'memory', '--no-watch'] });
}

async function reload(config: object): Promise<void> {
  writeFileSync(join(folder, 'bailiff', 'jails.json'), JSON.stringify(config), { mode: 0o600 });
  expect(await daemon!.verb('reload')).toMatchObject({ code: 0 });
}

const jailIn = (status: StatusView): JailView => status.jails[0]!;

/** Half an hour of forty visitors who look around. */
function history(until: number): void {
  const lines: string[] = [];
  for (let at = until - 30 * MINUTE; at < until; at += MINUTE)
    for (let number = 0; number < 40; number++) lines.push(requestAt(at, visitor(number)));
  appendFileSync(log(), lines.join(''));
}

/** Each of them comes back, three times. */
function comeBack(from: number, to: number): void {
  for (let number = from; number < to; number++)
    for (let i = 0; i < 3; i++) appendFileSync(log(), requestAt(Date.now(), visitor(number)));
}

function attack(count: number): void {
  const lines = Array.from({ length: count * 3 }, (_, n) =>
    requestAt(Date.now(), bot(Math.floor(n / 3)), 'POST /login', 401),
  );
  appendFileSync(log(), lines.join(''));
}

test('a filter that is wrong trips its jail within twenty bans, durably, until an administrator answers', async () => {
  daemon = await begin();
  history(Date.now() - MINUTE);
  attack(3);
  const before = await daemon.caughtUp();
  expect(jailIn(before)).toMatchObject({ state: 'active', bansTotal: 3 });

  await reload(configOf(SLIP));
  comeBack(0, 40);
  const status = await daemon.caughtUp();
  expect(jailIn(status)).toMatchObject({ state: 'tripped', tripped: { why: expect.stringContaining('behaved') } });
  expect(status.faults.map(({ code }) => code)).toEqual(['W_BRAKE_TRIPPED']);
  expect(status.health?.problems).toHaveLength(1);
  const monitored = await daemon.verb('status', '--exit-code');
  expect([monitored.code, monitored.stdout]).toEqual([1, expect.stringContaining('shop')]);
  const bans = await daemon.bans('?all=true');
  const wronged = bans.filter(({ address }) => address.startsWith('198.'));
  const blocked = bans.filter(({ state }) => state === 'blocked').map(({ address }) => address);
  // Those who had behaved are free again, those who hadn't are not, and from then on nobody is blocked.
  expect(blocked).toEqual([bot(0), bot(1), bot(2)]);
  const lifted = wronged.filter(({ endedBy }) => endedBy === 'brake');
  expect(lifted.length).toBeLessThanOrEqual(20);
  expect(wronged.filter(({ state }) => state === 'detected')).toHaveLength(40 - lifted.length);
  const told = await daemon.verb('--json', 'watch', '--kind', 'brake', '--last', '10', '--count', '1');
  expect(JSON.parse(told.stdout)).toMatchObject({ kind: 'brake', what: 'tripped', jail: 'shop' });

  await daemon.end('SIGKILL');
  daemon = await begin(configOf(SLIP));
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
  await reload(configOf(MEANT));
  attack(4);
  expect(jailIn(await daemon.caughtUp())).toMatchObject({ state: 'tripped' });
  expect(await daemon.ban(bot(3))).toMatchObject({ state: 'detected' });

  const answered = await daemon.verb('--json', 'enable', 'shop');
  expect([answered.code, JSON.parse(answered.stdout)]).toEqual([0, [{ jail: 'shop', outcome: 'enabled' }]]);
  expect((await daemon.bans()).map(({ address, state }) => [address, state])).toEqual(
    [0, 1, 2].map((number) => [bot(number), 'blocked']),
  );
  attack(4);
  const after = await daemon.caughtUp();
  expect([jailIn(after).state, after.faults]).toEqual(['active', []]);
  expect(await daemon.ban(bot(3), ({ state }) => state !== 'ended')).toMatchObject({ state: 'blocked' });
  expect((await daemon.verb('enable', 'shop')).code).toBe(1);
  await daemon.end('SIGKILL');
  daemon = await begin(configOf(MEANT));
  expect(jailIn(await daemon.caughtUp()).state).toBe('active');
});

test('a thousand new attackers in a minute trip nothing, whether they look around first or not', async () => {
  daemon = await begin();
  history(Date.now() - MINUTE);
  const lines = Array.from({ length: 30_000 }, (_, n) => requestAt(Date.now(), bot(n % 1_000)));
  appendFileSync(log(), lines.join(''));
  attack(1_000);
  const status = await daemon.caughtUp();
  expect(jailIn(status)).toMatchObject({ state: 'active', bansTotal: 1_000, banned: 1_000 });
});

test('what the brake knows of visitors outlives a restart with the wrong config', async () => {
  daemon = await begin();
  history(Date.now() - MINUTE);
  comeBack(0, 40);
  await daemon.caughtUp();
  await daemon.end();
  daemon = await begin(configOf(SLIP));
  comeBack(0, 40);
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
});

test.each([
  ['off', 'active', 40],
  ['5/1h', 'tripped', 40],
  ['500/1h', 'active', 40],
])('the brake %s: %s', async (brake, state, bansTotal) => {
  daemon = await begin(configOf(MEANT, brake));
  history(Date.now() - MINUTE);
  await daemon.caughtUp();
  await reload(configOf(SLIP, brake));
  comeBack(0, 40);
  expect(jailIn(await daemon.caughtUp())).toMatchObject({ state, bansTotal });
});

test('"off" is an answer to a brake that has tripped, another rule is none', async () => {
  daemon = await begin(configOf(MEANT, '1/1h'));
  attack(4);
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
  await reload(configOf(MEANT, 'behaving'));
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
  await reload(configOf(MEANT, 'off'));
  const status = await daemon.caughtUp();
  expect([jailIn(status).state, status.faults]).toEqual(['active', []]);
  expect((await daemon.bans()).map(({ address }) => address)).toEqual([bot(0), bot(1)]);
});
