// Whatever grows with what others write, with how much of it there is, how much there may be, and how much was let go: so
// that nothing is forgotten in silence.
import type { BoundView } from '../../api/contract.ts';
import type { Limits } from '../../config/contract.ts';
import type { Jail } from '../../jails/contract.ts';
import { REPORTS_UNWRITTEN } from '../reports/reports.ts';
import type { ReportMemory } from '../reports/report-memory.ts';
import type { Bans } from '../bans.ts';
import { UNWRITTEN } from '../bans.ts';
import type { Committer } from '../committer.ts';
import { GONE } from '../committer.ts';
import type { Sessions } from '../intake/sessions.ts';
import type { Housekeeping } from '../service/housekeeping.ts';
import type { Backlog } from './backlog.ts';
import type { Events } from './events.ts';

export interface BoundParts {
  limits(): Limits;
  /** Those in session. */
  jails(): readonly Jail[];
  readonly bans: Bans;
  readonly sessions: Pick<Sessions, 'size' | 'most' | 'evicted'>;
  readonly committer: Pick<Committer, 'unforgotten' | 'keptTooLong'>;
  readonly reportMemory: Pick<ReportMemory, 'dirty' | 'refused'>;
  readonly events: Pick<Events, 'held' | 'most' | 'overrun'>;
  readonly housekeeping: Pick<Housekeeping, 'use'>;
  readonly backlog: Pick<Backlog, 'waiting'>;
  /** How many bans made room for others. */
  displaced(): number;
}

/** @returns one row for each, as `status` shows them. */
export function createBounds(parts: BoundParts): () => BoundView[] {
  const { bans, sessions, committer, reportMemory, events, housekeeping, backlog } = parts;
  return () => {
    const limits = parts.limits();
    const jails = parts.jails();
    const sum = (of: (jail: Jail) => number): number => jails.reduce((all, jail) => all + of(jail), 0);
    const { size: sessionCount, most: mostSessions, evicted: sessionsEvicted } = sessions;
    const ledger = housekeeping.use();
    return [
      {
        what: 'offenders',
        // Who is banned is never let go to make room, and stands among the bans.
        held: sum(({ size, rules }) => Math.max(0, size - bans.countIn(rules.name))),
        most: limits.offenders,
        dropped: sum(({ stats }) => stats.evicted),
      },
      {
        what: 'evidence',
        held: sum(({ weight }) => weight),
        most: limits.evidence,
        dropped: sum(({ stats }) => stats.thinned),
      },
      {
        what: 'log-ins',
        held: sum(({ welcomes }) => welcomes.size),
        most: sum(({ welcomes }) => welcomes.most),
        dropped: sum(({ welcomes }) => welcomes.evicted),
      },
      { what: 'bans', held: bans.size, most: limits.bans, dropped: parts.displaced() },
      { what: 'sessions', held: sessionCount, most: mostSessions, dropped: sessionsEvicted },
      { what: 'reports', held: reportMemory.dirty, most: REPORTS_UNWRITTEN, dropped: reportMemory.refused },
      { what: 'unwritten', held: bans.unwritten, most: UNWRITTEN, dropped: bans.lost },
      { what: 'unforgotten', held: committer.unforgotten, most: GONE, dropped: committer.keptTooLong },
      { what: 'events', held: events.held, most: events.most, dropped: events.overrun },
      { what: 'ledger', held: ledger.used, most: ledger.most, dropped: ledger.forgotten },
      { what: 'kernel', held: backlog.waiting, most: null, dropped: 0 },
    ];
  };
}
