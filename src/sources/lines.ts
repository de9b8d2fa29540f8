// Bytes → whole lines. Works on bytes alone, so multi-byte characters over a read's edge need no care.
import type { Lines } from '../lines.ts';
import { countFeeds } from '../line-feeds.ts';

/** A longer line is cut here; the rest of it is skipped and counted. */
export const MAX_LINE = 256 * 1024;
/**
 * How much is read at a time. Measured on Node 24: V8 keeps strings of 128 KiB and more in a space of their own, where
 * making one is 20 to 50 times slower.
 */
export const CHUNK = 96 * 1024;
/** How much is read where no line ends within a chunk. Must exceed MAX_LINE, or an over-long line could stop a file for ever. */
export const READ = 512 * 1024;

/** What to read where no line ended within so much. */
export function largerThan(size: number): number {
  return size < CHUNK ? CHUNK : READ;
}

const NEWLINE = 10;

/** What was cut off. Every line ends in \n. */
export interface Cut extends Lines {
  readonly lines: number;
  /** How many of the bytes are done with. */
  readonly used: number;
  /** Over-long lines that were cut. */
  readonly skipped: number;
  /** True when the bytes end inside an over-long line: its rest is no line. */
  readonly skipping: boolean;
}

/** Lines as they stood, to become text each time that somebody asks. */
class WholeLines implements Cut {
  readonly bytes: Buffer;
  readonly lines: number;
  readonly used: number;
  readonly skipped = 0;
  readonly skipping = false;

  constructor(bytes: Buffer, used: number) {
    this.bytes = bytes;
    this.lines = countFeeds(bytes);
    this.used = used;
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }
}

/**
 * Cuts bytes that begin at a line's start (or, with `skipping`, inside an over-long line) into whole lines.
 * @param final takes what stands after the last \n for a line as well.
 */
export function cutLines(bytes: Buffer, skipping: boolean, final = false): Cut {
  let start = 0;
  if (skipping) {
    const end = bytes.indexOf(NEWLINE);
    if (end < 0) return { text: '', lines: 0, used: bytes.length, skipped: 0, skipping: true };
    start = end + 1;
  }
  const rest = Math.max(bytes.lastIndexOf(NEWLINE) + 1, start);
  // The usual case: nothing is over-long, or left.
  if (bytes.length <= MAX_LINE && !(final && rest < bytes.length))
    return new WholeLines(bytes.subarray(start, rest), rest);
  const whole = bytes.toString('latin1', start, rest);
  const { lines, longest } = measure(whole);
  let { text, skipped } = longest > MAX_LINE ? shorten(whole) : { text: whole, skipped: 0 };
  if (bytes.length - rest > MAX_LINE) {
    text += `${bytes.toString('latin1', rest, rest + MAX_LINE)}\n`;
    return { text, lines: lines + 1, used: bytes.length, skipped: skipped + 1, skipping: !final };
  }
  if (!final || rest === bytes.length) return { text, lines, used: rest, skipped, skipping: false };
  text += `${bytes.toString('latin1', rest)}\n`;
  return { text, lines: lines + 1, used: bytes.length, skipped, skipping: false };
}

/** Whether cutting these bytes would give a line or move the position. */
export function hasWholeLine(bytes: Buffer, skipping: boolean): boolean {
  return bytes.length > MAX_LINE || (skipping && bytes.length > 0) || bytes.includes(NEWLINE);
}

function measure(text: string): { lines: number; longest: number } {
  let lines = 0;
  let longest = 0;
  let at = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
    if (end - at > longest) longest = end - at;
    lines++;
    at = end + 1;
  }
  return { lines, longest };
}

function shorten(text: string): { text: string; skipped: number } {
  let skipped = 0;
  const lines = text.split('\n').map((line) => {
    if (line.length <= MAX_LINE) return line;
    skipped++;
    return line.slice(0, MAX_LINE);
  });
  return { text: lines.join('\n'), skipped };
}
