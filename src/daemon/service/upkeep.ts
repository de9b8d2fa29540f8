// What no event announces: offenders and sessions of whom nothing is to be remembered, and what others do to our part of the
// kernel.
import type { Cancel, Clock } from '../../ports.ts';
import type { Committer } from '../committer.ts';
import type { Rearm } from '../kernel/rearm.ts';
import type { Faults } from '../telling/faults.ts';
import type { Sessions } from '../intake/sessions.ts';
import type { Sittings } from '../sitting.ts';
import type { Timekeeper } from './timekeeper.ts';
import { every } from './timers.ts';

const PRUNE = 60_000;
/** So long it may go unnoticed that somebody else took our rules away (a question of a few milliseconds) … */
const MEND = 5_000;
/** … and single blocks, for which everything is listed. */
const AUDIT = 60_000;
/** The kernel is looked at for so small a part of the time at most, however much it holds. */
const AUDIT_SHARE = 1 / 100;
/** While more comes than can be worked on it is put off, up to this: in a flood of bans a listing takes what they need. */
const AUDIT_AT_LAST = 600_000;
/** Lines may be read so late and still find the session that they belong to. */
const LATENESS = 7 * 86_400_000;

export interface UpkeepParts {
  readonly sittings: Sittings;
  readonly sessions: Sessions;
  readonly committer: Committer;
  readonly rearm: Pick<Rearm, 'mend' | 'audit'>;
  readonly clock: Clock;
  readonly timekeeper: Timekeeper;
  readonly faults: Faults;
  /** No source has a backlog: old lines that need what is to be forgotten are not to come any more. */
  isAtRest(): boolean;
  fail(error: unknown): void;
}

/** @returns what ends it. */
export function keepUp(parts: UpkeepParts): Cancel[] {
  const { sittings, sessions, committer, rearm, clock, faults } = parts;
  let evicted = 0;
  let nextAudit = 0;
  let lastAudit = clock.monotonic();

  function prune(): void {
    // By a clock that is wrong everybody would be forgotten at once.
    if (!parts.isAtRest() || parts.timekeeper.parted) return;
    for (const jail of sittings.jails) {
      committer.forgetOffenders(jail.rules.name, jail.prune(clock.now()));
      jail.welcomes.prune(clock.now() - LATENESS);
    }
    sessions.prune(clock.now() - LATENESS);
  }

  async function audit(): Promise<void> {
    const began = clock.monotonic();
    if (began < nextAudit || (!parts.isAtRest() && began < lastAudit + AUDIT_AT_LAST)) return;
    nextAudit = Infinity;
    try {
      await rearm.audit();
    } finally {
      const ended = clock.monotonic();
      lastAudit = ended;
      nextAudit = ended + (ended - began) / AUDIT_SHARE;
    }
  }

  function tellEvicted(): void {
    if (sessions.evicted === evicted) return faults.clear('W_SESSIONS_EVICTED');
    evicted = sessions.evicted;
    faults.raise(
      'W_SESSIONS_EVICTED',
      `${evicted} sessions were forgotten to make room for newer ones; lines of theirs without an address count nothing.`,
    );
  }

  return [
    every(clock, PRUNE, prune, parts.fail),
    every(clock, PRUNE, tellEvicted, parts.fail),
    every(clock, MEND, () => void rearm.mend().catch(parts.fail), parts.fail),
    every(clock, AUDIT, () => void audit().catch(parts.fail), parts.fail),
  ];
}
