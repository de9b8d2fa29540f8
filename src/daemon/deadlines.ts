// What is due when: a binary heap. Entries that became stale are passed over when they come up, never searched for.
import type { Instant } from '../model.ts';

export interface Deadlines<T> {
  add(item: T): void;
  /** The earliest instant of an item that is still current. */
  next(isCurrent: (item: T) => boolean): Instant | undefined;
  /** Removes and returns up to `most` of the current items due at or before `now`, earliest first. */
  takeDue(now: Instant, isCurrent: (item: T) => boolean, most?: number): T[];
  /** Entries, stale ones too: never more than twice the current ones and some. */
  readonly size: number;
}

/** Below so many entries stale ones need not be looked for. */
const FEW = 2_000;

/**
 * @param atOf when an item is due: always the same instant.
 * @param held how many there are of what has deadlines, where it is known: up to twice as many nothing is searched for.
 */
export function createDeadlines<T>(atOf: (item: T) => Instant, held: () => number = () => 0): Deadlines<T> {
  let heap: T[] = [];
  let most = FEW;

  /** Bans that are lifted and passed anew leave entries that come up in a week, or never. */
  function compact(isCurrent: (item: T) => boolean): void {
    if (heap.length <= Math.max(most, held() * 2)) return;
    // What is in order is a heap.
    heap = heap.filter(isCurrent).toSorted((a, b) => atOf(a) - atOf(b));
    most = Math.max(FEW, heap.length * 2);
  }

  function pop(): void {
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (let child = 2 * i + 1; child <= 2 * i + 2; child++)
        if (child < heap.length && atOf(heap[child]!) < atOf(heap[least]!)) least = child;
      if (least === i) return;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  }

  return {
    add(item) {
      heap.push(item);
      for (let i = heap.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (atOf(heap[parent]!) <= atOf(heap[i]!)) return;
        [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
        i = parent;
      }
    },
    next(isCurrent) {
      compact(isCurrent);
      while (heap.length > 0 && !isCurrent(heap[0]!)) pop();
      return heap.length === 0 ? undefined : atOf(heap[0]!);
    },
    get size() {
      return heap.length;
    },
    takeDue(now, isCurrent, limit = Infinity) {
      const due: T[] = [];
      while (due.length < limit && heap.length > 0 && atOf(heap[0]!) <= now) {
        const item = heap[0]!;
        pop();
        if (isCurrent(item)) due.push(item);
      }
      return due;
    },
  };
}
