// The matches of one offender that can still count towards a sentence, by instant.
import type { Duration, Instant } from '../model.ts';

/**
 * Distinct instants in order, and how many matches bear each of them.
 *
 * Stamps are kept to twice findTime behind the newest: a line that arrives out of order may still be up to findTime
 * older than the newest, and may then complete a window that reaches as far back again. So a ban falls exactly where
 * maxRetry matches lie within findTime, in whatever order their lines came.
 */
export interface Window {
  instants: number[];
  counts: number[];
  /** The first pair that lies within findTime of the newest, and the sum from there on. */
  from: number;
  total: number;
}

export function createWindow(stamps: readonly (readonly [Instant, number])[], findTime: Duration): Window {
  const window: Window = { instants: [], counts: [], from: 0, total: 0 };
  for (const [at, count] of stamps) insert(window, at, count, findTime);
  return window;
}

/** The latest instant, `-Infinity` in an empty window. */
export function newestOf(window: Window): Instant {
  return window.instants.at(-1) ?? -Infinity;
}

/**
 * Adds `count` matches at `at`, which is at most findTime older than the newest.
 * @returns the largest number of matches that lie within findTime of each other, these among them.
 */
export function insert(window: Window, at: Instant, count: number, findTime: Duration): number {
  const { instants, counts } = window;
  const last = instants.length - 1;
  window.total += count;
  if (at > (instants[last] ?? -Infinity)) {
    append(window, at, count);
    slide(window, at - findTime, findTime);
    return window.total;
  }
  let index = last;
  while (index >= 0 && instants[index]! > at) index--;
  if (index >= 0 && instants[index] === at) counts[index]! += count;
  else {
    index++;
    instants.splice(index, 0, at);
    counts.splice(index, 0, count);
  }
  return at === instants.at(-1) ? window.total : densest(window, index, findTime);
}

export function clear(window: Window): void {
  window.instants = [];
  window.counts = [];
  window.from = 0;
  window.total = 0;
}

/** An array that is pushed to takes room for 17 more: too much for the many who are seen a few times. */
const FEW = 6;

function append(window: Window, at: Instant, count: number): void {
  const { instants, counts } = window;
  if (instants.length > FEW) {
    instants.push(at);
    counts.push(count);
    return;
  }
  window.instants = [...instants, at];
  window.counts = [...counts, count];
}

/** Moves the lower edge up to `floor`; pairs more than findTime below it can't count with anything that is still to come. */
function slide(window: Window, floor: Instant, findTime: Duration): void {
  const { instants, counts } = window;
  while (instants[window.from]! < floor) window.total -= counts[window.from++]!;
  while (instants[0]! < floor - findTime) {
    instants.shift();
    counts.shift();
    window.from--;
  }
}

/** The largest sum over any stretch of findTime that holds the pair at `index`. */
function densest(window: Window, index: number, findTime: Duration): number {
  const { instants, counts } = window;
  const at = instants[index]!;
  let start = index;
  let sum = counts[index]!;
  while (start > 0 && instants[start - 1]! >= at - findTime) sum += counts[--start]!;
  let best = sum;
  for (let end = index + 1; end < instants.length && instants[end]! <= at + findTime; end++) {
    sum += counts[end]!;
    while (instants[start]! < instants[end]! - findTime) sum -= counts[start++]!;
    best = Math.max(best, sum);
  }
  return best;
}
