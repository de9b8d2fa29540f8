// Everything that a ledger remembers, its offenders with the rest.
import type { Ledger } from '../../src/ledger/contract.ts';

export function rememberedBy(ledger: Ledger) {
  const { damaged, openBans, ...rest } = ledger.load();
  const pages = [...ledger.offenders()];
  return {
    ...rest,
    openBans: [...openBans],
    offenders: pages.flatMap(({ sound }) => sound),
    damaged: pages.reduce((sum, page) => sum + page.damaged, damaged),
  };
}
