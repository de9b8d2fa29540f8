// What was decided is told to the kernel and committed: at once, and a moment later where the last commit took long.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/address.ts';
import { createBans } from '../../src/daemon/bans.ts';
import { createCommitter } from '../../src/daemon/committer.ts';
import { createHandingOver } from '../../src/daemon/handing-over.ts';
import { createRegulars } from '../../src/daemon/intake/regulars.ts';
import { createSessions } from '../../src/daemon/intake/sessions.ts';
import { createReportMemory } from '../../src/daemon/reports/report-memory.ts';
import { createFaults } from '../../src/daemon/telling/faults.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { silentLog } from '../../src/ports.ts';
import { createTestClock } from './clock.ts';

const NOW = Date.UTC(2026, 0, 5);

const POSITION = { kind: 'journal', id: 'journal', cursor: 'c', since: NOW, lines: 1, broken: [] } as const;

/** A daemon's way from a chunk to the kernel. @param took milliseconds that each commit takes. */
function way(took: number) {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-handing-'));
  const clock = createTestClock(NOW);
  const ledger = openLedger(folder);
  onTestFinished(() => {
    ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const slow: typeof ledger = {
    ...ledger,
    async commit(...all) {
      await ledger.commit(...all);
      clock.advance(took);
    },
  };
  const bans = createBans([], 1);
  const committer = createCommitter(
    slow,
    () => [],
    createSessions([]),
    bans,
    createReportMemory(ledger),
    { regulars: createRegulars(), brakes: { takeDirty: () => ({ brakes: [] }), restore() {}, rewrite() {} } },
    { clock, log: silentLog, faults: createFaults(clock), at() {} },
  );
  const committed = (): number => ledger.bans({ limit: 100 }).length;
  /** How many were committed each time that the kernel was told. */
  const told: number[] = [];
  /** Whether it was told that no more come. */
  const lasts: boolean[] = [];
  /** While set, the kernel doesn't answer. */
  const kernel: { answers?: Promise<void> } = {};
  const enforce = async (isLast: boolean): Promise<void> => {
    lasts.push(isLast);
    told.push(committed());
    await kernel.answers;
  };
  const fail = (error: unknown): void => {
    throw error;
  };
  const handing = createHandingOver({ committer, bans }, enforce, clock, fail);
  onTestFinished(() => handing.stop());
  let last = 0;
  const chunk = (live = true, isKept = true, tell = (): void => {}): Promise<void> => {
    const ban = {
      jail: 'sshd',
      since: NOW,
      until: NOW + 60_000,
      nth: 1,
      reason: 'r',
      by: 'jail',
      evidence: [],
    };
    bans.impose({ ...ban, address: parseAddress(`192.0.2.${++last}`)!, scope: undefined }, NOW);
    return handing.after({ commitFirst: false, live, position: isKept ? POSITION : undefined }, tell);
  };
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, chunk, told, lasts, committed, settled, kernel, handing, stop: handing.stop };
}

test('the kernel is told of a ban at once, and while it works the ban is committed', async () => {
  const { chunk, told, committed, settled } = way(0);
  await chunk();
  expect(told[0]).toBe(0);
  await settled();
  expect(committed()).toBe(1);
  await chunk();
  await settled();
  expect(committed()).toBe(2);
});

test('after a commit that took long the next ones wait, together, for a second at most, and the kernel doesn’t', async () => {
  const { chunk, told, committed, clock, settled } = way(800);
  await chunk();
  await settled();
  const before = told.length;
  await chunk();
  await chunk();
  expect(told).toHaveLength(before + 2);
  clock.advance(999);
  await settled();
  expect(committed()).toBe(1);
  clock.advance(1);
  await settled();
  expect(committed()).toBe(3);
});

test('they wait for nine times as long as it took where that is less', async () => {
  const { chunk, committed, clock, settled } = way(5);
  await chunk();
  await settled();
  await chunk();
  clock.advance(44);
  await settled();
  expect(committed()).toBe(1);
  clock.advance(1);
  await settled();
  expect(committed()).toBe(2);
});

test('the commit leaves the processor to the kernel’s program until it has answered, for 200 ms at most', async () => {
  const { chunk, committed, clock, settled, kernel } = way(0);
  const { promise, resolve } = Promise.withResolvers<void>();
  kernel.answers = promise;
  await chunk();
  await settled();
  expect(committed()).toBe(0);
  resolve();
  await settled();
  expect(committed()).toBe(1);
  kernel.answers = new Promise(() => {});
  await chunk();
  clock.advance(199);
  await settled();
  expect(committed()).toBe(1);
  clock.advance(1);
  await settled();
  expect(committed()).toBe(2);
});

test('while there is more to read the commit waits, for a second at most, unless it can’t be read twice', async () => {
  const { chunk, committed, clock, settled, lasts, handing } = way(0);
  await chunk(false);
  clock.advance(999);
  await settled();
  expect(committed()).toBe(0);
  expect(handing.isSet).toBe(true);
  clock.advance(1);
  await settled();
  expect(committed()).toBe(1);
  expect([lasts[0], handing.isSet]).toEqual([false, false]);
  await chunk(false);
  await chunk(true);
  await settled();
  expect(committed()).toBe(3);
  await chunk(false, false);
  await settled();
  expect(committed()).toBe(4);
});

test('once stopped it writes nothing behind the back of who closes the ledger, and what was to be told is told', async () => {
  const { chunk, committed, settled, stop } = way(0);
  const told: string[] = [];
  await chunk(true, true, () => told.push('ban'));
  stop();
  await settled();
  expect(committed()).toBe(0);
  expect(told).toEqual(['ban']);
});
