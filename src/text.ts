// printable(): hostile text made safe for a terminal, a mail or a CSV cell. Pure.

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
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replaceAll('\\', '\\\\').replace(UNPRINTABLE, escape);
}

function escape(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Bytes that were read as latin1, decoded as UTF-8; bytes that are no UTF-8 become U+FFFD. */
export function utf8(latin1: string): string {
  for (let i = 0; i < latin1.length; i++)
    if (latin1.charCodeAt(i) > 0x7f) return Buffer.from(latin1, 'latin1').toString('utf8');
  return latin1;
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
