// The matches of every offender of a jail that can still count towards a sentence, by instant. All of them lie in one field
// of numbers: an object for each would be most of what an offender takes, and would be looked for all over the memory.
import type { Duration, Instant } from '../model.ts';
import { ROW as MATCH, SECOND, type ShortRun } from '../short-run.ts';
import { BLOCK, FIRST, FROM, LENGTH, NEWEST, ROOM, ROW, TOTAL, type Rows } from './rows.ts';

/**
 * All windows of one jail, by the row of the offender: distinct instants in order, and how many matches bear each of them.
 *
 * Stamps are kept to twice findTime behind the newest: a line that arrives out of order may still be up to findTime
 * older than the newest, and may then complete a window that reaches as far back again. So a ban falls exactly where
 * maxRetry matches lie within findTime, in whatever order their lines came.
 */
export interface Windows {
  /**
   * Nothing but that the windows of these rows lie near when they are asked for next, up to {@link ABREAST} of them: whoever
   * fetches them one by one waits for each. Below 0: nobody.
   */
  fetch(rows: Int32Array, many: number): void;
  /** The latest instant, `-Infinity` in an empty window. */
  newestOf(row: number): Instant;
  /** How many matches lie at most findTime before the newest. */
  totalOf(row: number): number;
  /** How many pairs lie further back. */
  pastOf(row: number): number;
  /**
   * Adds `count` matches at `at`, which is at most findTime older than the newest.
   * @returns the largest number of matches that lie within findTime of each other, these among them.
   */
  insert(row: number, at: Instant, count: number): number;
  /**
   * Adds the match at `run.first`, unless it is older than the newest or as many as `most` count already. Instants are numbers
   * that V8 makes an object of for each call that hands them over: this one doesn't.
   * @returns whether it was added.
   */
  addNext(row: number, run: ShortRun, most: number): boolean;
  /** Forgets all; its room is others' from now on. */
  clear(row: number): void;
  /** The pairs in order; they are not the window's own. */
  stampsOf(row: number): (readonly [Instant, number])[];
}

/** So many are looked up before the first of them is counted. */
export const ABREAST = 32;
/** In pairs. */
const LEAST_ROOM = 256;

/**
 * @param rows of each window they have: the block that is its own, which has room for two to the power of `ROOM` pairs (-1: it
 *   has none); where its first pair lies and how many there are; how many of them lie more than findTime before the newest, and
 *   the sum of the others.
 */
export function createWindows(findTime: Duration, rows: Rows): Windows {
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

  function giveBack(row: number): void {
    const room = rows.get(row, ROOM);
    if (room >= 0) (free[room] ??= []).push(rows.get(row, BLOCK));
  }

  /** Room for one more pair behind the last one. */
  function widen(row: number): void {
    const block = rows.get(row, BLOCK);
    const room = rows.get(row, ROOM);
    const first = rows.get(row, FIRST);
    const length = rows.get(row, LENGTH);
    if (room >= 0 && first + length < block + (1 << room)) return;
    if (room >= 0 && length * 2 <= 1 << room) {
      pairs.copyWithin(block * 2, first * 2, (first + length) * 2);
      rows.set(row, FIRST, block);
      return;
    }
    const larger = blockOf(room + 1);
    pairs.copyWithin(larger * 2, first * 2, (first + length) * 2);
    giveBack(row);
    rows.set(row, BLOCK, larger);
    rows.set(row, FIRST, larger);
    rows.set(row, ROOM, room + 1);
  }

  const instantOf = (row: number, index: number): Instant => pairs[(rows.get(row, FIRST) + index) * 2]!;
  const countOf = (row: number, index: number): number => pairs[(rows.get(row, FIRST) + index) * 2 + 1]!;

  /**
   * Adds a match that is the newest: what lies more than findTime before it counts with nothing newer, and what lies twice as
   * far back with nothing that is still to come.
   */
  function append(row: number, at: Instant, count: number): number {
    const { numbers } = rows;
    const base = row * ROW;
    const floor = at - findTime;
    let first = numbers[base + FIRST]!;
    let length = numbers[base + LENGTH]!;
    let from = numbers[base + FROM]!;
    let total = numbers[base + TOTAL]!;
    while (from < length && pairs[(first + from) * 2]! < floor) total -= pairs[(first + from++) * 2 + 1]!;
    while (from > 0 && pairs[first * 2]! < floor - findTime) {
      first++;
      length--;
      from--;
    }
    const room = numbers[base + ROOM]!;
    if (length === 0 && room >= 0) first = numbers[base + BLOCK]!;
    numbers[base + FIRST] = first;
    numbers[base + LENGTH] = length;
    numbers[base + FROM] = from;
    numbers[base + TOTAL] = total + count;
    if (room < 0 || first + length === numbers[base + BLOCK]! + (1 << room)) widen(row);
    const place = (numbers[base + FIRST]! + length) * 2;
    pairs[place] = at;
    pairs[place + 1] = count;
    numbers[base + LENGTH] = length + 1;
    rows.instants[(base + NEWEST) / 2] = at;
    return total + count;
  }

  /** Adds a pair among the others. */
  function put(row: number, index: number, at: Instant, count: number): void {
    widen(row);
    const first = rows.get(row, FIRST);
    const length = rows.get(row, LENGTH);
    const place = (first + index) * 2;
    pairs.copyWithin(place + 2, place, (first + length) * 2);
    pairs[place] = at;
    pairs[place + 1] = count;
    rows.set(row, LENGTH, length + 1);
  }

  /** @returns how many there are now. */
  function add(row: number, count: number): number {
    const total = rows.get(row, TOTAL) + count;
    rows.set(row, TOTAL, total);
    return total;
  }

  /** The largest sum over any stretch of findTime that holds the pair at `index`. */
  function densest(row: number, index: number): number {
    const at = instantOf(row, index);
    const length = rows.get(row, LENGTH);
    let start = index;
    let sum = countOf(row, index);
    while (start > 0 && instantOf(row, start - 1) >= at - findTime) sum += countOf(row, --start);
    let best = sum;
    for (let end = index + 1; end < length && instantOf(row, end) <= at + findTime; end++) {
      sum += countOf(row, end);
      while (instantOf(row, start) < instantOf(row, end) - findTime) sum -= countOf(row, start++);
      best = Math.max(best, sum);
    }
    return best;
  }

  // What is fetched ahead: where each window begins and how long it is, and its two ends, of which the sum is kept only so that
  // it is fetched.
  const firsts = new Int32Array(ABREAST);
  const lengths = new Int32Array(ABREAST);
  const fetched = new Float64Array(ABREAST);

  return {
    fetch(indices, many) {
      const { numbers } = rows;
      for (let one = 0; one < many; one++) {
        const base = Math.max(indices[one]!, 0) * ROW;
        firsts[one] = numbers[base + FIRST]!;
        lengths[one] = numbers[base + LENGTH]!;
      }
      for (let one = 0; one < many; one++) {
        const first = firsts[one]!;
        fetched[one] = pairs[first * 2]! + pairs[(first + Math.max(lengths[one]! - 1, 0)) * 2]!;
      }
    },
    newestOf: rows.newestOf,
    totalOf: (row) => rows.get(row, TOTAL),
    pastOf: (row) => rows.get(row, FROM),
    insert(row, at, count) {
      if (at > rows.newestOf(row)) return append(row, at, count);
      const last = rows.get(row, LENGTH) - 1;
      const total = add(row, count);
      let index = last;
      while (index >= 0 && instantOf(row, index) > at) index--;
      if (index >= 0 && instantOf(row, index) === at) pairs[(rows.get(row, FIRST) + index) * 2 + 1]! += count;
      else put(row, ++index, at, count);
      return index === rows.get(row, LENGTH) - 1 ? total : densest(row, index);
    },
    addNext(row, run, most) {
      const { numbers } = rows;
      const base = row * ROW;
      const newest = rows.instants[(base + NEWEST) / 2]!;
      const at = run.minute + run.numbers[run.first * MATCH + SECOND]! * 1_000;
      if (at < newest || numbers[base + TOTAL]! >= most) return false;
      if (at > newest) append(row, at, 1);
      else {
        const last = numbers[base + FIRST]! + numbers[base + LENGTH]! - 1;
        pairs[last * 2 + 1]! += 1;
        numbers[base + TOTAL]! += 1;
      }
      return true;
    },
    clear(row) {
      giveBack(row);
      for (const field of [BLOCK, FIRST, LENGTH, FROM, TOTAL]) rows.set(row, field, 0);
      rows.set(row, ROOM, -1);
      rows.setNewest(row, -Infinity);
    },
    stampsOf(row) {
      const stamps: (readonly [Instant, number])[] = [];
      const length = rows.get(row, LENGTH);
      for (let index = 0; index < length; index++) stamps.push([instantOf(row, index), countOf(row, index)]);
      return stamps;
    },
  };
}
