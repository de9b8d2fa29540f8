// What was answered to reports that came with an id: those that the ledger doesn't know yet, and through it those that it does.
import type { KeptReport, Ledger } from '../../ledger/contract.ts';
import { REPORTS_KEPT_FOR } from '../../ledger/contract.ts';
import type { Instant } from '../../model.ts';

export interface ReportMemory {
  /** What was answered, not longer ago than such answers are kept. @throws BailiffError E_LEDGER_UNAVAILABLE. */
  find(jail: string, id: string, now: Instant): KeptReport | undefined;
  keep(report: KeptReport): void;
  /** How many the ledger doesn't know. */
  readonly dirty: number;
  /** How many were refused because too many wait. */
  refused: number;
  /** What is new since the last commit, for the ledger; it can still be found. */
  takeDirty(): ReportChanges;
  /** The ledger has them now. */
  written(changes: ReportChanges): void;
  /** What couldn't be written is dirty again. */
  restore(changes: ReportChanges): void;
}

export interface ReportChanges {
  /** In the order in which they came. */
  readonly reports: readonly KeptReport[];
}

export function createReportMemory(ledger: Pick<Ledger, 'report'>): ReportMemory {
  let dirty = new Map<string, KeptReport>();
  const underWay = new Map<string, KeptReport>();
  return {
    refused: 0,
    find(jail, id, now) {
      const key = keyOf({ jail, id });
      const known = dirty.get(key) ?? underWay.get(key) ?? ledger.report(jail, id);
      return known && known.at > now - REPORTS_KEPT_FOR ? known : undefined;
    },
    keep: (report) => void dirty.set(keyOf(report), report),
    get dirty() {
      return dirty.size + underWay.size;
    },
    takeDirty() {
      for (const [key, report] of dirty) underWay.set(key, report);
      const reports = [...dirty.values()];
      dirty = new Map();
      return { reports };
    },
    written({ reports }) {
      for (const report of reports) underWay.delete(keyOf(report));
    },
    restore({ reports }) {
      const before = reports.map((report) => [keyOf(report), report] as const);
      for (const [key] of before) underWay.delete(key);
      dirty = new Map([...before, ...dirty]);
    },
  };
}

function keyOf({ jail, id }: { readonly jail: string; readonly id: string }): string {
  return `${jail}\0${id}`;
}
