// The one kind of commit: positions, offenders, log-ins, sessions, bans, events, answers to reports and what the brakes
// remember, in one transaction, at a chunk boundary.
// There is no way to write positions without what was counted up to them.
import { BailiffError } from '../errors.ts';
import type { Jail } from '../jails/contract.ts';
import type { Ledger, SetAside } from '../ledger/contract.ts';
import type { Duration, Network, Position } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import type { Bans } from './bans.ts';
import type { Brakes } from './brakes.ts';
import type { Regulars } from './intake/regulars.ts';
import { tellSetAside } from './telling/faults.ts';
import type { Faults } from './telling/faults.ts';
import type { FaultPoint } from './fault-points.ts';
import type { ReportMemory } from './reports/report-memory.ts';
import type { Sessions } from './intake/sessions.ts';

/**
 * A commit is due after a second, or when this many offenders and sessions are dirty: their pictures are taken at one
 * instant, for which the sockets wait. They are written in several turns.
 */
const MAX_DIRTY = 50_000;
const MAX_WAIT: Duration = 1_000;
/**
 * After a commit there is none for so many times as long as it took, up to some seconds: in a flood the ledger would be
 * written most of the time, and the same offenders over and over. What a crash costs is to read again what came meanwhile.
 * A ban waits as well, a second at most, and alone for nothing: the kernel has been told of it.
 */
const PAUSE = 9;
const LONGEST_PAUSE: Duration = 5_000;
const LONGEST_PAUSE_OF_BANS: Duration = 1_000;
/** So many forgotten offenders may wait for the ledger. Rows of those beyond stay, and are forgotten after a restart. */
export const GONE = 100_000;
const FAULT = 'E_LEDGER_UNAVAILABLE';
const DEFECT = 'E_INTERNAL';

export interface Committer {
  /** A source stands here now. Committed with everything else that is dirty; also where a source has no position. */
  moved(position: Position | undefined): void;
  forgetPositions(ids: readonly string[]): void;
  forgetOffenders(jail: string, addresses: readonly Network[]): void;
  /** Is it time? Asked after each chunk. */
  isDue(): boolean;
  /** How long a decided ban still has to wait, because the last commit took long. */
  readonly pauseOfBans: Duration;
  /** The last commit failed a moment ago: what is dirty waits for the next try, which comes by itself. */
  readonly isResting: boolean;
  /** How many forgotten offenders still stand in the ledger, and how many will until a restart. */
  readonly unforgotten: number;
  readonly keptTooLong: number;
  /**
   * Writes all that is dirty at the moment it runs.
   * @param durable waits for the disk.
   * @returns false when the ledger can't be written: everything stays dirty and is tried again; blocking goes on from memory.
   */
  commit(durable: boolean): Promise<boolean>;
}

export function createCommitter(
  ledger: Ledger,
  jails: () => Iterable<Jail>,
  sessions: Sessions,
  bans: Bans,
  reports: ReportMemory,
  /** What tells whether a jail bans the wrong people. */
  hints: {
    readonly brakes: Pick<Brakes, 'takeDirty' | 'restore' | 'rewrite'>;
    readonly regulars: Pick<Regulars, 'takeDirty' | 'restore' | 'rewrite'>;
  },
  ports: { clock: Clock; log: Log; faults: Faults; at: FaultPoint },
  remembered: readonly Position[] = [],
): Committer {
  const { clock, log, faults, at } = ports;
  let positions = new Map<string, Position>();
  /** Where every source stands, written or not. */
  const standing = new Map(remembered.map((position) => [position.id, position]));
  let goneFiles: string[] = [];
  let goneOffenders: { jail: string; address: Network }[] = [];
  let keptTooLong = 0;
  let dirtySince: number | undefined;
  /** After a failure the next try waits: a full disk doesn't get emptier by being asked for every chunk. */
  let notBefore = 0;
  let lastEnded = -Infinity;
  /** How long the ledger rests after the last commit. */
  let pause: Duration = 0;
  /** The same where a ban waits. */
  let shortPause: Duration = 0;
  let running: Promise<unknown> = Promise.resolve();

  /** Everything dirty, taken at one instant between two chunks: so it belongs together. */
  function take() {
    const logIns = [...jails()].map((jail) => jail.welcomes.takeDirty());
    for (const jail of jails())
      for (const address of jail.takeForgotten()) goneOffenders.push({ jail: jail.rules.name, address });
    const taken = {
      positions: [...positions.values()],
      forgottenPositions: goneFiles,
      offenders: [...jails()].map((jail) => ({ jail: jail.rules.name, offenders: jail.takeDirty() })),
      forgottenOffenders: goneOffenders,
      welcomes: logIns.flatMap(({ welcomes }) => welcomes),
      forgottenWelcomes: logIns.flatMap(({ forgottenWelcomes }) => forgottenWelcomes),
      ...sessions.takeDirty(),
      ...bans.takeDirty(),
      ...reports.takeDirty(),
      ...hints.brakes.takeDirty(),
      ...hints.regulars.takeDirty(),
    };
    positions = new Map();
    goneFiles = [];
    goneOffenders = [];
    dirtySince = undefined;
    return taken;
  }

  function giveBack(taken: ReturnType<typeof take>): void {
    // What moved on meanwhile is newer than what we failed to write.
    positions = new Map([
      ...taken.positions.map((position) => [position.id, position] as const),
      ...positions,
    ]);
    goneFiles = [...taken.forgottenPositions, ...goneFiles];
    goneOffenders = [...taken.forgottenOffenders, ...goneOffenders];
    keptTooLong += goneOffenders.splice(GONE).length;
    const dirty = new Map(taken.offenders.map(({ jail, offenders }) => [jail, offenders]));
    // By name: a reload may have put another jail in the place of the one that they were taken from.
    for (const jail of jails()) {
      jail.restore(dirty.get(jail.rules.name) ?? []);
      jail.welcomes.restore(taken);
    }
    sessions.restore(taken);
    bans.restore(taken);
    reports.restore(taken);
    hints.brakes.restore(taken);
    hints.regulars.restore(taken);
    dirtySince ??= clock.monotonic();
  }

  /** A new ledger knows nothing: everything is dirty, whether or not the one before had it. */
  function rewrite({ to, why }: SetAside, taken: ReturnType<typeof take>): void {
    giveBack(taken);
    positions = new Map(standing);
    for (const jail of jails()) {
      jail.restore(jail.offenders());
      jail.welcomes.restore({ welcomes: [...jail.welcomes.all()], forgottenWelcomes: [] });
    }
    sessions.rewrite();
    bans.rewrite();
    hints.brakes.rewrite();
    hints.regulars.rewrite();
    log.error({ to, why }, 'the ledger was damaged; a new one is begun with all that is known');
    tellSetAside(faults, to, 'bans in force, counts and positions were taken over');
  }

  async function write(durable: boolean): Promise<boolean> {
    const began = clock.monotonic();
    const taken = take();
    let aside: SetAside | undefined;
    at('before-commit');
    // If we die here nothing was written: the same lines are read again and counted the same.
    try {
      const offenders = taken.offenders.flatMap((each) => each.offenders);
      aside = await ledger.commit({ ...taken, offenders }, durable);
    } catch (error) {
      giveBack(taken);
      notBefore = clock.monotonic() + MAX_WAIT;
      const why = error instanceof BailiffError ? error.message : String(error);
      // A row that the ledger refuses is a defect of ours, and is named as such: no room on the disk would mend it.
      const isDefect = error instanceof BailiffError && error.code === 'E_INTERNAL';
      faults.raise(
        isDefect ? DEFECT : FAULT,
        `The ledger can't be written, blocking goes on from memory: ${why}`,
      );
      log.error({ why }, 'commit failed');
      return false;
    }
    if (aside) {
      rewrite(aside, taken);
      // It waits for the disk: until it is there, nothing of all this is written anywhere.
      return write(true);
    }
    // If we die here everything up to these positions is known, and none of it is read again.
    notBefore = 0;
    lastEnded = clock.monotonic();
    pause = Math.min(LONGEST_PAUSE, (lastEnded - began) * PAUSE);
    shortPause = Math.min(LONGEST_PAUSE_OF_BANS, pause);
    reports.written(taken);
    bans.written(taken);
    at('after-commit');
    faults.clear(FAULT);
    faults.clear(DEFECT);
    return true;
  }

  const countDirty = (): number => {
    let count = goneOffenders.length + sessions.dirty;
    for (const jail of jails()) count += jail.dirty;
    return count;
  };

  return {
    moved(position) {
      if (position) {
        positions.set(position.id, position);
        standing.set(position.id, position);
      }
      dirtySince ??= clock.monotonic();
    },
    forgetPositions(ids) {
      for (const id of ids) {
        positions.delete(id);
        standing.delete(id);
      }
      goneFiles.push(...ids);
    },
    forgetOffenders(jail, addresses) {
      for (const address of addresses) goneOffenders.push({ jail, address });
    },
    get isResting() {
      return clock.monotonic() < notBefore;
    },
    get unforgotten() {
      return goneOffenders.length;
    },
    get keptTooLong() {
      return keptTooLong;
    },
    get pauseOfBans() {
      return Math.max(0, lastEnded + shortPause - clock.monotonic());
    },
    isDue() {
      const now = clock.monotonic();
      if (now < notBefore) return false;
      if (bans.hasDirty) return now >= lastEnded + shortPause;
      if (now < lastEnded + pause) return false;
      return (dirtySince !== undefined && now - dirtySince >= MAX_WAIT) || countDirty() >= MAX_DIRTY;
    },
    commit(durable) {
      const mine = running.then(() => write(durable));
      running = mine;
      return mine;
    },
  };
}
