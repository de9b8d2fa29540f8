// Applications report to a real daemon, many at a time while it is killed. Who may do so: roles.test.ts.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/api/index.ts';
import type { HistoryView, ReportOutcome } from '../../src/api/contract.ts';
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
