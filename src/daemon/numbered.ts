// Things by a number that only grows, in its order: many small maps, so that it grows in small steps and one can begin anywhere.
// Pure.

export interface Numbered<T> {
  readonly size: number;
  get(number: number): T | undefined;
  /** A new number must be higher than all that there were. */
  set(number: number, thing: T): void;
  delete(number: number): void;
  /** In order of number. What is added or deleted meanwhile is met or not. @param after only those with a higher number. */
  values(after?: number): IterableIterator<T>;
}

/** Numbers of one map. */
const TOGETHER = 8_192;

export function createNumbered<T>(): Numbered<T> {
  const maps = new Map<number, Map<number, T>>();
  let size = 0;
  const partOf = (number: number): number => Math.floor(number / TOGETHER);
  return {
    get size() {
      return size;
    },
    get: (number) => maps.get(partOf(number))?.get(number),
    set(number, thing) {
      let map = maps.get(partOf(number));
      if (!map) maps.set(partOf(number), (map = new Map<number, T>()));
      const before = map.size;
      map.set(number, thing);
      size += map.size - before;
    },
    delete(number) {
      const map = maps.get(partOf(number));
      if (!map?.delete(number)) return;
      size--;
      if (map.size === 0) maps.delete(partOf(number));
    },
    *values(after = -Infinity) {
      for (const [part, map] of maps) {
        if ((part + 1) * TOGETHER <= after) continue;
        if (part * TOGETHER > after) yield* map.values();
        else for (const [number, thing] of map) if (number > after) yield thing;
      }
    },
  };
}
