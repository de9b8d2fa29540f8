// What no event announces: offenders and sessions of whom nothing is to be remembered, the host's own addresses, and what
// others do to our part of the kernel.
import { reasonOf } from '../errors.ts';
import type { Cancel, Clock } from '../ports.ts';
import type { Committer } from './committer.ts';
import type { Enforcer } from './enforcer.ts';
import type { Faults } from './faults.ts';
import type { Protection } from './protection.ts';
import type { Sessions } from './sessions.ts';
import type { Sittings } from './sitting.ts';
import { every } from './timers.ts';

const REFRESH_HOST = 30_000;
const PRUNE = 60_000;
const AUDIT = 60_000;
/** The kernel is looked at for so small a part of the time at most, however much it holds. */
const AUDIT_SHARE = 1 / 100;
/** Lines may be read so late and still find the session that they belong to. */
const LATENESS = 7 * 86_400_000;

export interface UpkeepParts {
  readonly protection: Protection;
  readonly sittings: Sittings;
  readonly sessions: Sessions;
  readonly committer: Committer;
  readonly enforcer: Enforcer;
  readonly clock: Clock;
  readonly faults: Faults;
  /** No source has a backlog: old lines that need what is to be forgotten are not to come any more. */
  isAtRest(): boolean;
  fail(error: unknown): void;
}

/** @returns what ends it. */
export function keepUp(parts: UpkeepParts): Cancel[] {
  const { protection, sittings, sessions, committer, enforcer, clock, faults } = parts;
  let evicted = 0;
  let nextAudit = 0;

  function prune(): void {
    if (!parts.isAtRest()) return;
    for (const jail of sittings.jails) {
      committer.forgetOffenders(jail.rules.name, jail.prune(clock.now()));
      jail.welcomes.prune(clock.now() - LATENESS);
    }
    sessions.prune(clock.now() - LATENESS);
  }

  async function audit(): Promise<void> {
    const began = clock.monotonic();
    if (began < nextAudit) return;
    nextAudit = Infinity;
    try {
      await enforcer.audit();
    } finally {
      const ended = clock.monotonic();
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

  function refreshHost(): void {
    try {
      protection.refresh();
      faults.clear('W_HOST_UNKNOWN');
    } catch (error) {
      const why = reasonOf(error);
      faults.raise(
        'W_HOST_UNKNOWN',
        `This host's own addresses can't be read (${why}); the known ones stay protected.`,
      );
    }
  }

  return [
    every(clock, REFRESH_HOST, refreshHost, parts.fail),
    every(clock, PRUNE, prune, parts.fail),
    every(clock, PRUNE, tellEvicted, parts.fail),
    every(clock, AUDIT, () => void audit().catch(parts.fail), parts.fail),
  ];
}
