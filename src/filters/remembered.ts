// What was made of a text is remembered, by the text: logs say the same over and over. Bounded, and forgetful.
import { ownCopy } from '../text.ts';

/** Slots: a table begins small, for there are many, and grows as it fills. */
const FIRST_SLOTS = 256;
const MOST_SLOTS = 16_384;
/** Longer texts are read anew each time. */
const LONGEST = 128;

interface Remembered<T> {
  readonly written: string;
  readonly made: T;
}

/**
 * Looks a part [from, to) of a text up where it stands; what has been read before costs no slice.
 * @param read what to remember of it; it must depend on nothing but the text, and not hold on to it.
 * @param most slots, a power of two.
 * @param written the same text as one of its own, where `read` made one anyway: the slice is a view of a whole chunk.
 */
export function remembering<T>(
  read: (text: string) => T,
  written: (made: T) => string | undefined = () => undefined,
  most = MOST_SLOTS,
): (text: string, from: number, to: number) => T {
  let table: (Remembered<T> | undefined)[] = Array.from({ length: FIRST_SLOTS });
  let kept = 0;
  return (text, from, to) => {
    if (to - from > LONGEST) return read(text.slice(from, to));
    const slot = hashOf(text, from, to) & (table.length - 1);
    const known = table[slot];
    if (known && stands(known.written, text, from, to)) return known.made;
    const slice = text.slice(from, to);
    const made = read(slice);
    const own = written(made);
    // Whoever comes to the same slot drives the other out: no more is kept than there is room for.
    table[slot] = { written: own === slice ? own : ownCopy(slice), made };
    if (++kept > table.length && table.length < most) {
      table = grown(table);
      kept = 0;
    }
    return made;
  };
}

function grown<T>(table: readonly (Remembered<T> | undefined)[]): (Remembered<T> | undefined)[] {
  const larger: (Remembered<T> | undefined)[] = Array.from({ length: table.length * 4 });
  for (const each of table)
    if (each) larger[hashOf(each.written, 0, each.written.length) & (larger.length - 1)] = each;
  return larger;
}

/** FNV-1a, its upper bits mixed into the lower ones. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function stands(written: string, text: string, from: number, to: number): boolean {
  if (written.length !== to - from) return false;
  for (let at = 0; at < written.length; at++)
    if (written.charCodeAt(at) !== text.charCodeAt(from + at)) return false;
  return true;
}
