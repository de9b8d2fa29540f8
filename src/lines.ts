// Whole lines, looked at where they stand: most of a log is passed over, and what is never read need not become text.
import { countFeeds } from './line-feeds.ts';
import type { Chunk } from './model.ts';
import { utf8 } from './text.ts';

/** {@link Chunk}'s. */
export type Lines = Pick<Chunk, 'text' | 'bytes'>;

/**
 * Lines while they are read, whose text is made once. Those of a chunk make it anew each time: kept with the chunk it would
 * outlive two collections of garbage with whatever still holds on to that one, and be moved by each. Over an auth.log these
 * took three quarters longer then (measured on Node 24).
 */
export class LinesAtHand implements Lines {
  readonly bytes: Chunk['bytes'];
  readonly #lines: Lines;
  #text: string | undefined;

  constructor(lines: Lines) {
    this.bytes = lines.bytes;
    this.#lines = lines;
  }

  get text(): string {
    return (this.#text ??= this.#lines.text);
  }
}

const NEWLINE = 10;
/** Among fewer bytes line feeds are counted sooner than the program for many is called. */
const MANY = 512;

/** In characters, which are bytes. */
export function lengthOf(lines: Lines): number {
  return lines.bytes ? lines.bytes.length : lines.text.length;
}

// Over bytes by Buffer’s own search: since Node 24 to call it costs less than a loop over a third of a line.

/** Where the line that holds `at` begins. */
export function startOfLine(lines: Lines, at: number): number {
  if (at === 0) return 0;
  const { bytes } = lines;
  return (bytes ? bytes.lastIndexOf(NEWLINE, at - 1) : lines.text.lastIndexOf('\n', at - 1)) + 1;
}

/** Where the line that holds `at` ends: at its line feed, or else where all ends. */
export function endOfLine(lines: Lines, at: number): number {
  const { bytes } = lines;
  const feed = bytes ? bytes.indexOf(NEWLINE, at) : lines.text.indexOf('\n', at);
  return feed < 0 ? lengthOf(lines) : feed;
}

/** How many line feeds stand in [from, to). */
export function feedsIn(lines: Lines, from: number, to: number): number {
  const { bytes } = lines;
  let count = 0;
  if (bytes && to - from < MANY) {
    for (let at = from; at < to; at++) if (bytes[at] === NEWLINE) count++;
    return count;
  }
  if (bytes) return countFeeds(bytes.subarray(from, to));
  for (
    let feed = lines.text.indexOf('\n', from);
    feed >= 0 && feed < to;
    feed = lines.text.indexOf('\n', feed + 1)
  )
    count++;
  return count;
}

/** A line's end without the carriage return in front of its line feed. @param end where the line that begins at `start` ends. */
export function withoutReturn(lines: Lines, start: number, end: number): number {
  if (end === start) return end;
  const last = lines.bytes ? lines.bytes[end - 1] : lines.text.charCodeAt(end - 1);
  return last === 13 ? end - 1 : end;
}

/** As text. */
export function sliceOf(lines: Lines, from: number, to: number): string {
  return lines.bytes ? lines.bytes.toString('latin1', from, to) : lines.text.slice(from, to);
}

/** As the UTF-8 that it is, in a string of its own; bytes that are none become U+FFFD. */
export function decodedOf(lines: Lines, from: number, to: number): string {
  return lines.bytes ? lines.bytes.toString('utf8', from, to) : utf8(lines.text.slice(from, to));
}
