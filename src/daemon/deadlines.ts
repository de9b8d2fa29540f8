// What is due when: a binary heap. Entries that became stale are passed over when they come up, never searched for.
import type { Instant } from '../model.ts';

export interface Deadlines<T> {
  add(item: T, at: Instant): void;
  /** The earliest instant of an item that is still current. */
  next(isCurrent: IsCurrent<T>): Instant | undefined;
  /** Removes and returns up to `most` of the current items due at or before `now`, earliest first. */
  takeDue(now: Instant, isCurrent: IsCurrent<T>, most?: number): T[];
  /** Entries, stale ones too: never more than twice the current ones and some. */
  readonly size: number;
}

/** Is the item still there, and due at that instant? */
type IsCurrent<T> = (item: T, at: Instant) => boolean;

/** Below so many entries stale ones need not be looked for. */
const FEW = 2_000;

/** @param held how many there are of what has deadlines, where it is known: up to twice as many nothing is searched for. */
export function createDeadlines<T>(held: () => number = () => 0): Deadlines<T> {
  // Side by side: numbers that stand in a list need no object each.
  let items: T[] = [];
  let instants: Instant[] = [];
  let most = FEW;

  function put(index: number, item: T, at: Instant): void {
    items[index] = item;
    instants[index] = at;
  }

  /** Bans that are lifted and passed anew leave entries that come up in a week, or never. */
  function compact(isCurrent: IsCurrent<T>): void {
    if (items.length <= Math.max(most, held() * 2)) return;
    const current = [...items.keys()].filter((index) => isCurrent(items[index]!, instants[index]!));
    // What is in order is a heap.
    current.sort((a, b) => instants[a]! - instants[b]!);
    [items, instants] = [current.map((index) => items[index]!), current.map((index) => instants[index]!)];
    most = Math.max(FEW, items.length * 2);
  }

  function pop(): void {
    const item = items.pop()!;
    const at = instants.pop()!;
    const { length } = items;
    if (length === 0) return;
    let hole = 0;
    for (let child = 1; child < length; child = 2 * hole + 1) {
      if (child + 1 < length && instants[child + 1]! < instants[child]!) child++;
      if (instants[child]! >= at) break;
      put(hole, items[child]!, instants[child]!);
      hole = child;
    }
    put(hole, item, at);
  }

  return {
    add(item, at) {
      let hole = items.length;
      while (hole > 0) {
        const parent = (hole - 1) >> 1;
        if (instants[parent]! <= at) break;
        put(hole, items[parent]!, instants[parent]!);
        hole = parent;
      }
      put(hole, item, at);
    },
    next(isCurrent) {
      compact(isCurrent);
      while (items.length > 0 && !isCurrent(items[0]!, instants[0]!)) pop();
      return instants[0];
    },
    get size() {
      return items.length;
    },
    takeDue(now, isCurrent, limit = Infinity) {
      const due: T[] = [];
      while (due.length < limit && items.length > 0 && instants[0]! <= now) {
        const [item, at] = [items[0]!, instants[0]!];
        pop();
        if (isCurrent(item, at)) due.push(item);
      }
      return due;
    },
  };
}
