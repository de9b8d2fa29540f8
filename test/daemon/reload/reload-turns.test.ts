// Reloads wait for each other: many that ask for the same are one, and none outlives the daemon.
import { expect, test } from 'vitest';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createReloader } from '../../../src/daemon/reload/reload.ts';
import type { ReloadParts } from '../../../src/daemon/reload/reload.ts';
import { silentLog } from '../../../src/ports.ts';
import type { Setup, SetupResult } from '../../../src/setup/index.ts';
import { createTestClock } from '../clock.ts';

const NOTHING_NEW = { added: [], removed: [], changed: [], sources: [] };
// Nothing here looks into it.
const setup = { config: { jails: [] }, jails: [] } as unknown as Setup;

/** A reloader whose installing takes until `open` is called. */
function createSlow(prepare: () => SetupResult = () => ({ ok: true, setup, warnings: [] })) {
  const clock = createTestClock(0);
  const faults = createFaults(clock);
  const told: string[] = [];
  const gate = Promise.withResolvers<void>();
  const count = { prepared: 0, installed: 0 };
  const parts: ReloadParts = {
    ...{ initial: setup, clock, faults, log: silentLog },
    prepare() {
      count.prepared++;
      return prepare();
    },
    around: (task) => task(),
    async install() {
      await gate.promise;
      count.installed++;
      return NOTHING_NEW;
    },
    release: () => Promise.resolve(0),
    nextBan: () => 1,
    tell: ({ outcome }) => void told.push(outcome),
  };
  return { reloader: createReloader(parts), clock, faults, told, count, open: gate.resolve };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a storm of signals is one reload, and one more for what came meanwhile', async () => {
  const { reloader, count, open } = createSlow();
  const first = reloader.tryReload();
  await turn();
  const storm = Array.from({ length: 500 }, () => reloader.tryReload());
  open();
  await Promise.all([first, ...storm]);
  expect(count).toEqual({ prepared: 2, installed: 2 });
  await reloader.tryReload();
  expect(count).toEqual({ prepared: 3, installed: 3 });
});

test('the end waits for the one that is under way, and none begins after it', async () => {
  const { reloader, clock, count, told, open } = createSlow();
  const underWay = reloader.reload({ confirm: 1_000 });
  const behind = reloader.reload({});
  behind.catch(() => {});
  const quiet = reloader.tryReload();
  await turn();
  let isOver = false;
  const stopped = reloader.stop().then(() => (isOver = true));
  await turn();
  expect(isOver).toBe(false);
  open();
  await stopped;
  await underWay;
  await expect(behind).rejects.toMatchObject({ code: 'E_NOT_RUNNING' });
  await quiet;
  await expect(reloader.switch([], true)).rejects.toMatchObject({ code: 'E_NOT_RUNNING' });
  // The trial that began ends with the daemon.
  clock.advance(5_000);
  await turn();
  expect(count).toEqual({ prepared: 1, installed: 1 });
  expect(told).toEqual(['applied']);
});

test('whatever keeps a config from being read is a refusal, told and not thrown at the daemon', async () => {
  let broken = true;
  const { reloader, faults, told, open } = createSlow(() => {
    if (broken) throw new TypeError('\u001b[31mno such thing');
    return { ok: true, setup, warnings: [] };
  });
  open();
  await reloader.tryReload();
  expect(faults.list()).toMatchObject([{ code: 'E_RELOAD_REFUSED' }]);
  expect(faults.list()[0]!.message).toMatch(/the one before stays in force: \\x1b\[31mno such thing/);
  await expect(reloader.reload({})).rejects.toMatchObject({ code: 'E_CONFIG' });
  expect(told).toEqual(['refused', 'refused']);
  broken = false;
  await reloader.tryReload();
  expect(faults.list()).toEqual([]);
});
