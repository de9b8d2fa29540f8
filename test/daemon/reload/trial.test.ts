// A config on trial that nobody confirms: what goes back.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createReloader } from '../../../src/daemon/reload/reload.ts';
import { silentLog } from '../../../src/ports.ts';
import { prepareSetup, takenAsProven } from '../../../src/setup/index.ts';
import type { Setup, SetupResult } from '../../../src/setup/index.ts';
import { createTestClock } from '../clock.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bailiff-trial-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const configFile = (): string => join(folder, 'jails.json');

function write(config: object): void {
  writeFileSync(configFile(), JSON.stringify(config), { mode: 0o600 });
}

function prepare(): SetupResult {
  const uid = process.geteuid!();
  return prepareSetup({
    ...{ configFile: configFile(), shippedFilters: folder, trusted: { uid } },
    ...{ proofs: takenAsProven, version: '0' },
  });
}

/** A reloader over real files, and what it put in force. */
function reloading() {
  write({});
  const before = prepare();
  if (!before.ok) throw new Error(JSON.stringify(before.faults));
  const installed: Setup[] = [];
  const clock = createTestClock(Date.parse('2026-11-26T10:00:00Z'));
  const reloader = createReloader({
    initial: before.setup,
    prepare,
    around: (task) => task(),
    async install(setup) {
      installed.push(setup);
      return { added: [], removed: [], changed: [], sources: [] };
    },
    release: async () => 0,
    nextBan: () => 1,
    tell() {},
    ...{ clock, log: silentLog, faults: createFaults(clock) },
  });
  /** What is in force once all that was asked for has had its turn. */
  const inForce = async (): Promise<Setup> => {
    await reloader.switch([], true);
    return installed.at(-1) ?? before.setup;
  };
  return { before: before.setup, reloader, clock, inForce };
}

// That it doesn't come back by itself then, since it counts as read, is shown in config-watch.test.ts.
test('what nobody confirmed goes back', async () => {
  const { before, reloader, clock, inForce } = reloading();
  write({ allow: ['198.51.100.1'] });
  await reloader.reload({ confirm: 1_000 });
  expect((await inForce()).config).not.toBe(before.config);
  clock.advance(1_000);
  expect((await inForce()).config).toBe(before.config);
});

test('a config that was read by itself a moment ago goes on trial with what is asked for then', async () => {
  const { before, reloader, clock, inForce } = reloading();
  write({ allow: ['198.51.100.1'] });
  await reloader.reloadUnasked();
  write({ allow: ['198.51.100.2'] });
  await reloader.reloadUnasked();
  expect((await inForce()).config).not.toBe(before.config);
  await reloader.reload({ confirm: 1_000 });
  clock.advance(1_000);
  expect((await inForce()).config).toBe(before.config);
});

test('one that has stood for long, or was asked for, stays when a later one goes back', async () => {
  const { reloader, clock, inForce } = reloading();
  for (const settle of [async () => clock.advance(3_600_000), () => reloader.tryReload()]) {
    write({ allow: ['198.51.100.1'] });
    await reloader.reloadUnasked();
    await settle();
    const stood = await inForce();
    write({ allow: ['198.51.100.2'] });
    await reloader.reload({ confirm: 1_000 });
    clock.advance(1_000);
    expect((await inForce()).config).toBe(stood.config);
  }
});
