// What is due when: a binary heap. Entries that became stale are passed over when they come up, never searched for.
import type { Instant } from '../model.ts';

export interface Deadlines<T> {
  add(at: Instant, item: T): void;
  /** The earliest instant of an item that is still current. */
  next(isCurrent: (item: T) => boolean): Instant | undefined;
  /** Removes and returns the current items due at or before `now`, earliest first. */
  takeDue(now: Instant, isCurrent: (item: T) => boolean): T[];
}

export function createDeadlines<T>(): Deadlines<T> {
  const heap: { at: Instant; item: T }[] = [];

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
      while (heap.length > 0 && !isCurrent(heap[0]!.item)) pop();
      return heap[0]?.at;
    },
    takeDue(now, isCurrent) {
      const due: T[] = [];
      while (heap.length > 0 && heap[0]!.at <= now) {
        const { item } = heap[0]!;
        pop();
        if (isCurrent(item)) due.push(item);
      }
      return due;
    },
  };
}
