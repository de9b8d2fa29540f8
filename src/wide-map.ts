// A map by text that grows in small steps. JavaScript's copies all it holds each time it doubles: a tenth of a second for half
// a million keys, in which nobody is answered. This one is many small maps. Pure.

export interface WideMap<V> {
  readonly size: number;
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  /** @returns whether it was there. */
  delete(key: string): boolean;
  /** In no order; what is added or deleted meanwhile is met or not. */
  values(): IterableIterator<V>;
}

/** A power of two. Of a million keys each part has some sixteen thousand, copied within two milliseconds. */
const PARTS = 64;
/** So many characters of a key choose its part: the last ones, for addresses begin alike. */
const TELLING = 8;

export function createWideMap<V>(): WideMap<V> {
  /** Made when they are needed: most hosts ban a handful. */
  const parts: (Map<string, V> | undefined)[] = Array.from({ length: PARTS });
  let size = 0;
  return {
    get size() {
      return size;
    },
    get: (key) => parts[partOf(key)]?.get(key),
    set(key, value) {
      const part = (parts[partOf(key)] ??= new Map<string, V>());
      const before = part.size;
      part.set(key, value);
      size += part.size - before;
    },
    delete(key) {
      const isGone = parts[partOf(key)]?.delete(key) ?? false;
      if (isGone) size--;
      return isGone;
    },
    *values() {
      for (const part of parts) if (part) yield* part.values();
    },
  };
}

function partOf(key: string): number {
  let hash = 0;
  for (let at = Math.max(0, key.length - TELLING); at < key.length; at++)
    hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 6)) & (PARTS - 1);
}
