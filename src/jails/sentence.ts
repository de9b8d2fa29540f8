// How long the nth sentence is, and which number the next one bears.
import type { Duration, Instant, Sentence } from '../model.ts';

/** The last instant that can be written as a date; a sentence that would end beyond it has no end. */
const LAST_INSTANT = 8_640_000_000_000_000;

/**
 * The length of the nth sentence, from 1: `first`, each later one `factor` times longer, up to `max`.
 * `max` bounds the growth, not `first` itself. Steps stand for themselves; the last one repeats.
 */
export function lengthOf(rules: Sentence, nth: number): Duration {
  const { first, factor, max, steps } = rules;
  if (steps && steps.length > 0) return steps[Math.min(nth, steps.length) - 1]!;
  // The power is held to finite numbers, because 0 × Infinity is no number.
  const grown = first * Math.min(factor ** (nth - 1), Number.MAX_VALUE);
  return Math.round(Math.min(grown, Math.max(first, max)));
}

/** When a sentence of that length ends; `Infinity` for never. */
export function endOf(since: Instant, length: Duration): Instant {
  const end = since + length;
  return end > LAST_INSTANT ? Infinity : end;
}

/** The latest earlier sentence: its number, and when it ends or ended (`Infinity`: never, `-Infinity`: there was none). */
export interface Earlier {
  readonly number: number;
  readonly until: Instant;
}

/** The number of a sentence passed at `at`: one more than the last, or 1 when that one is longer over than `forget`. */
export function nextNumber(earlier: Iterable<Earlier>, forget: Duration, at: Instant): number {
  let last = 0;
  for (const { number, until } of earlier) if (at <= until + forget) last = Math.max(last, number);
  return last + 1;
}
