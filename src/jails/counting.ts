// The matches of every offender of a jail that can still count towards a sentence, by instant. All of them lie in one field
// of numbers: an object for each would be most of what an offender takes, and would be looked for all over the memory.
import type { Duration, Instant } from '../model.ts';

/**
 * Where the stamps of one offender lie: distinct instants in order, and how many matches bear each of them.
 *
 * Stamps are kept to twice findTime behind the newest: a line that arrives out of order may still be up to findTime
 * older than the newest, and may then complete a window that reaches as far back again. So a ban falls exactly where
 * maxRetry matches lie within findTime, in whatever order their lines came.
 */
export interface Window {
  /** The block that is his, which has room for two to the power of `room` pairs; -1: he has none. */
  block: number;
  room: number;
  /** His pairs: where the first one lies, and how many there are. */
  first: number;
  length: number;
  /** How many pairs lie more than findTime before the newest, and the sum of those that don't. */
  from: number;
  total: number;
}

/** All windows of one jail. */
export interface Windows {
  /** The latest instant, `-Infinity` in an empty window. */
  newestOf(window: Window): Instant;
  /**
   * Adds `count` matches at `at`, which is at most findTime older than the newest.
   * @returns the largest number of matches that lie within findTime of each other, these among them.
   */
  insert(window: Window, at: Instant, count: number): number;
  /** Forgets all; its room is others' from now on. */
  clear(window: Window): void;
  /** The pairs in order; they are not the window's own. */
  stampsOf(window: Window): (readonly [Instant, number])[];
}

/** In pairs. */
const LEAST_ROOM = 256;

export function createWindows(findTime: Duration): Windows {
  /** An instant and a count, one pair after the other. */
  let pairs = new Float64Array(LEAST_ROOM * 2);
  let used = 0;
  /** Blocks that were given back, by the power of two that they have room for. */
  const free: number[][] = [];

  function blockOf(room: number): number {
    const known = free[room]?.pop();
    if (known !== undefined) return known;
    const block = used;
    used += 1 << room;
    if (used * 2 > pairs.length) {
      const larger = new Float64Array(Math.max(used * 2, Math.ceil(pairs.length * 1.5)));
      larger.set(pairs);
      pairs = larger;
    }
    return block;
  }

  function giveBack({ block, room }: Window): void {
    if (room >= 0) (free[room] ??= []).push(block);
  }

  /** Room for one more pair behind the last one. */
  function widen(window: Window): void {
    const { block, room, first, length } = window;
    if (room >= 0 && first + length < block + (1 << room)) return;
    if (room >= 0 && length * 2 <= 1 << room) {
      pairs.copyWithin(block * 2, first * 2, (first + length) * 2);
      window.first = block;
      return;
    }
    const larger = blockOf(room + 1);
    pairs.copyWithin(larger * 2, first * 2, (first + length) * 2);
    giveBack(window);
    window.block = window.first = larger;
    window.room = room + 1;
  }

  const instantOf = ({ first }: Window, index: number): Instant => pairs[(first + index) * 2]!;
  const countOf = ({ first }: Window, index: number): number => pairs[(first + index) * 2 + 1]!;

  /** Moves the lower edge up to `floor`; pairs more than findTime below it can't count with anything that is still to come. */
  function slide(window: Window, floor: Instant): void {
    while (window.from < window.length && instantOf(window, window.from) < floor)
      window.total -= countOf(window, window.from++);
    while (window.from > 0 && instantOf(window, 0) < floor - findTime) {
      window.first++;
      window.length--;
      window.from--;
    }
    if (window.length === 0 && window.room >= 0) window.first = window.block;
  }

  function put(window: Window, index: number, at: Instant, count: number): void {
    widen(window);
    const place = (window.first + index) * 2;
    if (index < window.length) pairs.copyWithin(place + 2, place, (window.first + window.length) * 2);
    pairs[place] = at;
    pairs[place + 1] = count;
    window.length++;
  }

  /** The largest sum over any stretch of findTime that holds the pair at `index`. */
  function densest(window: Window, index: number): number {
    const at = instantOf(window, index);
    let start = index;
    let sum = countOf(window, index);
    while (start > 0 && instantOf(window, start - 1) >= at - findTime) sum += countOf(window, --start);
    let best = sum;
    for (let end = index + 1; end < window.length && instantOf(window, end) <= at + findTime; end++) {
      sum += countOf(window, end);
      while (instantOf(window, start) < instantOf(window, end) - findTime) sum -= countOf(window, start++);
      best = Math.max(best, sum);
    }
    return best;
  }

  return {
    newestOf: ({ first, length }) => (length > 0 ? pairs[(first + length - 1) * 2]! : -Infinity),
    insert(window, at, count) {
      const last = window.length - 1;
      if (last < 0 || at > instantOf(window, last)) {
        slide(window, at - findTime);
        put(window, window.length, at, count);
        return (window.total += count);
      }
      window.total += count;
      let index = last;
      while (index >= 0 && instantOf(window, index) > at) index--;
      if (index >= 0 && instantOf(window, index) === at) pairs[(window.first + index) * 2 + 1]! += count;
      else put(window, ++index, at, count);
      return index === window.length - 1 ? window.total : densest(window, index);
    },
    clear(window) {
      giveBack(window);
      window.block = window.first = window.length = window.from = window.total = 0;
      window.room = -1;
    },
    stampsOf(window) {
      const stamps: (readonly [Instant, number])[] = [];
      for (let index = 0; index < window.length; index++)
        stamps.push([instantOf(window, index), countOf(window, index)]);
      return stamps;
    },
  };
}
