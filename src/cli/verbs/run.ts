import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { parseAddress } from '../../address.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import {
  createHost,
  createLog,
  createRounds,
  createService,
  createTimekeeper,
  listLoggedIn,
  openInAnyWeather,
  passBy,
  startDaemon,
} from '../../daemon/index.ts';
import type { Daemon, Service } from '../../daemon/index.ts';
import {
  createClock,
  createExec,
  createInput,
  createOwner,
  monotonicMicroseconds,
  runBeside,
} from '../../daemon/system.ts';
import { chooseFirewall, createFirewall, createWitness, liftOthers } from '../../firewall/index.ts';
import type { Firewall } from '../../firewall/contract.ts';
import type { Duration } from '../../model.ts';
import { describeEnd, describeStart, describeState } from '../banner.ts';
import { findOperator } from '../operator.ts';
import { findServiceManager } from '../paths.ts';
import { findGroups, REPORT_GROUP, STATUS_GROUP } from '../groups.ts';
import { exitOf, readSetupAside, tellFaults } from '../ready.ts';
import { optimiseFor, optimiseLate } from '../compiling.ts';
import { createGivingBack, keepHeapSmall } from '../small-heap.ts';
import type { Proofs } from '../../setup/index.ts';
import type { Context, Verb } from '../verb.ts';

/** How long what is said last may wait to be read. */
const LAST_WORDS: Duration = 1_000;

const KINDS = ['nftables', 'iptables', 'dry-run', 'memory'] as const;

export const verb: Verb = {
  name: 'run',
  summary: 'the daemon, in the foreground',
  arguments: [
    {
      term: '[input]',
      summary:
        '"-": standard input, for the jails that name it in `logs`; if none does, for those without a log',
    },
  ],
  options: [
    { term: '--state <dir>', summary: 'where ledger.sqlite stands (BAILIFF_STATE, /var/lib/bailiff)' },
    {
      term: '--firewall <kind>',
      summary: `${KINDS.join(', ')} (default: nftables, or iptables where only that is there)`,
      choices: KINDS,
    },
    {
      term: `${STATUS_GROUP.option} <group>`,
      summary: `who may look on by status.sock, by name or number (default: ${STATUS_GROUP.usual}, if there is one, else the group that it runs with)`,
    },
    {
      term: `${REPORT_GROUP.option} <group>`,
      summary: `who may report by report.sock, by name or number (default: ${REPORT_GROUP.usual}, if there is one, else nobody)`,
    },
    { term: '--detect-only', summary: 'decide and remember, but never block' },
    { term: '--no-watch', summary: "don't reload by itself when the config's files change" },
  ],
  async run(context, [input], options) {
    keepHeapSmall();
    optimiseLate();
    const given = kindOf(options['firewall']);
    if (input !== undefined && input !== '-')
      throw new BailiffError('E_USAGE', `run reads no file ${JSON.stringify(input)}; "-" is standard input.`);
    const groups = findGroups(textOf(options['statusGroup']), textOf(options['reportGroup']));
    // From here on a signal ends it cleanly, also while it boots.
    const signalled = nextSignal();
    const { promise: started, resolve: onStarted } = Promise.withResolvers<Daemon>();
    // A config that changes while it starts is read once more when it runs.
    process.on('SIGHUP', () => void started.then((daemon) => daemon.reload()));
    const state = typeof options['state'] === 'string' ? options['state'] : context.paths.state;
    const clock = createClock();
    const shelter = join(context.paths.runtime, 'ledger');
    const { log, recent } = await createLog(
      {
        pretty: context.terminal && !context.json,
        color: context.color,
        verbose: context.verbose,
      },
      clock,
    );
    const exec = createExec();
    const neverEnforce = options['detectOnly'] === true;
    const ports = { exec, clock, log, owner: createOwner() };
    const { kind, why } = given ? { kind: given, why: undefined } : await chooseFirewall(ports.exec);
    if (why !== undefined) log.warn({ firewall: kind, why }, 'nftables is missing, another firewall is used');
    const timekeeper = createTimekeeper(clock);
    const firewall = createFirewall(kind, { ...ports, clock: timekeeper.sentences });
    if (!neverEnforce) firewall.wake?.();
    let running: Daemon | undefined;
    try {
      const asked = clock.now();
      const loggedIn = { asked, found: listLoggedIn(exec, asked) };
      loggedIn.found.catch(() => {}); // Whoever waits for it hears of it.
      const ledger = openInAnyWeather(state, shelter, () => clock.now(), runBeside.bind(undefined, false));
      const proofs: Proofs = {
        isProven: (hash) => ledger.isProven(hash),
        remember(hash) {
          // On a full disk the filter is proven anew at the next start, and runs all the same.
          try {
            ledger.remember(hash, clock.now());
          } catch (error) {
            if (!(error instanceof BailiffError)) throw error;
          }
        },
      };
      // Programs answer meanwhile, and the next one can be asked who is logged in.
      await breathe();
      const result = await readSetupAside(context, proofs, runBeside.bind(undefined, true));
      if (!result.ok) {
        await firewall.close();
        ledger.close();
        tellFaults(context, result.warnings, 'warning');
        tellFaults(context, result.faults, 'fault');
        return exitOf(result.faults);
      }
      const { setup } = result;
      const service = createService(findServiceManager(), { ...ports, microseconds: monotonicMicroseconds });
      const doing = (): string => describeState(daemon);
      const daemon: Daemon = await startDaemon(
        {
          setup,
          prepare: () => readSetupAside(context, proofs, runBeside.bind(undefined, false)),
          watchConfig: options['watch'] !== false,
          async whileReloading(task) {
            // The socket answers while it boots: a reload that is asked for then must not say that it is ready.
            await started;
            await service.reloading();
            try {
              return await task();
            } finally {
              await service.ready(doing());
            }
          },
          ledger,
          runtime: context.paths.runtime,
          firewall,
          witness: createWitness(kind, ports.exec),
          neverEnforce,
          ...groups,
          version: context.version,
          asksForInput: input === '-',
          operator: parseAddress(findOperator() ?? ''),
          loggedIn,
        },
        {
          ...{ ...ports, timekeeper, recent, input: createInput, host: createHost(ports) },
          ...{ at: passBy, rounds: createRounds(clock), onRest: createRest() },
        },
      );
      running = daemon;
      optimiseFor(daemon.sources().reduce((bytes, { lag }) => bytes + lag, 0));
      onStarted(daemon);
      if (daemon.mode === 'enforcing' && kind !== 'memory')
        for (const other of await liftOthers(kind, ports))
          log.warn({ firewall: other }, 'lifted what an earlier run blocked through another firewall');
      const warnings = result.warnings.map((warning) => ({ ...warning }));
      for (const warning of warnings) log.warn(warning, 'config');
      if (!context.json)
        context.out(describeStart(context, { setup, daemon, firewall, why, neverEnforce, state }));
      await service.ready(doing());
      service.watch(() => daemon.isAlive(), doing);
      try {
        return await untilSignal(context, daemon, firewall, service, signalled);
      } finally {
        log.flush();
      }
    } catch (error) {
      await running?.stop().catch(() => {}); // What broke it may break its end as well.
      // Programs that wait for this one would keep it alive.
      await firewall.close();
      throw error;
    }
  },
};

/** @returns what is to be done when all is read. */
function createRest(): () => void {
  const giveBack = createGivingBack();
  return () => {
    optimiseLate();
    giveBack();
  };
}

/** Runs until SIGTERM or SIGINT; a daemon that breaks down by itself ends with its error. */
async function untilSignal(
  context: Context,
  daemon: Daemon,
  firewall: Firewall,
  service: Service,
  signalled: Promise<void>,
): Promise<number> {
  try {
    await Promise.race([signalled, daemon.ended]);
  } catch (error) {
    // What broke must not keep a half-dead daemon alive: the service manager starts it anew.
    await daemon.stop();
    throw error;
  }
  await service.stopping();
  const isBlocking = daemon.mode === 'enforcing' || daemon.stillBlocked > 0;
  await daemon.stop();
  if (!context.json) context.out(describeEnd(context, firewall.kind, isBlocking));
  // Who doesn't read what is said must not keep the daemon from ending.
  setTimeout(() => process.exit(), LAST_WORDS).unref();
  return EXIT.done;
}

/** Ctrl-C reaches the whole process group, and npm hands it on once more: the second one must not cut the end short. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

function textOf(option: unknown): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

/** @returns undefined where nothing was written: then it is chosen. */
function kindOf(written: unknown): Firewall['kind'] | undefined {
  if (written === undefined) return undefined;
  const kind = KINDS.find((known) => known === written);
  if (kind) return kind;
  throw new BailiffError(
    'E_USAGE',
    `There is no firewall ${JSON.stringify(written)}; there are ${KINDS.join(', ')}.`,
  );
}
