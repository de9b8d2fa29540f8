// Sets of bytes, the alphabet of the patterns. A line is latin1 text: one byte, one character. Pure.

/** 256 flags, one a byte value. The line feed is never a member: a line doesn't hold it. */
export type ByteSet = Uint8Array;

const LINE_FEED = 10;

/** The bytes of all inclusive ranges; folded to both cases where asked. */
export function byteSet(ranges: readonly (readonly [number, number])[], fold = false): ByteSet {
  const set = new Uint8Array(256);
  for (const [from, to] of ranges) set.fill(1, from, to + 1);
  if (fold) foldInto(set);
  set[LINE_FEED] = 0;
  return set;
}

/** All bytes of a line that are not in `set`. */
export function complement(set: ByteSet): ByteSet {
  const rest = set.map((member) => 1 - member);
  rest[LINE_FEED] = 0;
  return rest;
}

export function union(sets: readonly ByteSet[]): ByteSet {
  const all = new Uint8Array(256);
  for (const set of sets) for (let byte = 0; byte < 256; byte++) if (set[byte]) all[byte] = 1;
  return all;
}

/** What `.` means: any byte of a line. */
export const ANY = complement(new Uint8Array(256));
/** ASCII only: the bytes A0 and 85 are no white space, whatever JavaScript's `\s` says of A0. */
export const SPACE = byteSet([
  [9, 13],
  [32, 32],
]);
export const DIGIT = byteSet([[48, 57]]);
export const WORD = byteSet([
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]);

/** `[…]` for a set, `[^…]` where that is shorter. The empty set is `[]`, which matches nothing. */
export function writeSet(set: ByteSet): string {
  const size = set.reduce((sum, member) => sum + member, 0);
  if (size <= 128) return `[${writeRanges(set)}]`;
  // The line feed stays among what is left out: see `message` in text-frame.ts.
  return `[^${writeRanges(set.map((member) => 1 - member))}]`;
}

/** One byte as a pattern that matches just it. */
export function writeByte(byte: number): string {
  if (byte === LINE_FEED) return '[]';
  return /[\w "#%&',:;<=>@`~!-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : hex(byte);
}

function writeRanges(set: Uint8Array): string {
  let text = '';
  for (let from = 0; from < 256; from++) {
    if (!set[from]) continue;
    let to = from;
    while (to < 255 && set[to + 1]) to++;
    text += to === from ? inClass(from) : `${inClass(from)}-${inClass(to)}`;
    from = to;
  }
  return text;
}

function inClass(byte: number): string {
  return /\w/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : hex(byte);
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function foldInto(set: ByteSet): void {
  for (let upper = 65; upper <= 90; upper++)
    if (set[upper] || set[upper + 32]) set[upper] = set[upper + 32] = 1;
}
