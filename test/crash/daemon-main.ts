// The real daemon, put together as `bailiff run` does it, except that it can be told to die by SIGKILL at a named point,
// and that its clock is the harness's: node … daemon-main.ts FOLDER [POINT:TIMES]. What stands in FOLDER/clock is how far
// its clock is off, in milliseconds; SIGUSR2 makes it look again.
import '../../src/cli/linear-regexes.ts';
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createHost, openLedger, startDaemon } from '../../src/daemon/index.ts';
import { createClock, createExec, createInput, createOwner } from '../../src/daemon/system.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import { silentLog } from '../../src/ports.ts';
import { prepareSetup, takenAsProven } from '../../src/setup/index.ts';
import { betweenRows, DYING, READY, withPoints } from './points.ts';
import type { Point } from './points.ts';

const [folder, mark = ''] = process.argv.slice(2) as [string, string?];
const [deadly, times] = mark.split(':');
let left = Number(times);

const at = (point: Point): void => {
  if (point !== deadly || --left > 0) return;
  writeSync(1, DYING);
  process.kill(process.pid, 'SIGKILL');
};

let off = 0;
const look = (): void => void (off = Number(readFileSync(join(folder, 'clock'), 'latin1')));
const clock = { ...createClock(), now: () => Date.now() + off };

const prepare = () =>
  prepareSetup({
    configFile: join(folder, 'jails.json'),
    shippedFilters: join(folder, 'shipped'),
    trusted: { uid: process.geteuid!() },
    // Its filters are few, and nobody's but the harness's: to prove them would be half of what a life costs.
    proofs: takenAsProven,
    version: 'crash-harness',
  });

async function main(): Promise<void> {
  look();
  process.on('SIGUSR2', look);
  betweenRows(() => at('between-rows'));
  const exec = withPoints(createExec(), at);
  const ledger = openLedger(join(folder, 'state'));
  const result = prepare();
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  const daemon = await startDaemon(
    {
      setup: result.setup,
      prepare,
      watchConfig: false,
      ledger,
      runtime: join(folder, 'run'),
      firewall: createFirewall('nftables', { exec, clock, log: silentLog, owner: createOwner() }),
      neverEnforce: false,
      statusGroup: undefined,
      reportGroup: undefined,
      version: 'crash-harness',
      asksForInput: false,
    },
    { clock, log: silentLog, exec, input: createInput, host: createHost({ exec, clock }), at },
  );
  process.on('SIGTERM', () => void daemon.stop());
  process.on('SIGHUP', () => void daemon.reload());
  process.stdout.write(READY);
  await daemon.ended;
}

void main();
