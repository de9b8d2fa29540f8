// A wall clock that jumps, and who believes it: the timekeeper by itself, then a whole daemon with its memory of bans. The
// jumps are simulated: the clock that is handed in is in the test's hand.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/api/index.ts';
import { openLedger, passBy, startDaemon } from '../../../src/daemon/index.ts';
import { createHousekeeping } from '../../../src/daemon/service/housekeeping.ts';
import { createTimekeeper } from '../../../src/daemon/service/timekeeper.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createExec, createInput } from '../../../src/daemon/system.ts';
import { createFirewall } from '../../../src/firewall/index.ts';
import type { Upkeep } from '../../../src/ledger/contract.ts';
import { silentLog } from '../../../src/ports.ts';
import { takenAsProven, prepareSetup } from '../../../src/setup/index.ts';
import { ROOT } from '../../support/checkout.ts';
import { temporaryFolder } from '../../support/leftovers.ts';
import { lonelyHost } from '../../support/lonely-host.ts';
import { eventually } from '../../support/run.ts';
import { createTestClock } from '../clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-29T00:30:00Z');

/** Wall time that can be set, and a host that can sleep: then its timers and `monotonic` stand still. */
function createHostClock() {
  const steady = createTestClock(START);
  let set = 0;
  let slept = 0;
  return {
    ...steady,
    now: () => steady.now() + set + slept,
    sinceBoot: () => steady.monotonic() + slept,
    jump: (by: number) => void (set += by),
    sleep: (by: number) => void (slept += by),
  };
}

interface Event {
  readonly jump?: number;
  readonly sleep?: number;
  /** Looked at every minute meanwhile. */
  readonly pass?: number;
}

const ROWS: readonly {
  readonly what: string;
  readonly events: readonly Event[];
  /** How far it is doubted at the end; undefined: it is believed. */
  readonly doubted?: number;
  /** By how much sentences lag behind the wall clock at the end. */
  readonly held?: number;
}[] = [
  { what: 'time that passes', events: [{ pass: DAY }] },
  { what: 'a sleep of eight hours', events: [{ sleep: 8 * HOUR }, { pass: MINUTE }] },
  { what: 'a step of four minutes', events: [{ jump: 4 * MINUTE }] },
  {
    what: 'a step of four minutes and, days later, another',
    events: [{ jump: 4 * MINUTE }, { pass: 4 * DAY }, { jump: 4 * MINUTE }],
  },
  {
    what: 'three steps of two minutes, each within the bound',
    events: [
      { jump: 2 * MINUTE },
      { pass: MINUTE },
      { jump: 2 * MINUTE },
      { pass: MINUTE },
      { jump: 2 * MINUTE },
    ],
    doubted: 6 * MINUTE,
    held: 6 * MINUTE,
  },
  { what: 'a jump forward', events: [{ jump: DAY }], doubted: DAY, held: DAY },
  { what: 'a jump back', events: [{ jump: -DAY }], doubted: -DAY, held: 0 },
  {
    what: 'a jump forward that is taken back',
    events: [{ jump: DAY }, { pass: 30 * MINUTE }, { jump: -DAY }],
  },
  {
    what: 'a jump forward that stands for an hour',
    events: [{ jump: DAY }, { pass: 59 * MINUTE }],
    doubted: DAY,
    held: DAY,
  },
  {
    what: 'a jump forward that has stood for more than an hour',
    events: [{ jump: DAY }, { pass: 62 * MINUTE }],
  },
  {
    what: 'a jump back that has stood for more than an hour',
    events: [{ jump: -DAY }, { pass: 62 * MINUTE }],
  },
  {
    what: 'a second jump half an hour after the first',
    events: [{ jump: DAY }, { pass: 40 * MINUTE }, { jump: HOUR }, { pass: 40 * MINUTE }],
    doubted: DAY + HOUR,
    held: DAY + HOUR,
  },
  { what: 'a sleep while it is doubted', events: [{ jump: DAY }, { pass: MINUTE }, { sleep: 2 * HOUR }] },
];

describe('the wall clock after', () => {
  test.each(ROWS)('$what', ({ events, doubted, held = 0 }) => {
    const clock = createHostClock();
    const timekeeper = createTimekeeper(clock);
    for (const { jump = 0, sleep = 0, pass = 0 } of events) {
      clock.jump(jump);
      clock.sleep(sleep);
      for (let left = pass; left > 0; left -= MINUTE) {
        clock.advance(Math.min(left, MINUTE));
        timekeeper.sentences.now();
      }
    }
    const seconds = (duration: number | undefined) => duration && Math.round(duration / 10_000);
    expect(seconds(timekeeper.parted?.by)).toBe(seconds(doubted));
    expect(seconds(clock.now() - timekeeper.sentences.now())).toBe(seconds(held));
  });
});

test('an instant by a doubted clock is in whole milliseconds: the ledger takes no other', () => {
  const clock = createHostClock();
  let passed = 0.37;
  const timekeeper = createTimekeeper({ ...clock, sinceBoot: () => clock.sinceBoot() + passed });
  clock.jump(DAY);
  passed += 0.25;
  expect(timekeeper.parted).toBeDefined();
  expect(timekeeper.sentences.now()).toBe(START);
});

test('history is not forgotten by the age that a doubted clock gives it', async () => {
  const clock = createHostClock();
  const timekeeper = createTimekeeper(clock);
  let asked = 0;
  const upkeep: Upkeep = {
    between: async (step) => step(),
    forgetBans: () => (asked++, 0),
    forgetProofs: () => 0,
    size: () => ({ bytes: 0, free: 0 }),
    giveBack: () => 0,
    checkpoint: () => Promise.resolve(),
    settle: () => Promise.resolve(),
    isLogLong: () => false,
    holdBack() {},
  };
  const ports = { clock, log: silentLog, faults: createFaults(clock), rounds: undefined, timekeeper };
  const housekeeping = createHousekeeping(upkeep, { keep: DAY, maxSize: 1e9 }, ports);
  clock.jump(400 * DAY);
  await housekeeping.run('age');
  expect(asked).toBe(0);
  clock.jump(-400 * DAY);
  await housekeeping.run('age');
  expect(asked).toBe(1);
});

/** A daemon on such a clock, whose kernel runs by it too. */
async function startOn(clock: ReturnType<typeof createHostClock>) {
  const folder = temporaryFolder('timekeeper');
  onTestFinished(() => folder.remove());
  mkdirSync(join(folder.path, 'run'), { mode: 0o711 });
  const configFile = join(folder.path, 'jails.json');
  const jail = {
    filter: 'nginx-login',
    logs: [join(folder.path, 'access.log')],
    maxRetry: 2,
    banTime: '10m',
  };
  writeFileSync(configFile, JSON.stringify({ jails: { login: jail } }), { mode: 0o600 });
  const prepared = prepareSetup({
    ...{ configFile, shippedFilters: join(ROOT, 'filters'), version: 'test', proofs: takenAsProven },
    trusted: { uid: process.geteuid!() },
  });
  if (!prepared.ok) throw new Error('the config is faulty');
  const timekeeper = createTimekeeper(clock);
  const kernel = createFirewall('memory', {
    exec: createExec(),
    clock: timekeeper.sentences,
    log: silentLog,
  });
  const daemon = await startDaemon(
    {
      ...{ setup: prepared.setup, prepare: () => prepared, watchConfig: false, firewall: kernel },
      ...{ ledger: openLedger(join(folder.path, 'state')), runtime: join(folder.path, 'run') },
      ...{ neverEnforce: false, statusGroup: undefined, reportGroup: undefined },
      ...{ version: 'test', asksForInput: false },
    },
    {
      ...{ clock, timekeeper, log: silentLog, exec: createExec(), input: createInput },
      ...{ host: lonelyHost, at: passBy },
    },
  );
  onTestFinished(() => daemon.stop());
  const client = createClient(join(folder.path, 'run'));
  const ban = (address: string, length = '10m') => client.ban({ addresses: [address], for: length });
  const inForce = async () => (await client.bans({})).items.map(({ address }) => address);
  const faults = async () => (await client.status()).faults.map(({ code }) => code);
  /** Both clocks go on, a few seconds at a time, as timers would have it. */
  async function pass(duration: number): Promise<void> {
    for (let left = duration; left > 0; left -= 30_000) {
      clock.advance(Math.min(left, 30_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { client, kernel, ban, inForce, faults, pass };
}

describe('a daemon whose clock', () => {
  test('jumps a day ahead releases nobody by it and says so, and goes on when it is set right', async () => {
    const clock = createHostClock();
    const { client, kernel, ban, inForce, faults, pass } = await startOn(clock);
    await ban('192.0.2.7');
    await client.attempt({ addresses: ['192.0.2.9'], jail: 'login' });
    await pass(MINUTE);
    clock.jump(DAY);
    await pass(2 * MINUTE);
    expect(await inForce()).toEqual(['192.0.2.7']);
    expect((await client.history('192.0.2.9')).offenders).toMatchObject([{ count: 1 }]);
    expect([...(await kernel.list())]).toHaveLength(1);
    expect(await faults()).toEqual(['W_CLOCK_PARTED']);
    // Whoever is banned now is banned by the new time.
    await ban('192.0.2.8');
    // His time is up by both clocks: the sentence was ten minutes.
    await pass(8 * MINUTE);
    expect(await inForce()).toEqual(['192.0.2.8']);
    clock.jump(-DAY);
    await pass(MINUTE);
    expect(await faults()).toEqual([]);
    expect(await inForce()).toEqual(['192.0.2.8']);
  });

  test('jumps a day ahead for good is believed after an hour, and bans go on by it', async () => {
    const clock = createHostClock();
    const { ban, inForce, faults, pass } = await startOn(clock);
    await ban('192.0.2.7', '20h');
    clock.jump(DAY);
    await pass(59 * MINUTE);
    expect(await inForce()).toEqual(['192.0.2.7']);
    await pass(5 * MINUTE);
    expect(await faults()).toEqual([]);
    await eventually('he is released', async () => (await inForce()).length === 0);
  });

  test('jumps back holds everybody until his time is up by it', async () => {
    const clock = createHostClock();
    const { kernel, ban, inForce, faults, pass } = await startOn(clock);
    await ban('192.0.2.7');
    clock.jump(-30 * MINUTE);
    await ban('192.0.2.8');
    await pass(5 * MINUTE);
    expect(await faults()).toEqual(['W_CLOCK_PARTED']);
    expect((await inForce()).toSorted()).toEqual(['192.0.2.7', '192.0.2.8']);
    expect([...(await kernel.list())]).toHaveLength(2);
    await pass(6 * MINUTE);
    expect(await inForce()).toEqual(['192.0.2.7']);
    await pass(30 * MINUTE);
    expect(await inForce()).toEqual([]);
  });

  test('stands still while the host sleeps releases those whose time is up, and doubts nothing', async () => {
    const clock = createHostClock();
    const { kernel, ban, inForce, faults, pass } = await startOn(clock);
    await ban('192.0.2.7');
    await ban('192.0.2.8', '9h');
    clock.sleep(8 * HOUR);
    // One second of the timers is enough.
    await pass(2_000);
    await eventually('he is released', async () => (await inForce()).join() === '192.0.2.8');
    await eventually('the kernel too', async () => [...(await kernel.list())].length === 1);
    expect(await faults()).toEqual([]);
  });
});
