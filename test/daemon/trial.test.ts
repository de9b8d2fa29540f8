// A config on trial that nobody confirms: what goes back, and what of the disk counts as read by then.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFaults } from '../../src/daemon/faults.ts';
import { createReloader } from '../../src/daemon/reload.ts';
import { silentLog } from '../../src/ports.ts';
import { prepareSetup, takenAsProven, tracesOf } from '../../src/setup/index.ts';
import type { Setup, SetupResult } from '../../src/setup/index.ts';
import { createTestClock } from './clock.ts';

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

// Whoever watches the files takes what looks otherwise than when it was read for a change, and reads it.
test('what nobody confirmed counts as read: only what changes after it comes into force by itself', async () => {
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
  write({ allow: ['198.51.100.1'] });
  await reloader.reload({ confirm: 1_000 });
  clock.advance(1_000);
  // Whatever is asked for now waits for its turn.
  await reloader.switch([], true);
  const [, back] = installed;
  expect(back!.config).toBe(before.setup.config);
  expect(back!.traces).toBe(tracesOf(back!.readFrom));
});
