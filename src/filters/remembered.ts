// What was made of a text is remembered, by the text: logs say the same over and over. Bounded, and forgetful.
import { ownCopy } from '../text.ts';

/** Slots: a table begins small, for there are many, and grows as it fills. */
const FIRST_SLOTS = 256;
const MOST_SLOTS = 16_384;
/** Longer texts are read anew each time. */
const LONGEST = 128;

/** What was read of a text lies beside it: to look one up takes no more than the two. */
interface Table<T> {
  readonly written: (string | undefined)[];
  readonly made: (T | undefined)[];
}

/**
 * Looks a part [from, to) of a text up where it stands; what has been read before costs no slice.
 * @param read what to remember of it; it must depend on nothing but the text, and not hold on to it.
 * @param most slots, a power of two.
 * @param own the same text as one of its own, where `read` made one anyway: the slice is a view of a whole chunk.
 */
export function remembering<T>(
  read: (text: string) => T,
  own: (made: T) => string | undefined = () => undefined,
  most = MOST_SLOTS,
): (text: string, from: number, to: number) => T {
  let { written, made } = tableOf<T>(FIRST_SLOTS);
  let kept = 0;

  function keep(hash: number, text: string, of: T): void {
    const slot = hash & (written.length - 1) & ~1;
    // Two share a pair of slots; a third drives out the one that came first: no more is kept than there is room for.
    written[slot + 1] = written[slot];
    made[slot + 1] = made[slot];
    written[slot] = text;
    made[slot] = of;
  }

  function grow(): void {
    const [oldWritten, oldMade] = [written, made];
    ({ written, made } = tableOf<T>(oldWritten.length * 4));
    for (let slot = oldWritten.length - 1; slot >= 0; slot--) {
      const text = oldWritten[slot];
      if (text !== undefined) keep(hashOf(text, 0, text.length), text, oldMade[slot]!);
    }
    kept = 0;
  }

  return (text, from, to) => {
    if (to - from > LONGEST) return read(text.slice(from, to));
    const hash = hashOf(text, from, to);
    const slot = hash & (written.length - 1) & ~1;
    if (stands(written[slot], text, from, to)) return made[slot]!;
    if (stands(written[slot + 1], text, from, to)) return made[slot + 1]!;
    const slice = text.slice(from, to);
    const now = read(slice);
    keep(hash, own(now) === slice ? own(now)! : ownCopy(slice), now);
    if (++kept > written.length && written.length < most) grow();
    return now;
  };
}

function tableOf<T>(slots: number): Table<T> {
  return { written: Array.from({ length: slots }), made: Array.from({ length: slots }) };
}

/** FNV-1a, its upper bits mixed into the lower ones. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function stands(written: string | undefined, text: string, from: number, to: number): boolean {
  if (written?.length !== to - from) return false;
  for (let at = 0; at < written.length; at++)
    if (written.charCodeAt(at) !== text.charCodeAt(from + at)) return false;
  return true;
}
