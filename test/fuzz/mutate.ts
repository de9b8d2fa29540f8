// Inputs out of inputs: bytes turned, pieces moved, words of the parser put in, pieces repeated until they are long.
import type { Random } from '../crash/random.ts';

/** What matters to almost every parser here. */
const WORDS = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '\t',
    '\x1b[31m',
    '"',
    "'",
    '\\',
    '\\"',
    '\\u0000',
    '\\x22',
    '%2e',
    '%00',
    '\xff',
    '\xa0',
    ' ',
  ],
  ...[
    '\xe2\x80\xae',
    '\xc3\xa9',
    '\xed\xa0\x80',
    '0',
    '-1',
    '1e999',
    '4294967296',
    '18446744073709551616',
    'null',
  ],
  ...[
    '203.0.113.9',
    '192.0.2.7',
    '2001:db8::9',
    '::ffff:203.0.113.9',
    '[2001:db8::9]:443',
    '0/0',
    '__proto__',
  ],
];

type Mutation = (
  input: string,
  random: Random,
  words: readonly string[],
  others: readonly string[],
) => string;

const at = (input: string, random: Random): number => random.below(input.length + 1);
const splice = (input: string, from: number, to: number, put: string): string =>
  input.slice(0, from) + put + input.slice(to);
/** A piece of an input, short more often than long. */
function piece(input: string, random: Random): [from: number, to: number] {
  const from = at(input, random);
  return [from, Math.min(input.length, from + 1 + random.below(1 << random.below(9)))];
}

const MUTATIONS: readonly Mutation[] = [
  (input, random) => {
    const where = at(input, random);
    return splice(input, where, where + 1, String.fromCharCode(random.below(256)));
  },
  (input, random) => {
    const where = at(input, random);
    const code = (input.charCodeAt(where) || 0) ^ (1 << random.below(8));
    return splice(input, where, where + 1, String.fromCharCode(code & 255));
  },
  (input, random) => splice(input, ...piece(input, random), ''),
  (input, random) => {
    const [from, to] = piece(input, random);
    return splice(input, to, to, input.slice(from, to));
  },
  (input, random, words) => {
    const where = at(input, random);
    return splice(input, where, where, random.pick(words));
  },
  (input, random, words) => splice(input, ...piece(input, random), random.pick(words)),
  (input, random, _words, others) => {
    const other = random.pick(others);
    return splice(input, ...piece(input, random), other.slice(...piece(other, random)));
  },
  (input, random, _words, others) => {
    const other = random.pick(others);
    return input.slice(0, at(input, random)) + other.slice(at(other, random));
  },
  (input, random) => {
    const [from, to] = piece(input, random);
    const where = at(input, random);
    return splice(input, where, where, input.slice(from, to).repeat(1 + random.below(1 << random.below(8))));
  },
];

export interface Mutator {
  /** An input that nobody has seen, probably. @param kept the inputs so far, not empty. */
  next(kept: readonly string[]): string;
  /** A piece of it repeated until it is so long: what grows faster than its input shows. */
  pump(input: string): (length: number) => string;
}

/** @param words those of the parser; @param longest bytes of an input. */
export function createMutator(random: Random, words: readonly string[], longest: number): Mutator {
  // The parser's own words stand for half.
  const all = [
    ...WORDS,
    ...Array.from({ length: words.length === 0 ? 0 : WORDS.length }, (_, n) => words[n % words.length]!),
    ...words,
  ];
  return {
    next(kept) {
      // The latest are the ones about which least is known.
      const recent = random.below(2) === 0 && kept.length > 8;
      let input = recent ? kept[kept.length - 1 - random.below(8)]! : random.pick(kept);
      for (let count = 1 + random.below(1 << random.below(4)); count > 0; count--)
        input = random.pick(MUTATIONS)(input, random, all, kept);
      return input.slice(0, longest);
    },
    pump(input) {
      const [from, to] = piece(input, random);
      const slice = input.slice(from, to) || 'a';
      return (length) => {
        const times = Math.max(0, Math.ceil((length - input.length) / slice.length));
        return splice(input, from, from, slice.repeat(times)).slice(0, length);
      };
    },
  };
}
