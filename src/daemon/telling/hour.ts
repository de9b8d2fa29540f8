// What each jail did in each of the last sixty minutes. The jails count as ever; here their counts are looked at every
// second and the difference noted, so that a match costs nothing more.
import type { HistoryOfHour } from '../../api/contract.ts';
import type { Jail } from '../../jails/contract.ts';
import type { Clock } from '../../ports.ts';

const MINUTE = 60_000;
const MINUTES = 60;

/** What is looked at of a jail. */
interface Counted {
  readonly rules: Pick<Jail['rules'], 'name'>;
  readonly stats: Pick<Jail['stats'], 'matches' | 'bans'>;
}

export interface Hour {
  /** Notes what was counted since the last call. */
  observe(jails: Iterable<Counted>): void;
  of(jail: string): HistoryOfHour;
}

interface Row {
  readonly seen: { matches: number; bans: number };
  /** By the minute, modulo {@link MINUTES}. */
  readonly matches: number[];
  readonly bans: number[];
}

export function createHour(clock: Clock): Hour {
  const rows = new Map<string, Row>();
  let minute = Math.floor(clock.monotonic() / MINUTE);

  /** Minutes that passed meanwhile begin at nothing. */
  function turn(): void {
    const now = Math.floor(clock.monotonic() / MINUTE);
    for (let each = Math.max(minute + 1, now - MINUTES + 1); each <= now; each++)
      for (const { matches, bans } of rows.values()) matches[each % MINUTES] = bans[each % MINUTES] = 0;
    minute = now;
  }

  function note(counts: number[], seen: number, now: number): void {
    // A jail that was seated anew counts from nothing.
    counts[minute % MINUTES]! += now >= seen ? now - seen : now;
  }

  const inOrder = (counts: readonly number[]): number[] =>
    counts.map((_, index) => counts[(minute + 1 + index) % MINUTES]!);

  return {
    observe(jails) {
      turn();
      const present = new Set<string>();
      for (const { rules, stats } of jails) {
        present.add(rules.name);
        const row = rows.get(rules.name) ?? emptyRow();
        rows.set(rules.name, row);
        note(row.matches, row.seen.matches, stats.matches);
        note(row.bans, row.seen.bans, stats.bans);
        Object.assign(row.seen, { matches: stats.matches, bans: stats.bans });
      }
      for (const name of rows.keys()) if (!present.has(name)) rows.delete(name);
    },
    of(jail) {
      const { matches, bans } = rows.get(jail) ?? emptyRow();
      return { step: MINUTE / 1_000, matches: inOrder(matches), bans: inOrder(bans) };
    },
  };
}

function emptyRow(): Row {
  const zeros = (): number[] => Array.from({ length: MINUTES }, () => 0);
  return { seen: { matches: 0, bans: 0 }, matches: zeros(), bans: zeros() };
}
