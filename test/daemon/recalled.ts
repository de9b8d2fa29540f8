// What a daemon knows when it starts on a ledger: one jail, `sshd`, whose log is nowhere.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recall } from '../../src/daemon/recall.ts';
import { createFaults } from '../../src/daemon/telling/faults.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import type { Instant } from '../../src/model.ts';
import { silentLog } from '../../src/ports.ts';
import { noProofs, prepareSetup } from '../../src/setup/index.ts';
import { ROOT } from '../support/checkout.ts';
import { lonelyHost } from '../support/lonely-host.ts';
import { createTestClock } from './clock.ts';

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
