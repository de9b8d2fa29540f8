// A jail whose matches are the bans of the other jails.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { start } from './harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-recidive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const BRIEF = { first: '1m', factor: 1, max: '1m', forget: '1s' };

/** Two refused log-ins every ten minutes, from 08:00 on: each pair is a ban of a minute. */
function attack(address: string, pairs: number): string {
  return Array.from({ length: pairs * 2 }, (_, n) => {
    const minutes = Math.floor(n / 2) * 10;
    const time = `${String(8 + Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}:0${n % 2}`;
    return `${address} - - [05/Jan/2026:${time} +0000] "POST /login HTTP/1.1" 401 1 "-" "-"\n`;
  }).join('');
}

async function replayed(jails: object, log: string): Promise<string[]> {
  const file = join(folder, 'access.log');
  const config = join(folder, 'jails.json');
  writeFileSync(file, log);
  writeFileSync(config, JSON.stringify({ jails }), { mode: 0o600 });
  const { out, err } = await start(['--config', config, '--json', 'replay', file]);
  expect(err).toBe('');
  const { bans } = JSON.parse(out) as {
    bans: { address: string; jail: string; at: string; until: string }[];
  };
  return bans.map(
    ({ address, jail, at, until }) => `${jail} ${address} ${at.slice(11, 16)}–${until.slice(0, 16)}`,
  );
}

const login = (more: object = {}) => ({
  filter: 'nginx-login',
  logs: [join(folder, 'access.log')],
  maxRetry: 2,
  banTime: BRIEF,
  ...more,
});
const recidive = { filter: 'recidive', maxRetry: 3, findTime: '1d', banTime: '1w' };

test('the third ban within a day is one for a week, by line and by address', async () => {
  expect(await replayed({ login: login(), recidive }, attack('192.0.2.7', 3))).toEqual([
    'login 192.0.2.7 08:00–2026-01-05T08:01',
    'login 192.0.2.7 08:10–2026-01-05T08:11',
    'login 192.0.2.7 08:20–2026-01-05T08:21',
    'recidive 192.0.2.7 08:20–2026-01-12T08:20',
  ]);
  expect(await replayed({ login: login(), recidive }, attack('2001:db8::7', 4))).toEqual([
    'login 2001:db8::/64 08:00–2026-01-05T08:01',
    'login 2001:db8::/64 08:10–2026-01-05T08:11',
    'login 2001:db8::/64 08:20–2026-01-05T08:21',
    'recidive 2001:db8::/64 08:20–2026-01-12T08:20',
    // Banned for the week: recorded there, not counted.
    'login 2001:db8::/64 08:30–2026-01-05T08:31',
  ]);
});

test('bans of two jails count together, those of a jail that only detects not at all', async () => {
  const jails = { login: login(), other: login({ filter: 'nginx-basic-auth' }), recidive };
  const log = attack('192.0.2.7', 2).replaceAll(' - - ', ' - root ');
  expect((await replayed(jails, log)).filter((ban) => ban.startsWith('recidive'))).toEqual([
    'recidive 192.0.2.7 08:10–2026-01-12T08:10',
  ]);
  expect(
    (await replayed({ login: login({ dryRun: true }), recidive }, attack('192.0.2.7', 5))).filter((ban) =>
      ban.startsWith('recidive'),
    ),
  ).toEqual([]);
});

test('a ban of a whole network counts against the address that it was passed on', async () => {
  const wide = login({ respond: [{ wider: { ipv4: 24, when: 2 } }] });
  const log = ['203.0.113.8', '203.0.113.7'].map((address) => attack(address, 3).split('\n'));
  const lines = log[0]!.flatMap((line, n) => [line, log[1]![n]!]).filter((line) => line !== '');
  expect(await replayed({ login: wide, recidive }, `${lines.join('\n')}\n`)).toEqual([
    'login 203.0.113.8 08:00–2026-01-05T08:01',
    'login 203.0.113.0/24 08:00–2026-01-05T08:01',
    'login 203.0.113.8 08:10–2026-01-05T08:11',
    'login 203.0.113.0/24 08:10–2026-01-05T08:11',
    'login 203.0.113.8 08:20–2026-01-05T08:21',
    'recidive 203.0.113.8 08:20–2026-01-12T08:20',
    'login 203.0.113.0/24 08:20–2026-01-05T08:21',
    'recidive 203.0.113.7 08:20–2026-01-12T08:20',
  ]);
});

test('it stands alone, and reads no log', async () => {
  const config = join(folder, 'jails.json');
  const jails = { both: { filter: ['recidive', 'sshd'], logs: ['/var/log/auth.log'] } };
  writeFileSync(config, JSON.stringify({ jails }), { mode: 0o600 });
  const { code, out } = await start(['--config', config, '--json', 'check']);
  expect(code).toBe(78);
  expect((JSON.parse(out) as { faults: { code: string }[] }).faults.map((fault) => fault.code)).toEqual([
    'E_CONFIG_CONFLICT',
    'E_CONFIG_CONFLICT',
  ]);
});
