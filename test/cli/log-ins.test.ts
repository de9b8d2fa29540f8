// What `replay` and `explain` make of log-ins and of messages that came again: what the daemon makes of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start } from './harness.ts';

const ADMIN = '192.0.2.7';
const STRANGER = '198.51.100.9';
let folder: string;

const line = (second: number, rest: string): string =>
  `Jan  5 10:11:${String(second).padStart(2, '0')} web ${rest}`;
const accepted = (second: number, address: string): string =>
  line(second, `sshd[812]: Accepted publickey for ops from ${address} port 40022 ssh2`);
const failed = (second: number, address: string): string =>
  line(second, `sshd[812]: Failed password for root from ${address} port 40022 ssh2`);
const again = (second: number, times: number): string => line(second, `last message repeated ${times} times`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-log-ins-'));
  const jails = {
    sshd: { filter: 'sshd', logs: [join(folder, 'auth.log')], zone: 'UTC', maxRetry: 3 },
    login: { filter: 'nginx-login', logs: [join(folder, 'access.log')], maxRetry: 2 },
  };
  writeFileSync(join(folder, 'jails.json'), JSON.stringify({ jails }), { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const call = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await start(['--config', join(folder, 'jails.json'), '--json', ...args])).out);

test('replay spares who logged in, in every jail, and counts what came again', async () => {
  writeFileSync(
    join(folder, 'auth.log'),
    [
      accepted(1, ADMIN),
      ...[2, 3, 4].map((second) => failed(second, ADMIN)),
      again(5, 6),
      failed(6, STRANGER),
      again(7, 2),
      '',
    ].join('\n'),
  );
  const refused = (second: number): string =>
    `${ADMIN} - - [05/Jan/2026:10:12:0${second} +0000] "POST /login HTTP/1.1" 401 1 "-" "-"\n`;
  writeFileSync(join(folder, 'access.log'), [1, 2, 3].map(refused).join(''));
  expect(
    await call(
      'replay',
      '--now',
      '2026-01-06T00:00:00Z',
      join(folder, 'auth.log'),
      join(folder, 'access.log'),
    ),
  ).toMatchObject({
    bans: [{ jail: 'sshd', address: STRANGER, at: '2026-01-05T10:11:07.000Z', line: 7 }],
    jails: { sshd: { ignored: 4, bans: 1 }, login: { matches: 3, ignored: 3, bans: 0 } },
  });
});

test('explain says what a log-in is good for, and to whom', async () => {
  const explain = (...lines: string[]) => call('explain', '--jail', 'sshd', lines.join('\n'));
  expect(await explain(accepted(1, ADMIN))).toMatchObject([
    {
      outcome: 'success',
      why: expect.stringContaining('protects its address here and in the other jails for 1d'),
    },
  ]);
  expect(await explain(accepted(1, ADMIN), failed(2, ADMIN))).toMatchObject([
    {
      outcome: 'ignored',
      why: expect.stringMatching(
        /^protected: someone logged in from 192\.0\.2\.7 at .*; number 30 would ban/,
      ),
    },
  ]);
  expect(await explain(accepted(1, ADMIN), failed(2, STRANGER))).toMatchObject([{ outcome: 'counted' }]);
});

test('explain says how often a message came again, and that nothing did where it was no match', async () => {
  const explain = (...lines: string[]) => call('explain', '--jail', 'sshd', lines.join('\n'));
  expect(await explain(failed(1, ADMIN), again(2, 2))).toMatchObject([
    { outcome: 'counted', address: ADMIN, why: expect.stringContaining('counts 2;') },
  ]);
  expect(await explain(again(2, 2))).toMatchObject([{ outcome: 'no-match' }]);
  expect(await call('test', 'sshd', join(folder, 'auth.log'))).toMatchObject({
    matches: [
      {},
      {},
      {},
      { line: 5, address: ADMIN, counts: 6 },
      {},
      { line: 7, address: STRANGER, counts: 2 },
    ],
  });
});
