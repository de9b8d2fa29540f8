// Applications report to a real daemon: under user ids of their own, and many at a time while it is killed.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/api/index.ts';
import type { HistoryView, ReportOutcome } from '../../src/api/contract.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { needs, program } from '../support/programs.ts';
import { eventually, run } from '../support/run.ts';

let folder: string;
let daemon: Daemon | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-e2e-reports-'));
  chmodSync(folder, 0o711);
});
afterEach(async () => {
  await daemon?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Numbers that no user and no group of a host has. */
const [USER, REPORTERS] = [61_234, 61_235];

needs(
  'root',
  'setpriv',
  'curl',
)('the group of report.sock', () => {
  /** @returns the status of the answer; 0 where the socket may not be opened. */
  async function ask(group: number, socket: string, path: string, body?: object): Promise<number> {
    const post = body && ['--header', 'content-type: application/json', '--data', JSON.stringify(body)];
    const { stdout } = await run(program('setpriv'), [
      ...['--reuid', String(USER), '--regid', String(group), '--clear-groups', program('curl'), '--silent'],
      ...['--output', '/dev/null', '--write-out', '%{http_code}', '--unix-socket'],
      ...[join(folder, 'run', `${socket}.sock`), ...(post ?? []), `http://bailiff${path}`],
    ]);
    return Number(stdout);
  }
  const report = { jail: 'app', address: '203.0.113.7', outcome: 'abuse' };

  test('may report, and neither see nor change; others may not even that', async () => {
    const config = { jails: { app: { reports: true } } };
    const args = ['--firewall', 'memory', '--report-group', String(REPORTERS)];
    daemon = await startDaemon({ folder, config, args });
    const asked: [string, string, object?][] = [
      ['report', '/v1/reports', report],
      ['report', '/v1/bans'],
      ['report', '/v1/status'],
      ['report', '/v1/history?address=203.0.113.7'],
      ['report', '/v1/bans', { addresses: ['203.0.113.9'] }],
      ['report', '/v1/attempts', { addresses: ['203.0.113.9'], jail: 'app' }],
      ['report', '/v1/teardown', {}],
      ['status', '/v1/status'],
      ['status', '/v1/reports', report],
      ['control', '/v1/reports', report],
    ];
    const answersOf = async (group: number): Promise<number[]> => {
      const answers = [];
      for (const each of asked) answers.push(await ask(group, ...each));
      return answers;
    };
    expect(await answersOf(REPORTERS)).toEqual([200, 403, 403, 403, 403, 403, 403, 0, 0, 0]);
    expect((await daemon.bans()).map(({ address }) => address)).toEqual(['203.0.113.7']);
    expect(await answersOf(USER)).toEqual(Array(10).fill(0));
  });

  test('that does not exist keeps the daemon from starting, with a word why', async () => {
    const args = ['--firewall', 'memory', '--report-group', 'no-such-group'];
    await expect(startDaemon({ folder, config: {}, args })).rejects.toThrow(/no group "no-such-group"/);
  });
});

test(
  'fifty clients report while the daemon is killed: each report counts once',
  { timeout: 240_000 },
  async () => {
    const [CLIENTS, REPORTS, BATCH] = [50, 60, 3];
    const config = { jails: { app: { reports: true, maxRetry: 100_000, findTime: '1d' } } };
    const options = { folder, config, args: ['--firewall', 'memory'] };
    daemon = await startDaemon(options);
    const client = createClient(join(folder, 'run'), 'report');
    let answered = 0;
    let unanswered = 0;
    const reportsOf = (n: number) =>
      Array.from({ length: REPORTS }, (_, i) => ({
        ...{ jail: 'app', address: `203.0.113.${n}`, outcome: 'failure' as const, id: `${n} ${i}` },
      }));
    const send = async (n: number): Promise<void> => {
      const reports = reportsOf(n);
      while (reports.length > 0) {
        try {
          const outcomes = await client.report({ reports: reports.slice(0, BATCH) });
          reports.splice(0, outcomes.length);
          answered += outcomes.length;
        } catch {
          unanswered++;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, n) => send(n));
    for (const share of [0.2, 0.5, 0.8]) {
      await eventually('some are answered', () => answered >= CLIENTS * REPORTS * share, 60_000);
      await daemon.end('SIGKILL');
      daemon = await startDaemon(options);
    }
    await Promise.all(clients);
    expect([answered, unanswered > 0]).toEqual([CLIENTS * REPORTS, true]);
    const counts = [];
    for (let n = 0; n < CLIENTS; n++) {
      const { offenders } = await daemon.get<HistoryView>(`/v1/history?address=203.0.113.${n}`);
      counts.push(offenders[0]?.count);
    }
    expect(counts).toEqual(Array(CLIENTS).fill(REPORTS));
    const again: ReportOutcome[] = await client.report({ reports: [0, 1, 2].flatMap(reportsOf) });
    expect(again.every(({ outcome, repeated }) => outcome === 'counted' && repeated)).toBe(true);
  },
);
