// What is due when: a binary heap. Entries that became stale are passed over when they come up, never searched for.
import type { Instant } from '../model.ts';

export interface Deadlines<T> {
  add(at: Instant, item: T): void;
  /** The earliest instant of an item that is still current. */
  next(isCurrent: (item: T) => boolean): Instant | undefined;
  /** Removes and returns up to `most` of the current items due at or before `now`, earliest first. */
  takeDue(now: Instant, isCurrent: (item: T) => boolean, most?: number): T[];
  /** Entries, stale ones too: never more than twice the current ones and some. */
  readonly size: number;
}

/** Below so many entries stale ones need not be looked for. */
const FEW = 2_000;

/** @param held how many there are of what has deadlines, where it is known: up to twice as many nothing is searched for. */
export function createDeadlines<T>(held: () => number = () => 0): Deadlines<T> {
  let heap: { at: Instant; item: T }[] = [];
  let most = FEW;

  /** Bans that are lifted and passed anew leave entries that come up in a week, or never. */
  function compact(isCurrent: (item: T) => boolean): void {
    if (heap.length <= Math.max(most, held() * 2)) return;
    // What is in order is a heap.
    heap = heap.filter(({ item }) => isCurrent(item)).toSorted((a, b) => a.at - b.at);
    most = Math.max(FEW, heap.length * 2);
  }

  function pop(): void {
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && heap[child]!.at < heap[least]!.at) least = child;
      if (least === i) return;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  }

  return {
    add(at, item) {
      heap.push({ at, item });
      for (let i = heap.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (heap[parent]!.at <= heap[i]!.at) return;
        [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
        i = parent;
      }
    },
    next(isCurrent) {
      compact(isCurrent);
      while (heap.length > 0 && !isCurrent(heap[0]!.item)) pop();
      return heap[0]?.at;
    },
    get size() {
      return heap.length;
    },
    takeDue(now, isCurrent, limit = Infinity) {
      const due: T[] = [];
      while (due.length < limit && heap.length > 0 && heap[0]!.at <= now) {
        const { item } = heap[0]!;
        pop();
        if (isCurrent(item)) due.push(item);
      }
      return due;
    },
  };
}
