// What a daemon knows when it starts on a ledger: one jail, `sshd`, whose log is nowhere.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import { openInAnyWeather } from '../../src/daemon/index.ts';
import { recall } from '../../src/daemon/recall.ts';
import { createFaults } from '../../src/daemon/telling/faults.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import type { Instant } from '../../src/model.ts';
import { silentLog } from '../../src/ports.ts';
import { noProofs, prepareSetup } from '../../src/setup/index.ts';
import { ROOT } from '../support/checkout.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { lonelyHost } from '../support/lonely-host.ts';
import { createTestClock } from './clock.ts';

/** For each test of a file a folder of its own, with the state of a daemon that opens its ledger at `now`. */
export function ledgerForEach(name: string, now: Instant) {
  let folder: TemporaryFolder;
  beforeEach(() => (folder = temporaryFolder(name)));
  afterEach(() => folder.remove());
  const state = (): string => join(folder.path, 'state');
  return {
    folder: () => folder.path,
    state,
    opened(): Ledger {
      const ledger = openInAnyWeather(state(), join(folder.path, 'shelter'), () => now);
      onTestFinished(() => ledger.close());
      return ledger;
    },
  };
}

/** @param folder for the config. */
export function recalledFrom(folder: string, ledger: Ledger, now: Instant) {
  const configFile = join(folder, 'jails.json');
  writeFileSync(
    configFile,
    JSON.stringify({ jails: { sshd: { filter: 'nginx-login', logs: ['/nowhere'] } } }),
    {
      mode: 0o600,
    },
  );
  const prepared = prepareSetup({
    configFile,
    shippedFilters: join(ROOT, 'filters'),
    trusted: { uid: process.geteuid!() },
    proofs: noProofs,
    version: 'test',
  });
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.faults));
  const clock = createTestClock(now);
  const faults = createFaults(clock);
  const ports = { clock, log: silentLog, faults, host: lonelyHost, at() {}, onBan() {}, onBrake() {} };
  return { ...recall(prepared.setup, ledger, false, ports), faults };
}
