// A day of a busy server, with time moved and not waited for: attacks, rotations, reloads. Memory and database are as large
// in the evening as in the morning, and at every hour the kernel holds what the ledger says.
// BAILIFF_DAY=whole looks every minute and writes ten times as much.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import type { BanView } from '../../src/api/contract.ts';
import { openLedger } from '../../src/daemon/index.ts';
import { createExec } from '../../src/daemon/system.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import { silentLog } from '../../src/ports.ts';
import type { Round } from '../../src/ports.ts';
import { takenAsProven, prepareSetup } from '../../src/setup/index.ts';
import type { Setup } from '../../src/setup/index.ts';
import { createTimers, createWorld } from './clock.ts';
import { ALLOWED, startLife } from './life.ts';
import type { Life } from './life.ts';
import { authLine, createWriter } from './logs.ts';
import type { Attempt } from './logs.ts';
import { DAY, HOUR, MINUTE, SECOND } from './steps.ts';

const isWhole = process.env['BAILIFF_DAY'] === 'whole';
const STEP = isWhole ? MINUTE : 15 * MINUTE;
/** In each step. */
const [ATTACKERS, STRANGERS, GOOD] = isWhole ? [40, 300, 60] : [15, 60, 25];
/** After so long the same addresses come again: by then they are forgotten, and what only remembers texts has seen them all. */
const ROUND = (6 * HOUR) / STEP;
const ROTATED_KEPT = 3;
const START = Date.parse('2026-06-15T00:00:00Z');

const folder = mkdtempSync(join(tmpdir(), 'bailiff-day-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The heap after everything was collected that can be, in bytes. */
const heap = ((): (() => number) => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  return () => {
    gc();
    return process.memoryUsage().heapUsed;
  };
})();

function prepare(): Setup {
  for (const name of ['state', 'run', 'logs']) mkdirSync(join(folder, name), { mode: 0o711 });
  const config = {
    defaults: { protectAfterSuccess: 0, banTime: { first: '40m', factor: 2, max: '2h', forget: '2h' } },
    // Less than comes between two looks, so that room is made all day.
    limits: { offendersPerJail: 1_000, offenders: 1_000 },
    history: { keep: '2h', maxSize: 16 },
    allow: [ALLOWED],
    jails: {
      sshd: { filter: 'sshd', logs: [join(folder, 'logs', 'auth.log')], zone: 'UTC', findTime: '10m' },
      slow: {
        filter: 'sshd',
        logs: [join(folder, 'logs', 'auth.log')],
        zone: 'UTC',
        findTime: '4h',
        maxRetry: 9,
        ports: [22],
      },
    },
  };
  writeFileSync(join(folder, 'jails.json'), JSON.stringify(config), { mode: 0o600 });
  const result = prepareSetup({
    ...{
      configFile: join(folder, 'jails.json'),
      shippedFilters: join(import.meta.dirname, '..', '..', 'filters'),
    },
    ...{ trusted: { uid: process.geteuid!() }, proofs: takenAsProven, version: 'model' },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.setup;
}

/** What one step brings: new attackers who get themselves banned, strangers who come once, people who log in. */
function traffic(step: number, now: number): Attempt[] {
  const stamp = Math.floor(now / SECOND) * SECOND;
  const address = (net: string, n: number): string =>
    `${net}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  const many = (net: string, count: number, bad: boolean): Attempt[] =>
    Array.from({ length: count }, (_, i) => ({
      who: address(net, (step % ROUND) * count + i),
      stamp,
      said: bad ? ('failure' as const) : ('nothing' as const),
    }));
  const attackers = many('10', ATTACKERS, true);
  // One of them comes back all day, and is banned for longer each time.
  const regular: Attempt = { who: '192.0.2.7', stamp, said: 'failure' };
  return [
    ...many('11', STRANGERS, true),
    ...Array.from({ length: 5 }, () => [...attackers, regular]).flat(),
    ...many('12', GOOD, false),
  ];
}

async function openBans({ client }: Life): Promise<BanView[]> {
  const bans: BanView[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page = await client.bans(after === undefined ? {} : { after });
    bans.push(...page.items);
    after = page.next;
  }
  return bans;
}

test(
  'twenty-four hours leave memory and database as they are, and the kernel as the ledger says',
  { timeout: isWhole ? 0 : 240_000 },
  async () => {
    const setup = prepare();
    const world = createWorld(START);
    const kernel = createFirewall('memory', {
      exec: createExec(),
      clock: createTimers(world),
      log: silentLog,
    });
    const chores: (() => void)[] = [];
    const rounds = (_: Round, chore: () => void) => (chores.push(chore), () => {});
    const log = join(folder, 'logs', 'auth.log');
    let written = 0;
    const writer = createWriter(log, authLine, () => written++);
    const life = await startLife({ folder, setup, kernel, world, rounds, deaths: 0 });
    const hours: { heap: number; ledger: number }[] = [];
    let rotations = 0;

    async function rotate(hour: number): Promise<void> {
      if (hour % 2 === 0) writer.rename(traffic(100_000 + hour, world.now()).slice(0, 5));
      else writer.copyTruncate();
      rotations++;
      rmSync(`${log}.${ROTATED_KEPT + 1}`, { force: true });
      await life.settle();
    }

    async function review(): Promise<void> {
      for (const chore of chores) chore();
      await breathe();
      // After it everything is told; and what the day has done is no ban of the kernel's that the ledger doesn't know.
      await life.settle();
      const bans = await openBans(life);
      const wanted = new Set(bans.map(({ jail, address }) => `${jail === 'slow' ? '22' : ''} ${address}`));
      const blocked = [...(await kernel.list())].map(
        ({ scope, network }) => `${scope.ports.join()} ${network.text}`,
      );
      expect(blocked.toSorted()).toEqual([...wanted].toSorted());
      const status = await life.client.status();
      expect(status.bounds!.filter(({ held, most }) => held > (most ?? Infinity))).toEqual([]);
      const ledger = status.bounds!.find(({ what }) => what === 'ledger')!.held;
      hours.push({ heap: heap(), ledger });
    }

    try {
      for (let passed = 0, step = 0; passed < DAY; passed += STEP, step++) {
        writer.append(traffic(step, world.now()), step % 3 === 0 ? 9 : 0);
        await life.settle();
        if (passed % (3 * HOUR) === 2 * HOUR) await rotate(passed / HOUR);
        if (passed % (5 * HOUR) === HOUR) await life.client.reload({});
        // The timers run several times in a step: what is due in it comes one after the other.
        for (let part = 0; part < 3; part++) {
          world.pass(STEP / 3);
          life.runTimers();
          await breathe();
        }
        await life.settle();
        if ((passed + STEP) % HOUR === 0) await review();
      }
      writer.finish();
      await life.settle();
      const { jails, sources, faults } = await life.client.status();
      expect(hours).toHaveLength(24);
      expect(rotations).toBe(8);
      expect(sources[0]!.lines).toBe(written);
      // All who attacked were banned.
      const steps = DAY / STEP;
      expect(jails[0]!.bansTotal).toBeGreaterThanOrEqual(steps * ATTACKERS);
      expect(jails.reduce((sum, { evicted }) => sum + evicted, 0)).toBeGreaterThan(0);
      expect(faults.filter(({ code }) => code !== 'W_OFFENDERS_EVICTED')).toEqual([]);
      if (process.env['BAILIFF_DAY']) console.log(hours);
      // The first hours fill what is remembered.
      const most = (of: (hour: (typeof hours)[number]) => number, from: number, to: number): number =>
        Math.max(...hours.slice(from, to).map(of));
      expect(most((hour) => hour.heap, 18, 24) / most((hour) => hour.heap, 6, 12)).toBeLessThan(1.06);
      expect(most((hour) => hour.ledger, 18, 24) / most((hour) => hour.ledger, 6, 12)).toBeLessThan(1.25);
      expect(existsSync(`${log}.${ROTATED_KEPT}`)).toBe(true);
    } finally {
      await life.end();
    }
    const ledger = openLedger(join(folder, 'state', '0'));
    // The log, and the rotated files that are still there or have only just gone.
    expect(ledger.load().positions.length).toBeLessThanOrEqual(ROTATED_KEPT + 2);
    ledger.close();
  },
);
