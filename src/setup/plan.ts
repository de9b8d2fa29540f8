// Which filters a file is scanned with, and which jails hear of their matches. Made once per set of watch patterns.
import { RECIDIVE } from '../config/contract.ts';
import type { Filter, Scanner } from '../filters/contract.ts';
import { createScanner, createSearchRoom } from '../filters/index.ts';

export interface Plan<J> {
  readonly scanner: Scanner;
  /** By the scanner's index of a filter: the jails that use it on this file. */
  readonly jailsOf: readonly (readonly J[])[];
  /** By the scanner's index of a filter: the jails in which its successes protect their address. */
  readonly welcomingTo: readonly (readonly J[])[];
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

interface HasFilters {
  readonly filters: readonly Filter[];
  readonly config: { readonly filters: readonly string[] };
}

/** Plans over jails; `readyOf` gives what was set up for one, `patternsOf` the patterns and sources that it hears of. */
export function createPlans<J>(
  jails: readonly J[],
  readyOf: (jail: J) => HasFilters,
  patternsOf: (jail: J) => readonly string[],
): Plans<J> {
  const plans = new Map<string, Plan<J>>();
  const room = createSearchRoom();
  const recidive = jails.filter((jail) => readyOf(jail).config.filters.includes(RECIDIVE));
  const make = (chosen: readonly J[]): Plan<J> => {
    const users = new Map<Filter, J[]>();
    for (const jail of chosen)
      for (const filter of readyOf(jail).filters) users.set(filter, [...(users.get(filter) ?? []), jail]);
    const welcomingTo = Array.from(users, ([{ definition }, own]) =>
      definition.protects === 'host' ? jails : definition.protects === 'jail' ? own : [],
    );
    const scanner = createScanner([...users.keys()], room);
    return { scanner, jailsOf: [...users.values()], welcomingTo, recidive };
  };
  return {
    recidive,
    of(patterns) {
      const key = patterns.join('\0');
      let plan = plans.get(key);
      if (!plan) {
        plan = make(jails.filter((jail) => patternsOf(jail).some((pattern) => patterns.includes(pattern))));
        plans.set(key, plan);
      }
      return plan;
    },
    for: make,
  };
}
