// Applications report to a real daemon, many at a time while it is killed. Who may do so: roles.test.ts.
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/api/index.ts';
import type { HistoryView, Report, ReportOutcome } from '../../src/api/contract.ts';
import { commitsIn } from '../support/commits.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { eventually } from '../support/run.ts';

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

/** Sends one report on a connection that is kept. `sent` resolves when the kernel has it. */
function send(agent: Agent, report: Report): { sent: Promise<unknown>; answer: Promise<ReportOutcome[]> } {
  const outgoing = request({
    ...{ agent, socketPath: join(folder, 'run', 'report.sock'), method: 'POST', path: '/v1/reports' },
    headers: { 'content-type': 'application/json' },
  });
  const answer = once(outgoing, 'response').then(async ([incoming]) => {
    let text = '';
    for await (const piece of (incoming as IncomingMessage).setEncoding('utf8')) text += piece;
    return JSON.parse(text) as ReportOutcome[];
  });
  const sent = once(outgoing, 'finish');
  outgoing.end(JSON.stringify(report));
  return { sent, answer };
}

test('single reports of fifty clients share commits, and each is committed', async () => {
  const [CLIENTS, ROUNDS] = [50, 10];
  const config = { jails: { app: { reports: true, maxRetry: 100_000, findTime: '1d' } } };
  const options = { folder, config, args: ['--firewall', 'memory'] };
  daemon = await startDaemon(options);
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let commits = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = commitsIn(join(folder, 'state'));
    // All of them are there before the first can be answered: a slow machine would send them one by one.
    process.kill(daemon.pid, 'SIGSTOP');
    const reports = Array.from({ length: CLIENTS }, (_, n) =>
      send(agent, { jail: 'app', address: `203.0.113.${n}`, outcome: 'failure', id: `${n} ${round}` }),
    );
    await Promise.all(reports.map(({ sent }) => sent));
    daemon.wake();
    const answers = await Promise.all(reports.map(({ answer }) => answer));
    expect(answers.map(([answer]) => answer?.outcome)).toEqual(Array(CLIENTS).fill('counted'));
    commits += commitsIn(join(folder, 'state')) - before;
  }
  agent.destroy();
  // What was answered is in the ledger; what was not there yet would be lost now.
  await daemon.end('SIGKILL');
  daemon = await startDaemon(options);
  const counts = [];
  for (let n = 0; n < CLIENTS; n++) {
    const { offenders } = await daemon.get<HistoryView>(`/v1/history?address=203.0.113.${n}`);
    counts.push(offenders[0]?.count);
  }
  expect(counts).toEqual(Array(CLIENTS).fill(ROUNDS));
  expect(commits).toBeGreaterThan(0);
  // One a round if all goes well, and one a second whatever comes; far below one a report.
  expect(commits * 5).toBeLessThan(CLIENTS * ROUNDS);
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
          // As an application does that knows nothing of the daemon: it tries again after a moment.
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
