// The lock-out drill, second part: a botnet, and a filter that bans everybody. The first part is log-ins.test.ts.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JailView, StatusView } from '../../src/api/contract.ts';
import { createClient } from '../../src/api/index.ts';
import type { Client } from '../../src/api/index.ts';
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

const configOf = (where: object) => ({
  jails: { shop: { filter: 'any', logs: [log()], start: 'beginning', maxRetry: 3, where } },
});

function begin(config: object = configOf(MEANT)): Promise<Daemon> {
  const filters = join(folder, 'bailiff', 'filters');
  mkdirSync(filters, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(filters, 'any.yaml'),
    'service: a shop\nlayout: access\nwhere: { status: [200, 401] }\n',
  );
  return startDaemon({
    folder: join(folder, 'bailiff'),
    config,
    args: ['--firewall', 'memory', '--no-watch'],
  });
}

const client = (): Client => createClient(join(folder, 'bailiff', 'run'));

async function reload(config: object): Promise<void> {
  writeFileSync(join(folder, 'bailiff', 'jails.json'), JSON.stringify(config), { mode: 0o600 });
  expect((await client().reload({})).jails.changed).toEqual(['shop']);
}

const stateOf = async (address: string): Promise<string | undefined> =>
  (await daemon!.bans()).find((ban) => ban.address === address)?.state;
const jailIn = (status: StatusView): JailView => status.jails[0]!;

/** Half an hour of forty visitors who look around. */
function history(until: number): void {
  const lines: string[] = [];
  for (let at = until - 30 * MINUTE; at < until; at += MINUTE)
    for (let number = 0; number < 40; number++) lines.push(requestAt(at, visitor(number)));
  appendFileSync(log(), lines.join(''));
}

/** Each of them comes back, three times. */
function comeBack(): void {
  for (let number = 0; number < 40; number++)
    for (let i = 0; i < 3; i++) appendFileSync(log(), requestAt(Date.now(), visitor(number)));
}

function attack(count: number, first = 0): void {
  const lines = Array.from({ length: count * 3 }, (_, n) =>
    requestAt(Date.now(), bot(first + Math.floor(n / 3)), 'POST /login', 401),
  );
  appendFileSync(log(), lines.join(''));
}

test('a botnet trips nothing; a filter that is wrong does, durably, until an administrator answers', async () => {
  daemon = await begin();
  history(Date.now() - MINUTE);
  // A thousand new attackers within a minute, who look around first.
  const lines = Array.from({ length: 30_000 }, (_, n) => requestAt(Date.now(), bot(n % 1_000)));
  appendFileSync(log(), lines.join(''));
  attack(1_000);
  const attacked = await daemon.caughtUp();
  expect(jailIn(attacked)).toMatchObject({ state: 'active', bansTotal: 1_000, banned: 1_000 });
  await client().unban({ all: true });

  await reload(configOf(SLIP));
  comeBack();
  const status = await daemon.caughtUp();
  expect(jailIn(status)).toMatchObject({
    state: 'tripped',
    tripped: { why: expect.stringContaining('had behaved') },
  });
  expect(status.faults.map(({ code }) => code)).toEqual(['W_BRAKE_TRIPPED']);
  expect(status.health?.problems).toEqual(['The jail shop has tripped: it only detects.']);
  expect(await daemon.verb('status', '--exit-code')).toMatchObject({ code: 1 });
  // Those who had behaved are free again, and from then on nobody is blocked.
  const wronged = await daemon.bans('?all=true&after=1000');
  const lifted = wronged.filter(({ endedBy }) => endedBy === 'brake');
  expect(lifted.length).toBeGreaterThan(0);
  expect(lifted.length).toBeLessThanOrEqual(20);
  expect(wronged.filter(({ state }) => state === 'detected')).toHaveLength(40 - lifted.length);

  await daemon.end('SIGKILL');
  daemon = await begin(configOf(SLIP));
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
  await reload(configOf(MEANT));
  // Others: what was pardoned within this second is pardoned.
  attack(4, 1_500);
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
  expect(await stateOf(bot(1_503))).toBe('detected');

  expect(await client().enable(['shop'])).toEqual([{ jail: 'shop', outcome: 'enabled' }]);
  expect(await daemon.bans()).toEqual([]);
  attack(4, 2_000);
  const after = await daemon.caughtUp();
  expect([jailIn(after).state, after.faults]).toEqual(['active', []]);
  expect(await stateOf(bot(2_003))).toBe('blocked');
  expect(await client().enable(['shop'])).toEqual([{ jail: 'shop', outcome: 'unchanged' }]);
});

test('what is known of visitors outlives a restart, so that a wrong config trips after it too', async () => {
  daemon = await begin();
  history(Date.now() - MINUTE);
  await daemon.caughtUp();
  await daemon.end();
  daemon = await begin(configOf(SLIP));
  comeBack();
  expect(jailIn(await daemon.caughtUp()).state).toBe('tripped');
});
