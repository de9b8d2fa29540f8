// What comes next for an address that no jail would ban: through a real daemon, and as the command line tells it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HistoryView } from '../../../src/api/contract.ts';
import { startDaemon } from '../../support/daemon.ts';
import type { Daemon } from '../../support/daemon.ts';

let folder: string;
let daemon: Daemon;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-history-'));
  const jails = {
    all: { reports: true, maxRetry: 1 },
    choosy: { reports: true, maxRetry: 1, ignore: ['203.0.113.0/24', '2001:db8:1::/48'] },
  };
  daemon = await startDaemon({
    folder,
    config: JSON.stringify({ allow: ['198.51.100.0/24'], jails }),
    args: ['--firewall', 'memory', '--no-watch'],
  });
});
afterAll(async () => {
  await daemon?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const OWN = 'protected: 127.0.0.1 is an address of this host';
test.each([
  ['198.51.100.7', ['allowed by "198.51.100.0/24"', 'allowed by "198.51.100.0/24"']],
  ['203.0.113.7', [undefined, 'allowed by "203.0.113.0/24"']],
  ['2001:db8:1:2::7', [undefined, 'allowed by "2001:db8:1::/48"']],
  ['127.0.0.1', [OWN, OWN]],
  ['192.0.2.77', [undefined, undefined]],
])('history of %s says in which jails it never comes to a ban, and why', async (address, never) => {
  const { next } = JSON.parse((await daemon.verb('history', address, '--json')).stdout) as HistoryView;
  expect(next.map((each) => [each.jail, each.never])).toEqual([
    ['all', never[0]],
    ['choosy', never[1]],
  ]);
  const { stdout } = await daemon.verb('history', address);
  expect(stdout.split('\n').filter((line) => line.startsWith('next'))).toEqual(
    next.map(({ jail, never: why }) => `next\t${jail}\t1\t600${why === undefined ? '' : `\tnever: ${why}`}`),
  );
});
