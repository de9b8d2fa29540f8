// Whatever grows with what others write, with how much of it there is, how much there may be, and how much was let go: so
// that nothing is forgotten in silence.
import type { BoundView } from '../../api/contract.ts';
import type { Config } from '../../config/contract.ts';
import { REPORTS_UNWRITTEN } from '../reports/reports.ts';
import type { ReportMemory } from '../reports/report-memory.ts';
import type { Bans } from '../bans.ts';
import { UNWRITTEN } from '../bans.ts';
import type { Committer } from '../committer.ts';
import { GONE } from '../committer.ts';
import type { Sessions } from '../intake/sessions.ts';
import type { Housekeeping } from '../service/housekeeping.ts';
import type { Sittings } from '../sitting.ts';
import type { Backlog } from './backlog.ts';
import type { Events } from './events.ts';

export interface BoundParts {
  config(): Config;
  readonly sittings: Pick<Sittings, 'all'>;
  readonly bans: Bans;
  readonly sessions: Sessions;
  readonly committer: Committer;
  readonly reportMemory: ReportMemory;
  readonly events: Events;
  readonly housekeeping: Pick<Housekeeping, 'use'>;
  readonly backlog: Backlog;
  /** How many bans made room for others. */
  displaced(): number;
}

/** @returns one row for each, as `status` shows them. */
export function createBounds(parts: BoundParts): () => BoundView[] {
  const { bans, sessions, committer, reportMemory, events, housekeeping, backlog } = parts;
  return () => {
    const { limits } = parts.config();
    const jails = parts.sittings.all.map(({ jail }) => jail);
    const sum = (of: (jail: (typeof jails)[number]) => number): number =>
      jails.reduce((all, jail) => all + of(jail), 0);
    const { size: sessionCount, most: mostSessions, evicted: sessionsEvicted } = sessions;
    const ledger = housekeeping.use();
    return [
      {
        what: 'offenders',
        held: sum(({ size }) => size),
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
