// Under each key a few things, nearly always one: then it stands there without a list around it. Pure.
import { createWideMap } from '../wide-map.ts';

export interface FewByKey<T> {
  /** How many keys there are. */
  readonly size: number;
  get(key: string): readonly T[];
  /** In the place of what stood there; nothing takes the key away. */
  set(key: string, few: readonly T[]): void;
  /** One more, the last of them. */
  add(key: string, one: T): void;
  all(): Iterable<T>;
  /** Of each key the first one. What is added or taken away meanwhile is met or not. */
  firsts(): Iterable<T>;
}

const NOTHING: readonly never[] = [];

/** Of objects, which no lists are: a hundred thousand lists of one take some ten megabytes. */
export function createFewByKey<T extends object>(): FewByKey<T> {
  const few = createWideMap<T | readonly T[]>();
  return {
    get size() {
      return few.size;
    },
    get(key) {
      const known = few.get(key);
      if (known === undefined) return NOTHING;
      return isList<T>(known) ? known : [known];
    },
    set(key, list) {
      const [first] = list;
      if (!first) few.delete(key);
      else few.set(key, list.length > 1 ? list : first);
    },
    add(key, one) {
      const known = few.get(key);
      // Nearly always the first and only one.
      if (known === undefined) few.set(key, one);
      else few.set(key, isList<T>(known) ? [...known, one] : [known, one]);
    },
    *firsts() {
      for (const known of few.values()) yield isList<T>(known) ? known[0]! : known;
    },
    *all() {
      for (const known of few.values())
        if (isList<T>(known)) yield* known;
        else yield known;
    },
  };
}

function isList<T extends object>(known: T | readonly T[]): known is readonly T[] {
  return Array.isArray(known);
}
