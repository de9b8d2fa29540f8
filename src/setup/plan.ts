// Which filters a file is scanned with, and which jails hear of their matches. Made once per set of watch patterns.
import { RECIDIVE } from '../config/contract.ts';
import type { Filter, Scanner } from '../filters/contract.ts';
import { createScanner } from '../filters/index.ts';

export interface Plan<J> {
  readonly scanner: Scanner;
  /** By the scanner's index of a filter: the jails that use it on this file. */
  readonly jailsOf: readonly (readonly J[])[];
  /** The jails that count bans, whichever file they come from. */
  readonly recidive: readonly J[];
}

export interface Plans<J> {
  /** The jails that count bans. */
  readonly recidive: readonly J[];
  /** The plan of a file that these watch patterns name. */
  of(patterns: readonly string[]): Plan<J>;
  /** A plan for certain jails, whatever their logs are called (`replay --jail`). */
  for(jails: readonly J[]): Plan<J>;
}

interface HasLogs {
  readonly filters: readonly Filter[];
  readonly config: { readonly logs: readonly string[]; readonly filters: readonly string[] };
}

/** Plans over jails; `readyOf` gives what was set up for one. */
export function createPlans<J>(jails: readonly J[], readyOf: (jail: J) => HasLogs): Plans<J> {
  const plans = new Map<string, Plan<J>>();
  const recidive = jails.filter((jail) => readyOf(jail).config.filters.includes(RECIDIVE));
  const make = (chosen: readonly J[]): Plan<J> => {
    const users = new Map<Filter, J[]>();
    for (const jail of chosen)
      for (const filter of readyOf(jail).filters) users.set(filter, [...(users.get(filter) ?? []), jail]);
    return { scanner: createScanner([...users.keys()]), jailsOf: [...users.values()], recidive };
  };
  return {
    recidive,
    of(patterns) {
      const key = patterns.join('\0');
      let plan = plans.get(key);
      if (!plan) {
        plan = make(jails.filter((jail) => readyOf(jail).config.logs.some((log) => patterns.includes(log))));
        plans.set(key, plan);
      }
      return plan;
    },
    for: make,
  };
}
