// The ledger stays under its bound however many bans there are, and nothing else waits for that.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRounds, openLedger } from '../../../src/daemon/index.ts';
import { createFaults, type Faults } from '../../../src/daemon/telling/faults.ts';
import { createHousekeeping, rulesOf } from '../../../src/daemon/service/housekeeping.ts';
import type { Ledger, Upkeep } from '../../../src/ledger/contract.ts';
import { silentLog, type Log, type Round, type Rounds } from '../../../src/ports.ts';
import { ban, commitOf, event, offender, T0 } from '../../ledger/nouns.ts';
import { startDaemon } from '../../support/daemon.ts';
import { temporaryFolder, type TemporaryFolder } from '../../support/leftovers.ts';
import { eventually } from '../../support/run.ts';
import { createTestClock, type TestClock } from '../clock.ts';
import { rememberedBy } from '../../support/remembered.ts';

const MIB = 1_024 * 1_024;
const DAY = 86_400_000;

let folder: TemporaryFolder;
let ledger: Ledger | undefined;
let clock: TestClock;
let faults: Faults;

beforeEach(() => {
  folder = temporaryFolder('housekeeping');
  clock = createTestClock(T0 + 400 * DAY);
  faults = createFaults(clock);
});
afterEach(() => {
  ledger?.close();
  ledger = undefined;
  folder.remove();
});

const open = (): Ledger => (ledger = openLedger(join(folder.path, 'state')));
const fileSize = (): number => statSync(join(folder.path, 'state/ledger.sqlite')).size;

/** Ended bans of about 1.7 KB each; the one with number n ended n seconds after T0. */
async function fill(to: Ledger, from: number, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => from + index);
  const bans = ids.map((id) =>
    ban(id, `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}`, {
      endedAt: T0 + id * 1_000,
      endedBy: 'expired',
      evidence: [{ file: '/var/log/a', line: 1, at: T0, text: 'x'.repeat(1_000) }],
    }),
  );
  await to.commit(commitOf({ bans, events: ids.flatMap((id) => [event(id), event(id)]) }), false);
}

const idsOf = (of: Ledger): number[] => of.bans({ all: true, limit: 1_000_000 }).map(({ id }) => id);

function keeper(
  upkeep: Upkeep,
  rules: { keep?: number; maxSize?: number } = {},
  rounds?: Rounds,
  log: Log = silentLog,
) {
  return createHousekeeping(
    upkeep,
    { keep: rules.keep ?? Infinity, maxSize: rules.maxSize ?? 1_000 * MIB },
    { clock, log, faults, rounds },
  );
}

describe('history', () => {
  it('is forgotten by age, to the second', async () => {
    const of = open();
    await fill(of, 1, 300);
    const housekeeping = keeper(of.upkeep, { keep: 400 * DAY - 100_000 });
    await housekeeping.run('age');
    expect(idsOf(of)[0]).toBe(101);
    expect(idsOf(of)).toHaveLength(200);
    housekeeping.change({ keep: Infinity, maxSize: 1_000 * MIB });
    clock.advance(10_000 * DAY);
    await housekeeping.run('age');
    expect(idsOf(of)).toHaveLength(200);
  });

  it('is kept as long as any sentence may hang on it', () => {
    const termOf = (forget: number) => ({ first: DAY, factor: 1, max: DAY, forget, scope: 'jail' as const });
    const kept = (keep: number, ...[first = 0, ...others]: number[]): number =>
      rulesOf({
        history: { keep, maxSize: MIB },
        banTime: termOf(first),
        jails: others.map((forget) => ({ banTime: termOf(forget) })),
      }).keep;
    expect(kept(DAY, 7 * DAY, 30 * DAY, 8 * DAY)).toBe(30 * DAY);
    expect(kept(365 * DAY, 30 * DAY)).toBe(365 * DAY);
    expect(kept(365 * DAY, DAY, Infinity)).toBe(Infinity);
  });

  it('keeps the file under its bound while bans come in without end; the newest are there', async () => {
    const of = open();
    const maxSize = 16 * MIB;
    const housekeeping = keeper(of.upkeep, { maxSize });
    const sizes: number[] = [];
    const rounds = 50;
    for (let round = 0; round < rounds; round++) {
      await fill(of, round * 500 + 1, 500);
      await housekeeping.run('size');
      sizes.push(fileSize());
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxSize);
    // Without housekeeping it would be well over.
    const ids = idsOf(of);
    expect(ids.at(-1)).toBe(rounds * 500);
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => ids[0]! + index));
    expect((rounds * 500) / ids.length).toBeGreaterThan(1.5);
    expect(ids.length).toBeGreaterThan(3_000);
    expect(faults.list()).toEqual([]);
  }, 120_000);

  it('that can not be made shorter is a fault, until there is room again', async () => {
    const of = open();
    const offenders = Array.from({ length: 3_000 }, (_, n) =>
      offender(`10.0.${n >> 8}.${n & 255}`, {
        evidence: [{ file: '/a', line: 1, at: T0, text: 'x'.repeat(6_000) }],
      }),
    );
    await of.commit(commitOf({ offenders }), false);
    await fill(of, 1, 3);
    const housekeeping = keeper(of.upkeep, { maxSize: 16 * MIB });
    await housekeeping.run('size');
    expect(faults.list()).toMatchObject([
      { code: 'W_LEDGER_LARGE', message: expect.stringContaining('of the 16') },
    ]);
    expect(rememberedBy(of).offenders).toHaveLength(3_000);
    expect(idsOf(of)).toEqual([3]);
    housekeeping.change({ keep: Infinity, maxSize: 64 * MIB });
    await housekeeping.run('size');
    expect(faults.list()).toEqual([]);
  });
});

describe('room', () => {
  it('is given back where it is much, and left for what comes where it is little', async () => {
    const of = open();
    await fill(of, 1, 9_000);
    const housekeeping = keeper(of.upkeep, { maxSize: 16 * MIB });
    await of.upkeep.checkpoint();
    const full = fileSize();
    of.upkeep.forgetBans(Infinity, 500);
    await housekeeping.run('room');
    expect(of.upkeep.size().bytes).toBe(full);
    of.upkeep.forgetBans(Infinity, 8_000);
    await housekeeping.run('room');
    await housekeeping.run('checkpoint');
    expect(of.upkeep.size().free).toBe(0);
    expect(fileSize() / full).toBeLessThan(0.2);
  });
});

describe('a slice', () => {
  /** A ledger of `count` bans, each of which takes a millisecond of the test's clock to forget. */
  function slow(count: number): { upkeep: Upkeep; slices: number[]; turns(): number } {
    const slices: number[] = [];
    let left = count;
    let turns = 0;
    const turn = (): void => {
      turns++;
      if (left > 0) setImmediate(turn);
    };
    setImmediate(turn);
    return {
      slices,
      turns: () => turns,
      upkeep: {
        between: async (step) => step(),
        forgetBans(_before, limit) {
          const done = Math.min(limit, left);
          left -= done;
          clock.advance(done);
          slices.push(done);
          return done;
        },
        forgetProofs: () => 0,
        size: () => ({ bytes: 0, free: 0 }),
        giveBack: () => 0,
        checkpoint: async () => {},
        settle: async () => {},
        isLogLong: () => false,
        holdBack() {},
      },
    };
  }

  it('becomes so short that it takes a few milliseconds, and the event loop turns between any two', async () => {
    const { upkeep, slices, turns } = slow(500);
    await keeper(upkeep, { keep: DAY }).run('age');
    expect(slices.reduce((sum, one) => sum + one)).toBe(500);
    expect(Math.max(...slices.slice(2))).toBeLessThanOrEqual(8);
    expect(turns()).toBeGreaterThanOrEqual(slices.length - 5);
  });

  it('is the last one once it was stopped', async () => {
    const { upkeep, slices } = slow(500);
    const housekeeping = keeper(upkeep, { keep: DAY });
    void housekeeping.run('age');
    await new Promise((resolve) => setImmediate(resolve));
    await housekeeping.stop();
    const count = slices.length;
    expect(count).toBeLessThan(10);
    await housekeeping.run('age');
    expect(slices).toHaveLength(count);
  });

  it('that fails is told, and the chore comes round again', async () => {
    const { upkeep, slices } = slow(10);
    const told: string[] = [];
    let isFull = true;
    const housekeeping = keeper(
      {
        ...upkeep,
        forgetBans(...all) {
          if (isFull) throw Object.assign(new Error('x'), { code: 'SQLITE_FULL' });
          return upkeep.forgetBans(...all);
        },
      },
      { keep: DAY },
      undefined,
      { ...silentLog, warn: (facts, message) => void told.push(`${message} ${JSON.stringify(facts)}`) },
    );
    await housekeeping.run('age');
    expect(told).toEqual(['housekeeping failed {"chore":"age","why":"SQLITE_FULL"}']);
    isFull = false;
    await housekeeping.run('age');
    expect(slices).toEqual([10]);
  });
});

describe('the schedule', () => {
  it('does every chore, and none after the end', async () => {
    const planned: { when: Round; task: () => void; cancelled: boolean }[] = [];
    const rounds: Rounds = (when, task) => {
      const entry = { when, task, cancelled: false };
      planned.push(entry);
      return () => void (entry.cancelled = true);
    };
    const done: string[] = [];
    const of = open();
    const housekeeping = keeper(
      {
        ...of.upkeep,
        size: () => (done.push('size'), of.upkeep.size()),
        forgetProofs: () => (done.push('age'), 0),
        checkpoint: async () => void done.push('checkpoint'),
      },
      {},
      rounds,
    );
    expect(planned).toHaveLength(0);
    housekeeping.begin();
    for (const { task } of planned) task();
    await housekeeping.stop();
    expect(planned.every(({ cancelled }) => cancelled)).toBe(true);
    expect(done.length).toBeLessThanOrEqual(planned.length);
    expect(planned).toHaveLength(4);
  });

  it('comes round by the clock on the wall, also when that is set', () => {
    let [set, seen] = [0, ''];
    const passing = createTestClock(Date.UTC(2026, 0, 5, 10, 5, 50));
    const now = (): number => passing.now() + set;
    const rounds = createRounds({ ...passing, now });
    const tell = (what: string) => () =>
      void (seen += `${what} ${new Date(now()).toISOString().slice(11, 19)} `);
    const cancels = [
      rounds({ every: 60_000, at: 41_000 }, tell('minute')),
      rounds({ every: 3_600_000, at: 437_000 }, tell('hour')),
    ];
    passing.advance(120_000);
    expect(seen).toBe('minute 10:06:41 hour 10:07:17 minute 10:07:41 ');
    seen = '';
    // Half an hour on: what would have come meanwhile comes once, with the next look at the clock.
    set = 1_800_000;
    passing.advance(60_000);
    expect(seen).toBe('minute 10:38:41 ');
    seen = '';
    for (const cancel of cancels) cancel();
    passing.advance(3_600_000);
    expect(seen).toBe('');
  });

  it('holds in a running daemon: a ledger over its bound shrinks by itself', async () => {
    const of = open();
    for (let part = 0; part < 20; part++) await fill(of, part * 600 + 1, 600);
    of.close();
    ledger = undefined;
    const full = fileSize();
    expect(full).toBeGreaterThan(16 * MIB);
    mkdirSync(join(folder.path, 'logs'));
    writeFileSync(join(folder.path, 'logs/a.log'), '');
    const daemon = await startDaemon({
      folder: folder.path,
      config: {
        history: { maxSize: 16, keep: 'forever' },
        jails: { a: { filter: 'sshd', logs: [join(folder.path, 'logs/a.log')] } },
      },
      args: ['--firewall', 'memory'],
    });
    await eventually(
      'history was forgotten',
      () => daemon.output().includes('history forgotten for want of room'),
      120_000,
    );
    const { items, next } = await daemon.get<{ items: { id: number }[]; next?: string }>('/v1/bans?all=true');
    expect([items.length, next !== undefined]).toEqual([1_000, true]);
    expect(items[0]!.id).toBeGreaterThan(1);
    expect(await daemon.end()).toBe(0);
    const after = open();
    expect(after.upkeep.size().bytes - after.upkeep.size().free).toBeLessThanOrEqual(16 * MIB);
    expect(idsOf(after).at(-1)).toBe(12_000);
  }, 180_000);
});
