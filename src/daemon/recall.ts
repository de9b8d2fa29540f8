// What the daemon knows when it starts: the ledger's memory in the shapes in which it is worked with, and what commits it.
import { BailiffError } from '../errors.ts';
import type { Ledger, Remembered } from '../ledger/contract.ts';
import type { Block, Instant, Offender, Position } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import type { Setup } from '../setup/index.ts';
import { adoptBlocks } from './adopt.ts';
import { createBans } from './bans.ts';
import type { Bans, OnBan } from './bans.ts';
import { behaviourOf, createBrakes } from './brakes.ts';
import type { Brakes } from './brakes.ts';
import { createCommitter } from './committer.ts';
import type { Committer } from './committer.ts';
import type { FaultPoint } from './fault-points.ts';
import { tellSetAside } from './telling/faults.ts';
import type { Faults } from './telling/faults.ts';
import type { Host } from './host/host.ts';
import { createInForce, ignoresOf } from './in-force.ts';
import type { InForce } from './in-force.ts';
import { createProtection } from './host/protection.ts';
import type { Protection } from './host/protection.ts';
import { createReportMemory } from './reports/report-memory.ts';
import type { ReportMemory } from './reports/report-memory.ts';
import { createRegulars } from './intake/regulars.ts';
import type { Regulars } from './intake/regulars.ts';
import { createSessions } from './intake/sessions.ts';
import type { Sessions } from './intake/sessions.ts';
import { seatJails } from './sitting.ts';
import type { Sittings } from './sitting.ts';

export interface Recalled {
  readonly protection: Protection;
  readonly sittings: Sittings;
  readonly inForce: InForce;
  readonly bans: Bans;
  readonly sessions: Sessions;
  readonly reportMemory: ReportMemory;
  /** How far each source was read. */
  readonly positions: readonly Position[];
  readonly committer: Committer;
  /** Where all that was known of bans is lost but what the kernel holds. */
  readonly adopt: ((blocks: Iterable<Block>) => void) | undefined;
  readonly brakes: Brakes;
  readonly regulars: Regulars;
}

/** @param asksForInput `run -`. */
export function recall(
  setup: Setup,
  ledger: Ledger,
  asksForInput: boolean,
  ports: {
    clock: Clock;
    log: Log;
    faults: Faults;
    host: Host;
    at: FaultPoint;
    onBan: OnBan;
    onBrake(jail: string, why: string | undefined): void;
  },
): Recalled {
  const { clock, log, faults, host, at, onBan } = ports;
  const remembered = ledger.load();
  tellDamage(remembered, ledger, faults);
  const protection = createProtection(setup.allow, ignoresOf(setup), host);
  const regulars = createRegulars(remembered.regulars);
  const brakes: Brakes = createBrakes(
    { ...behaviourOf(() => sittings, regulars), log, faults, onChange: ports.onBrake },
    remembered.brakes,
  );
  const sittings: Sittings = seat(setup, ledger, remembered, protection, clock.now(), brakes, faults);
  const inForce = createInForce(setup, { protection, sittings, clock, asksForInput });
  const bans = createBans(remembered.openBans, remembered.nextBanId, (what, ban, why) => {
    onBan(what, ban, why);
    brakes.onBan(what, ban);
  });
  brakes.refit({ bans, sittings }, clock.now());
  const sessions = createSessions(remembered.sessions, remembered.lastLines);
  const reportMemory = createReportMemory(ledger);
  const jails = () => sittings.jails;
  const hints = { brakes, regulars };
  const committer = createCommitter(
    ledger,
    jails,
    sessions,
    bans,
    reportMemory,
    hints,
    {
      clock,
      log,
      faults,
      at,
    },
    remembered.positions,
  );
  const { positions } = remembered;
  const adopt = (blocks: Iterable<Block>): void => {
    const count = adoptBlocks(blocks, { bans, protection }, clock.now());
    log.error({ count }, 'the ledger was damaged; bans were made of what stands in the kernel');
  };
  const known = { protection, sittings, inForce, bans, sessions, reportMemory, positions, committer };
  return { ...known, ...hints, adopt: ledger.rescue?.kind === 'set-aside' ? adopt : undefined };
}

/** The other end of {@link recall}: the next start is quicker where it works, and the same where it doesn't. */
export function leaveBans(ledger: Ledger, { inForce }: Bans, log: Log): void {
  try {
    ledger.leave(inForce);
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error;
    log.warn(
      { why: error.message },
      'the open bans could not be left for the next start, which reads them one by one',
    );
  }
}

function tellDamage({ damaged }: Remembered, { rescue }: Ledger, faults: Faults): void {
  if (rescue?.kind === 'set-aside')
    tellSetAside(faults, rescue.to, 'bans were taken from the kernel, counts are lost');
  if (rescue?.kind === 'sheltered')
    faults.raise(
      'E_LEDGER_UNAVAILABLE',
      `The ledger can't be written, blocking goes on from memory: ${rescue.why}`,
    );
  tellDamaged(damaged, faults);
}

function tellDamaged(rows: number, faults: Faults): void {
  if (rows > 0)
    faults.raise('W_LEDGER_DAMAGED', `${rows} rows of the ledger can't be read and were passed over.`);
}

function seat(
  setup: Setup,
  ledger: Ledger,
  remembered: Remembered,
  protection: Protection,
  now: Instant,
  brakes: Brakes,
  faults: Faults,
): Sittings {
  let isSeated = false;
  const welcomes = Map.groupBy(remembered.welcomes, ({ jail }) => jail);
  // Offenders come later, while the kernel is told of the bans. From then on the ledger knows more.
  const memoryOf = (jail: string) =>
    isSeated ? ledger.memoryOf(jail) : { offenders: [], welcomes: welcomes.get(jail) ?? [] };
  const sittings = seatJails(
    setup,
    protection,
    memoryOf,
    now,
    brakes,
    soundOffenders(remembered, ledger, faults),
  );
  isSeated = true;
  return sittings;
}

/** A page at a time. Those that can't be read are told of and passed over, as everything else that is damaged. */
function* soundOffenders(
  remembered: Remembered,
  ledger: Ledger,
  faults: Faults,
): Generator<readonly Offender[]> {
  let { damaged } = remembered;
  try {
    for (const page of ledger.offenders()) {
      damaged += page.damaged;
      yield page.sound;
    }
  } catch (error) {
    // It was gone through when it was opened: since then the disk has come to fail. The next commit will meet it as well.
    if (!(error instanceof BailiffError)) throw error;
    damaged++;
  }
  tellDamaged(damaged, faults);
}
