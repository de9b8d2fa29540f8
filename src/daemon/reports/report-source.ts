// Reports by applications as `status` shows them: a source like the logs, with what came, what was refused, and why.
import type { ReportOutcome } from '../../api/contract.ts';
import type { Instant } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import type { SourceStatus } from '../../sources/contract.ts';
import { createFaults } from '../telling/faults.ts';
import type { Sittings } from '../sitting.ts';

/** Its id among the sources. No path is called so: they are absolute. */
export const REPORTS = 'reports';

/** `lines` are reports, `skipped` those that were refused. */
export type ReportStatus = Omit<SourceStatus, 'kind'> & { readonly kind: 'report' };

export interface ReportSource {
  /** Reports that came together, with what became of each. */
  note(jails: readonly string[], outcomes: readonly ReportOutcome[]): void;
  /** One row; none where no jail takes reports and none ever came. */
  status(): readonly ReportStatus[];
  /** When the last one came. */
  readonly last: Instant | undefined;
}

export function createReportSource(sittings: Pick<Sittings, 'all' | 'find'>, clock: Clock): ReportSource {
  const faults = createFaults(clock);
  let seen = 0;
  let refused = 0;
  let last: Instant | undefined;

  /** Whoever reports to the wrong jail believes that it counts: the administrator alone can mend that. */
  function complain(jail: string): void {
    // The name is the reporter's own text, unless it is one of ours.
    const named = sittings.find(jail)
      ? `the jail "${jail}" are refused: it takes none`
      : 'a jail that there is not, or that is disabled, are refused';
    faults.raise('W_REPORT_REFUSED', `Reports to ${named}.`);
  }

  return {
    note(jails, outcomes) {
      last = clock.now();
      seen += outcomes.length;
      outcomes.forEach(({ outcome, code }, index) => {
        if (outcome !== 'refused') return;
        refused++;
        if (code === 'E_UNKNOWN_JAIL') complain(jails[index]!);
      });
    },
    status() {
      const isOpen = sittings.all.some(({ ready }) => ready.config.reports);
      if (!isOpen && seen === 0) return [];
      const state = isOpen ? 'following' : 'waiting';
      return [
        { id: REPORTS, kind: 'report', state, lag: 0, lines: seen, skipped: refused, faults: faults.list() },
      ];
    },
    get last() {
      return last;
    },
  };
}
