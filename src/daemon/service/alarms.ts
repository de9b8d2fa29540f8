// What had to be let go for want of room is not only counted: it is a fault that says what, how much and from where, and
// that is cleared once nothing more has been let go for a while.
import type { Cancel, Clock } from '../../ports.ts';
import type { Duration } from '../../model.ts';
import type { Jail } from '../../jails/contract.ts';
import type { Backlog } from '../telling/backlog.ts';
import type { Faults } from '../telling/faults.ts';
import { every } from './timers.ts';

const LOOK: Duration = 5_000;
const QUIET: Duration = 10 * 60_000;
/** So many networks are named. */
const NAMED = 3;

export interface AlarmParts {
  jails(): readonly Jail[];
  /** How many bans made room for others so far. */
  displaced(): number;
  /** How many ended bans will never be in the ledger, because it couldn't be written for so long. */
  lost(): number;
  readonly backlog: Pick<Backlog, 'fault'>;
  readonly clock: Clock;
  readonly faults: Faults;
  fail(error: unknown): void;
}

/** A number that only grows while there is something to tell. */
interface Alarm {
  readonly code: string;
  count(): number;
  message(more: number): string;
}

/** @returns what ends it. */
export function keepAlarms(parts: AlarmParts): Cancel {
  const { clock, faults } = parts;
  const alarms: readonly Alarm[] = [
    {
      code: 'W_OFFENDERS_EVICTED',
      count: () => parts.jails().reduce((sum, { stats }) => sum + stats.evicted, 0),
      message: () => evictedIn(parts.jails()),
    },
    {
      code: 'W_BANS_DISPLACED',
      count: parts.displaced,
      message: () =>
        `${parts.displaced()} bans have ended before their time since the start: more are in force than "limits.bans" allows.`,
    },
    {
      code: 'W_HISTORY_LOST',
      count: parts.lost,
      message: () =>
        `${parts.lost()} bans that have ended will not stand in the history: the ledger could not be written for too long.`,
    },
  ];
  // All counts begin with the daemon.
  const told = new Map(alarms.map(({ code }) => [code, { count: 0, at: -Infinity }]));

  function look(): void {
    for (const { code, count, message } of alarms) {
      const before = told.get(code)!;
      const now = count();
      if (now > before.count) {
        faults.raise(code, message(now - before.count));
        told.set(code, { count: now, at: clock.monotonic() });
        // A jail that left takes its count along.
      } else if (now < before.count) told.set(code, { ...before, count: now });
      else if (clock.monotonic() - before.at >= QUIET) faults.clear(code);
    }
    const behind = parts.backlog.fault();
    if (behind === undefined) faults.clear('W_FIREWALL_BEHIND');
    else faults.raise('W_FIREWALL_BEHIND', behind);
  }
  return every(clock, LOOK, look, parts.fail);
}

function evictedIn(jails: readonly Jail[]): string {
  const crowded = jails
    .filter(({ stats }) => stats.evicted > 0)
    .toSorted((a, b) => b.stats.evicted - a.stats.evicted);
  const each = crowded.map(({ rules, stats, crowds }) => {
    const from = crowds
      .largest(NAMED)
      .map(({ network, matches }) => `${network.text} with ${matches} matches`);
    return `${rules.name} ${stats.evicted}${from.length === 0 ? '' : ` (of late most from ${from.join(', ')})`}`;
  });
  return `Offenders far from a ban were forgotten to make room for others, since the start: ${each.join('; ')}.`;
}
