// printable(): hostile text made safe for a terminal or a mail. Pure.
// Whoever writes CSV still has to quote the cell and to defuse a leading = + - @ (a spreadsheet takes it for a formula).

/**
 * Control characters, escape sequences, bidirectional marks, zero-width characters, line and paragraph separators,
 * lone surrogates: everything that could move a cursor, colour a screen, reorder a line or forge a second one.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/gu;

/**
 * Makes hostile text safe to show: what could act on a terminal is written as `\x1b`, `\u202e`, …, a backslash as `\\`,
 * and what exceeds `limit` characters is cut with `…`.
 */
export function printable(text: string, limit = 500): string {
  return (text.length > limit ? `${cutAt(text, limit)}…` : text)
    .replaceAll('\\', '\\\\')
    .replace(UNPRINTABLE, escape);
}

/** The first `limit` UTF-16 units, or one less where the cut would halve a character. */
function cutAt(text: string, limit: number): string {
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

function escape(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** A piece of this length or more is a view of the string that it was cut from, and keeps all of that alive (V8). */
const VIEW_LENGTH = 13;

/**
 * Bytes that were read as latin1, decoded as UTF-8; bytes that are no UTF-8 become U+FFFD.
 * The answer is a copy: a line that is kept doesn't hold on to the chunk it was cut from.
 */
export function utf8(latin1: string): string {
  if (latin1.length < VIEW_LENGTH && isAscii(latin1)) return latin1;
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/**
 * The known word nearest to `word`, for "did you mean …": at most a third of its letters (and at least one) may differ.
 * @returns undefined where nothing is near.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Damerau's distance with adjacent transpositions; `bound` or more is reported as `bound`. */
function editDistance(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        swap ? beforeLast[j - 2]! + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, row];
  }
  return Math.min(last[b.length]!, bound);
}

/** A latin1 text of its own: a slice of a chunk keeps the whole chunk in memory. */
export function ownCopy(slice: string): string {
  if (slice.length < VIEW_LENGTH) return slice;
  return Buffer.from(slice, 'latin1').toString('latin1');
}

/** The first `limit` UTF-16 units of any text, as a text of their own: what is kept doesn't hold on to the rest. */
export function beginningOf(text: string, limit: number): string {
  return Buffer.from(text.slice(0, limit), 'utf16le').toString('utf16le');
}
