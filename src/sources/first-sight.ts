// Where a file that nobody knows is read from: the first line young enough, found by the stamps of its lines.
import type { Instant } from '../model.ts';
import type { Start } from './contract.ts';
import { MAX_LINE, READ } from './lines.ts';
import { readAt } from './open.ts';

/** Below this the search reads every line; above it, it halves. */
const LINEAR = 1024 * 1024;
const NEWLINE = 10;

type StampOf = (line: string) => Instant | undefined;

/**
 * The offset of the first line to be read; always a line's start. Lines are taken to be in order of their stamps, as
 * logs are; a large file is not read as a whole.
 */
export function firstOffset(fd: number, size: number, start: Start, stampOf: StampOf): number {
  if (start === 'beginning') return 0;
  const end = endOfLines(fd, size);
  if (start === 'end') return end;
  if (start.since === -Infinity) return 0;
  let low = 0;
  let high = end;
  while (high - low > LINEAR) {
    const middle = Math.floor((low + high) / 2);
    const found = firstStamped(fd, middle, Math.min(high, middle + READ), stampOf);
    if (found && found.stamp < start.since) low = found.offset;
    else high = middle;
  }
  // The line that made the search turn left lies up to a read beyond `high`.
  return firstStamped(fd, low, Math.min(end, high + READ), stampOf, start.since)?.offset ?? end;
}

/** The earliest of several watches' starts: the one that loses nothing for any of them. */
export function earliest(starts: readonly Start[]): Start {
  if (starts.includes('beginning')) return 'beginning';
  const instants = starts.flatMap((start) => (typeof start === 'object' ? [start.since] : []));
  return instants.length > 0 ? { since: Math.min(...instants) } : 'end';
}

/** The offset after the last \n. */
function endOfLines(fd: number, size: number): number {
  for (let to = size; to > 0;) {
    const from = Math.max(0, to - READ);
    const at = readAt(fd, from, to - from).lastIndexOf(NEWLINE);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}

/** The first line that starts in [from, to), bears a stamp, and is not older than `since`. */
function firstStamped(
  fd: number,
  from: number,
  to: number,
  stampOf: StampOf,
  since: Instant = -Infinity,
): { offset: number; stamp: Instant } | undefined {
  let at = from === 0 ? 0 : nextLine(fd, from - 1);
  while (at < to) {
    const bytes = readAt(fd, at, READ);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && at + start < to; end = bytes.indexOf(NEWLINE, start)) {
      const stamp = stampOf(
        bytes.toString('latin1', start, Math.min(end, start + MAX_LINE)).replace(/\r$/, ''),
      );
      if (stamp !== undefined && stamp >= since) return { offset: at + start, stamp };
      start = end + 1;
    }
    // Without a line end in a whole read the line is over-long: its end is looked for, its stamp is not.
    at = start > 0 ? at + start : nextLine(fd, at);
  }
  return undefined;
}

/** The start of the line after the byte at `from`; Infinity where no line ends any more. */
function nextLine(fd: number, from: number): number {
  for (let at = from; ; at += READ) {
    const bytes = readAt(fd, at, READ);
    const end = bytes.indexOf(NEWLINE);
    if (end >= 0) return at + end + 1;
    if (bytes.length < READ) return Infinity;
  }
}
