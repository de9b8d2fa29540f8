import { BailiffError, EXIT } from '../../errors.ts';
import { createHost, createLog, openLedger, passBy, startDaemon } from '../../daemon/index.ts';
import type { Daemon } from '../../daemon/index.ts';
import { createClock, createExec, createOwner } from '../../daemon/system.ts';
import { createFirewall } from '../../firewall/index.ts';
import type { Firewall } from '../../firewall/contract.ts';
import { describeEnd, describeStart } from '../banner.ts';
import { exitOf, readSetup, tellFaults } from '../ready.ts';
import { findReportGroup } from '../report-group.ts';
import type { Context, Verb } from '../verb.ts';

const KINDS = ['nftables', 'iptables', 'dry-run', 'memory'] as const;

export const verb: Verb = {
  name: 'run',
  summary: 'the daemon, in the foreground',
  arguments: [],
  options: [
    { term: '--state <dir>', summary: 'where ledger.sqlite stands (BAILIFF_STATE, /var/lib/bailiff)' },
    { term: '--firewall <kind>', summary: `${KINDS.join(', ')} (default: nftables)` },
    {
      term: '--report-group <group>',
      summary: 'who may report by report.sock, by name or number (default: bailiff-report, if there is one)',
    },
    { term: '--detect-only', summary: 'decide and remember, but never block' },
  ],
  async run(context, _args, options) {
    const kind = kindOf(options['firewall']);
    const named = options['reportGroup'];
    const reportGroup = findReportGroup(typeof named === 'string' ? named : undefined);
    // From here on a signal ends it cleanly, also while it boots.
    const signalled = nextSignal();
    const state = typeof options['state'] === 'string' ? options['state'] : context.paths.state;
    const clock = createClock();
    const ledger = openLedger(state);
    const result = readSetup(context, {
      isProven: (hash) => ledger.isProven(hash),
      remember: (hash) => ledger.remember(hash, clock.now()),
    });
    if (!result.ok) {
      ledger.close();
      tellFaults(context, result.warnings, 'warning');
      tellFaults(context, result.faults, 'fault');
      return exitOf(result.faults);
    }
    const log = await createLog({
      pretty: context.terminal && !context.json,
      color: context.color,
      verbose: context.verbose,
    });
    const { setup } = result;
    const neverEnforce = options['detectOnly'] === true;
    const firewall = createFirewall(kind, { exec: createExec(), clock, log, owner: createOwner() });
    const daemon = await startDaemon(
      {
        setup,
        ledger,
        runtime: context.paths.runtime,
        firewall,
        neverEnforce,
        statusGroup: undefined,
        reportGroup,
        version: context.version,
      },
      { clock, log, host: createHost(), at: passBy },
    );
    const warnings = result.warnings.map((warning) => ({ ...warning }));
    for (const warning of warnings) log.warn(warning, 'config');
    if (!context.json) context.out(describeStart(context, { setup, daemon, firewall, neverEnforce, state }));
    return untilSignal(context, daemon, firewall, signalled);
  },
};

/** Runs until SIGTERM or SIGINT; a daemon that breaks down by itself ends with its error. */
async function untilSignal(
  context: Context,
  daemon: Daemon,
  firewall: Firewall,
  signalled: Promise<void>,
): Promise<number> {
  try {
    await Promise.race([signalled, daemon.ended]);
  } catch (error) {
    // What broke must not keep a half-dead daemon alive: the service manager starts it anew.
    await daemon.stop();
    throw error;
  }
  const isBlocking = daemon.mode === 'enforcing' || daemon.stillBlocked > 0;
  await daemon.stop();
  if (!context.json) context.out(describeEnd(context, firewall.kind, isBlocking));
  return EXIT.done;
}

/** Ctrl-C reaches the whole process group, and npm hands it on once more: the second one must not cut the end short. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

function kindOf(written: unknown): Firewall['kind'] {
  if (written === undefined) return 'nftables';
  const kind = KINDS.find((known) => known === written);
  if (kind) return kind;
  throw new BailiffError(
    'E_USAGE',
    `There is no firewall ${JSON.stringify(written)}; there are ${KINDS.join(', ')}.`,
  );
}
