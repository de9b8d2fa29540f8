// Texts of which, as its author states, every message that a pattern takes holds one. Is that so? Pure.
import { createProgram, FITS, FORK, TAKE } from './automaton/program.ts';
import type { Literal } from './literal.ts';
import type { Node } from './tree.ts';

/** What is searched for must be worth a search, and what is stated a look at all of it. */
export const SHORTEST_STATED = 2;
export const LONGEST_STATED = 64;
export const MOST_STATED = 16;
/** Places of the pattern, each with what of a text stands before it. */
const MOST_PLACES = 300_000;

/** Stated texts as they are searched for: bytes, in the case in which they are written. */
export function literalsOf(stated: readonly string[]): readonly Literal[] {
  return stated.map((text) => ({ bytes: Buffer.from(text, 'utf8').toString('latin1'), fold: false }));
}

/** Do all messages hold one? Where not, or where it can't be told, perhaps one that holds none. */
export type Held = { readonly by: 'all' } | { readonly by: 'some'; readonly except: string | undefined };

/**
 * Looks for a message that the pattern takes and that holds none of the literals: through the pattern's steps and, at the same
 * time, through what stands of a literal so far. `^`, `$` and `\b` are taken to be so everywhere: what is proven is true, and
 * what isn't proven may be true as well.
 */
export function holdsOneOf(node: Node, literals: readonly Literal[]): Held {
  const program = createProgram([node], false);
  if (!program) return { by: 'some', except: undefined };
  const { kinds, next, other, sets } = program;
  const matcher = createMatcher(literals.map(({ bytes }) => bytes));
  const places: {
    readonly step: number;
    readonly begun: number;
    readonly before: number;
    readonly byte: string;
  }[] = [];
  const seen = new Set<number>();
  const reach = (step: number, begun: number, before: number, byte: string): void => {
    const place = step * matcher.size + begun;
    if (begun < 0 || seen.has(place)) return;
    seen.add(place);
    places.push({ step, begun, before, byte });
  };
  reach(program.starts[0]!, 0, -1, '');
  for (let at = 0; at < places.length && at < MOST_PLACES; at++) {
    const { step, begun } = places[at]!;
    const to = next[step]!;
    if (kinds[step] === FITS) return { by: 'some', except: textTo(at) };
    if (kinds[step] === TAKE)
      for (const byte of matcher.telling(sets[step]!)) reach(to, matcher.after(begun, byte), at, byte);
    else reach(to, begun, at, '');
    if (kinds[step] === FORK) reach(other[step]!, begun, at, '');
  }
  return places.length > MOST_PLACES ? { by: 'some', except: undefined } : { by: 'all' };

  function textTo(last: number): string {
    let text = '';
    for (let at = last; at >= 0; at = places[at]!.before) text = places[at]!.byte + text;
    return text;
  }
}

/** Knows how much of one of the texts stands at the end of what was read. */
function createMatcher(texts: readonly string[]): {
  /** How many beginnings there are to tell apart, and so what numbers are below; 0 is none. */
  readonly size: number;
  /** What has begun after one byte more; -1: one of the texts is there. */
  after(begun: number, byte: string): number;
  /** Bytes of a set: those that stand in the texts, and one that stands for the others. */
  telling(set: Uint8Array): readonly string[];
} {
  const beginnings = [
    ...new Set(texts.flatMap((text) => Array.from(text, (_, length) => text.slice(0, length)))),
  ];
  const numbers = new Map(beginnings.map((beginning, number) => [beginning, number]));
  const bytes = [...new Set(texts.join(''))];
  // Whoever reads the example sees a letter where there may be one.
  const others = Array.from({ length: 256 }, (_, n) =>
    String.fromCharCode((n + 'x'.charCodeAt(0)) % 256),
  ).filter((byte) => !bytes.includes(byte));
  return {
    size: beginnings.length,
    after(begun, byte) {
      const read = beginnings[begun]! + byte;
      if (texts.some((text) => read.endsWith(text))) return -1;
      for (let from = 0; ; from++) {
        const number = numbers.get(read.slice(from));
        if (number !== undefined) return number;
      }
    },
    telling(set) {
      const isIn = (byte: string): boolean => set[byte.charCodeAt(0)] === 1;
      const other = others.find(isIn);
      return [...bytes.filter(isIn), ...(other === undefined ? [] : [other])];
    },
  };
}
