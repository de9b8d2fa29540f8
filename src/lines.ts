// Whole lines, looked at where they stand: most of a log is passed over, and what is never read need not become text.
import type { Chunk } from './model.ts';

/** {@link Chunk}'s. */
export type Lines = Pick<Chunk, 'text' | 'bytes'>;

const NEWLINE = 10;

/** In characters, which are bytes. */
export function lengthOf(lines: Lines): number {
  return lines.bytes ? lines.bytes.length : lines.text.length;
}

/** Where the line that holds `at` begins. */
export function startOfLine(lines: Lines, at: number): number {
  if (at === 0) return 0;
  return (lines.bytes ? lines.bytes.lastIndexOf(NEWLINE, at - 1) : lines.text.lastIndexOf('\n', at - 1)) + 1;
}

/** Where the line that holds `at` ends: at its line feed, or else where all ends. */
export function endOfLine(lines: Lines, at: number): number {
  const feed = lines.bytes ? lines.bytes.indexOf(NEWLINE, at) : lines.text.indexOf('\n', at);
  return feed < 0 ? lengthOf(lines) : feed;
}

/** The same without a carriage return in front of the line feed. @param end where the line that begins at `start` ends. */
export function withoutReturn(lines: Lines, start: number, end: number): number {
  if (end === start) return end;
  const last = lines.bytes ? lines.bytes[end - 1] : lines.text.charCodeAt(end - 1);
  return last === 13 ? end - 1 : end;
}

/** As text. */
export function sliceOf(lines: Lines, from: number, to: number): string {
  return lines.bytes ? lines.bytes.toString('latin1', from, to) : lines.text.slice(from, to);
}
