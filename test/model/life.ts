// One life of the real daemon, in this process: real files, real SQLite, real sockets, a firewall in memory, and time in
// the test's hand.
//
// A process can't kill itself and go on, so a kill is done as follows. At the instant of death (a named fault point, or
// whenever the test says) the ledger is copied, file by file, as a process that starts now would find it; SQLite writes
// synchronously in this thread, so nothing is ever half written in memory at that instant. From then on the firewall
// takes nothing more from this life. What is left of it is a ghost: it writes to a ledger that nobody will read, and is
// stopped before the next life starts on the copy. Death by SIGKILL itself is the crash harness's matter (test/crash).
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../src/api/index.ts';
import type { Client } from '../../src/api/index.ts';
import { openLedger, startDaemon } from '../../src/daemon/index.ts';
import type { Daemon, FaultPoint } from '../../src/daemon/index.ts';
import { createExec, createInput } from '../../src/daemon/system.ts';
import type { Firewall } from '../../src/firewall/contract.ts';
import { silentLog } from '../../src/ports.ts';
import type { Rounds } from '../../src/ports.ts';
import type { Setup } from '../../src/setup/index.ts';
import { lonelyHost } from '../support/lonely-host.ts';
import { createTimers } from './clock.ts';
import type { World } from './clock.ts';

/** What outlives a daemon. */
export interface Home {
  readonly folder: string;
  /** What the config on the disk stands for. */
  setup: Setup;
  readonly kernel: Firewall;
  readonly world: World;
  /** Left out, the ledger is never tidied. */
  readonly rounds?: Rounds;
  /** How many ledgers were left behind by a death. */
  deaths: number;
}

/** Where a life ends, and how often that point is passed before. */
export interface Fate {
  readonly point: Parameters<FaultPoint>[0];
  readonly after: number;
}

export interface Life {
  readonly client: Client;
  readonly isDead: boolean;
  /** Sets the point at which it will die. */
  doom(fate: Fate): void;
  /** Dies now; harmless if it is dead. */
  kill(): void;
  /** Waits until all that lies on the disk is read, committed and told to the firewall; or until it dies. */
  settle(): Promise<void>;
  /** Runs the timers that are due. */
  runTimers(): void;
  /** Stops it in order, or buries what a death left of it. */
  end(): Promise<void>;
}

/** An address that the config allows: to ban it is refused, and changes nothing. */
export const ALLOWED = '198.51.100.1';
/** Each try is an answer over the socket. A daemon that needs more than this stands still. */
const TRIES = 2_000;

export async function startLife(home: Home, fate?: Fate): Promise<Life> {
  const { world, setup } = home;
  const timers = createTimers(world);
  const runtime = join(home.folder, 'run');
  const state = stateOf(home);
  let fatal = fate;
  let passed = 0;
  let dead = false;
  let broken: Error | undefined;

  function die(): void {
    if (dead) return;
    dead = true;
    home.deaths++;
    const next = stateOf(home);
    mkdirSync(next, { mode: 0o700 });
    for (const name of ['ledger.sqlite', 'ledger.sqlite-wal'])
      if (existsSync(join(state, name))) copyFileSync(join(state, name), join(next, name));
  }

  const at: FaultPoint = (point) => {
    if (point === fatal?.point && passed++ >= fatal.after) die();
  };
  const firewall: Firewall = {
    ...home.kernel,
    list: async () => (dead ? [] : home.kernel.list()),
    apply: async (changes, now) =>
      dead ? changes.map(() => ({ outcome: 'applied' as const })) : home.kernel.apply(changes, now),
  };
  const daemon: Daemon = await startDaemon(
    {
      setup,
      prepare: () => ({ ok: true, setup: home.setup, warnings: [] }),
      watchConfig: false,
      ledger: openLedger(state),
      runtime,
      firewall,
      neverEnforce: false,
      statusGroup: undefined,
      reportGroup: undefined,
      version: 'model',
      asksForInput: false,
    },
    {
      ...{ clock: timers, log: silentLog, exec: createExec(), input: createInput, host: lonelyHost, at },
      ...(home.rounds && { rounds: home.rounds }),
    },
  );
  daemon.ended.catch((error: Error) => (broken = error));
  const client = createClient(runtime);

  return {
    client,
    get isDead() {
      return dead;
    },
    doom(wanted) {
      fatal = wanted;
      passed = 0;
    },
    kill: die,
    async settle() {
      for (let tries = 0; !dead; tries++) {
        if (broken) throw broken;
        if (tries === TRIES) throw new Error('the daemon does not catch up');
        if ((await client.status()).caughtUp) break;
      }
      if (dead) return;
      // Refused, as every ban of an allowed address; but the answer comes after the firewall was told of all else.
      const [answer] = await client.ban({ addresses: [ALLOWED] });
      if (answer?.outcome !== 'refused') throw new Error(`an allowed address was ${answer?.outcome}`);
    },
    runTimers: () => timers.runDue(),
    async end() {
      timers.stop();
      await daemon.stop();
      if (broken && !dead) throw broken;
    },
  };
}

function stateOf(home: Home): string {
  return join(home.folder, 'state', String(home.deaths));
}
