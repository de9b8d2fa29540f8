// Matches of which nothing but a number is made, a row of numbers for each: how whoever reads a log hands many of them at once to
// those who count. Pure.
import type { AddressWords } from './address-words.ts';
import type { Instant } from './model.ts';

/** In numbers of 32 bits: a row, and what stands where in it. */
export const ROW = 8;
/** Where the line begins. */
export const BEGIN = 0;
/** 4 or 6, and the four words of the address; see {@link AddressWords}. */
export const FAMILY = 1;
export const WORDS = 2;
/** Of the minute. */
export const SECOND = 6;

/** Matches of lines that follow each other. The reader's own: it is filled anew, and `numbers` may be others next time. */
export interface ShortRun {
  readonly numbers: Int32Array;
  /** The first row that nobody is done with; whoever is done with one moves on at once, so that it is known where he broke. */
  first: number;
  /** Behind the last one. */
  readonly end: number;
  /** What is to be taken from a row's `BEGIN`, for where the line begins among all. */
  readonly shift: number;
  /** All their instants lie in the minute that begins then. */
  readonly minute: Instant;
}

export function beginOf({ numbers, shift }: ShortRun, row: number): number {
  return numbers[row * ROW + BEGIN]! - shift;
}

export function instantOf({ numbers, minute }: ShortRun, row: number): Instant {
  return minute + numbers[row * ROW + SECOND]! * 1_000;
}

export function fillWordsOf({ numbers }: ShortRun, row: number, words: AddressWords): void {
  const at = row * ROW;
  words.family = numbers[at + FAMILY] === 4 ? 4 : 6;
  words.first = numbers[at + WORDS]!;
  words.second = numbers[at + WORDS + 1]!;
  words.third = numbers[at + WORDS + 2]!;
  words.fourth = numbers[at + WORDS + 3]!;
}
