// `… | bailiff run -`: lines from standard input, up to its end.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/index.ts';
import { createClient } from '../../src/api/index.ts';
import { BAILIFF } from '../support/built.ts';
import { removeAtExit, temporaryFolder } from '../support/leftovers.ts';
import type { TemporaryFolder } from '../support/leftovers.ts';
import { ended, eventually, run } from '../support/run.ts';

let folder: TemporaryFolder;
beforeEach(() => void (folder = temporaryFolder('input')));
afterEach(() => folder.remove());

const failed = (address: string): string =>
  `${new Date().toISOString()} web sshd[812]: Failed password for root from ${address} port 40022 ssh2`;

function argumentsFor(jail: object): string[] {
  const config = { jails: { sshd: { filter: 'sshd', maxRetry: 3, ...jail } } };
  writeFileSync(join(folder.path, 'jails.json'), JSON.stringify(config), { mode: 0o600 });
  const places = ['--config', join(folder.path, 'jails.json'), '--runtime', join(folder.path, 'run')];
  return [...places, 'run', '--state', join(folder.path, 'state'), '--firewall', 'dry-run'];
}

function bans(): string[] {
  const ledger = openLedger(join(folder.path, 'state'));
  const found = ledger
    .bans({ all: true, limit: 9 })
    .map(({ address, evidence }) => `${address.text} ${evidence.at(-1)?.file}:${evidence.at(-1)?.line}`);
  ledger.close();
  return found;
}

test(
  'the daemon ends well when its only source does, and all of it is committed',
  { timeout: 200_000 },
  async () => {
    const input = [
      ...Array.from({ length: 2 }, () => failed('192.0.2.7')),
      failed('192.0.2.8'),
      failed('192.0.2.7'),
    ].join('\n');
    const ran = await run(BAILIFF, [...argumentsFor({ logs: [join(folder.path, 'gone.log')] }), '-'], {
      input,
    });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toContain('watches   standard input\n');
    expect(bans()).toEqual(['192.0.2.7 -:4']);
  },
);

test('other sources go on when it ends', { timeout: 200_000 }, async () => {
  const log = join(folder.path, 'auth.log');
  writeFileSync(log, '');
  const child = spawn(BAILIFF, argumentsFor({ logs: [log, '-'] }), { stdio: ['pipe', 'ignore', 'inherit'] });
  const takeBack = removeAtExit(() => child.kill('SIGKILL'));
  const client = createClient(join(folder.path, 'run'));
  child.stdin.end(`${failed('192.0.2.7')}\n${failed('192.0.2.7')}\n`);
  const status = await eventually(
    'its end is told',
    async () => {
      const now = await client.status().catch(() => undefined);
      return now?.caughtUp && now.sources.some(({ faults }) => faults.length > 0) ? now : undefined;
    },
    100_000,
  );
  expect(status.sources).toMatchObject([
    { kind: 'file', state: 'following' },
    { id: '-', kind: 'input', state: 'failed', lines: 2, faults: [{ code: 'E_INPUT_ENDED' }] },
  ]);
  writeFileSync(log, `${failed('192.0.2.7')}\n`);
  await eventually('the log is followed', async () => (await client.status()).jails[0]!.bansTotal === 1);
  child.kill('SIGTERM');
  expect((await ended(child)).code).toBe(0);
  takeBack();
});

test('anything but "-" is refused', async () => {
  const ran = await run(BAILIFF, [...argumentsFor({ logs: ['-'] }), 'auth.log']);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('"-" is standard input');
});
