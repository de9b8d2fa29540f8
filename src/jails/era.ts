// From when on what was found in the lists, or about log-ins, may be another.
import type { Ignoring } from './contract.ts';
import type { Welcomes } from './welcomes.ts';

/** Begins whenever a list or a log-in may have come to speak for somebody; until the next one nobody need be asked twice. */
export interface Era {
  /** A number that was none before. */
  now(): number;
}

export function createEra({ edition }: Pick<Ignoring, 'edition'>, welcomes: Pick<Welcomes, 'edition'>): Era {
  let number = 0;
  let ofLists = -1;
  let ofWelcomes = -1;
  return {
    now() {
      const lists = edition?.();
      // Lists that don't say when they change are asked each time.
      if (lists === undefined) return ++number;
      if (lists !== ofLists || welcomes.edition !== ofWelcomes) {
        number++;
        ofLists = lists;
        ofWelcomes = welcomes.edition;
      }
      return number;
    },
  };
}
