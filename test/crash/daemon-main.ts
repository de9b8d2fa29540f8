// The real daemon, put together as `bailiff run` does it, except that it can be told to die by SIGKILL at a named point:
// node … daemon-main.ts FOLDER [POINT:TIMES]
import { join } from 'node:path';
import { createHost, openLedger, startDaemon } from '../../src/daemon/index.ts';
import type { FaultPoint } from '../../src/daemon/index.ts';
import { createClock, createExec, createInput, createOwner } from '../../src/daemon/system.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import { silentLog } from '../../src/ports.ts';
import { prepareSetup, takenAsProven } from '../../src/setup/index.ts';

const [folder, mark = ''] = process.argv.slice(2) as [string, string?];
const [deadly, times] = mark.split(':');
let left = Number(times);

const at: FaultPoint = (point) => {
  if (point === deadly && --left <= 0) process.kill(process.pid, 'SIGKILL');
};

const clock = createClock();
const ledger = openLedger(join(folder, 'state'));
const prepare = () =>
  prepareSetup({
    configFile: join(folder, 'jails.json'),
    shippedFilters: join(import.meta.dirname, '..', '..', 'filters'),
    trusted: { uid: process.geteuid!() },
    // Its filters are proven by their own tests: here it would be half of what a run without kills costs.
    proofs: takenAsProven,
    version: 'crash-harness',
  });
const result = prepare();
if (!result.ok) throw new Error(JSON.stringify(result.faults));
const daemon = await startDaemon(
  {
    setup: result.setup,
    prepare,
    watchConfig: false,
    ledger,
    runtime: join(folder, 'run'),
    firewall: createFirewall('nftables', { exec: createExec(), clock, log: silentLog, owner: createOwner() }),
    neverEnforce: false,
    statusGroup: undefined,
    reportGroup: undefined,
    version: 'crash-harness',
    asksForInput: false,
  },
  {
    clock,
    log: silentLog,
    exec: createExec(),
    input: createInput,
    host: createHost({ exec: createExec(), clock }),
    at,
  },
);
process.on('SIGTERM', () => void daemon.stop());
process.on('SIGHUP', () => void daemon.reload());
process.stdout.write('ready\n');
await daemon.ended;
