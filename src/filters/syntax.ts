// The syntax of a pattern: text → tree. JavaScript's, with Python's spellings of the same things and our placeholders,
// so that a failregex can be pasted in. Pure.
import { ANY, DIGIT, SPACE, WORD, byteSet, complement, union } from './bytes.ts';
import type { ByteSet } from './bytes.ts';
import { expandPlaceholder } from './placeholders.ts';
import { bytesOf, cat } from './tree.ts';
import type { Node } from './tree.ts';

export type Parsed =
  | { readonly ok: true; readonly node: Node }
  /** `at` is the index in the pattern's text. */
  | { readonly ok: false; readonly at: number; readonly message: string };

/** Parses one pattern. Look-ahead and back-references are parsed too: it is the oracle that refuses them. */
export function parsePattern(source: string): Parsed {
  try {
    return { ok: true, node: createParser(source).parse() };
  } catch (error) {
    if (error instanceof SyntaxFault) return { ok: false, at: error.at, message: error.message };
    throw error;
  }
}

class SyntaxFault extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const TAG = /<([A-Za-z][\w-]*)>/y;
const CLOSING_TAG = /<\/[A-Za-z][\w-]*>/y;
const QUANTIFIER = /(?:([*+?])|\{(\d*)(,?)(\d*)\})(\??)/y;
const NAMED_GROUP = /\(\?P?<([A-Za-z_]\w*)>/y;
const INLINE_FLAGS = /\(\?(-?)([a-z]+)([:)])/y;
const ESCAPED_BYTE: Readonly<Record<string, number>> = {
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  a: 7,
  e: 27,
  0: 0,
};
const ESCAPED_SET: Readonly<Record<string, ByteSet>> = {
  d: DIGIT,
  D: complement(DIGIT),
  s: SPACE,
  S: complement(SPACE),
  w: WORD,
  W: complement(WORD),
};

/** No pattern has groups so deep within each other; a parser that follows any text would run out of stack. */
const DEEPEST = 100;

function createParser(source: string): { parse(): Node } {
  let at = 0;
  let depth = 0;
  let fold = false;

  function fail(message: string, where = at): never {
    throw new SyntaxFault(where, message);
  }
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const takeText = (text: string): boolean => {
    if (!source.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };

  function alternatives(): Node {
    if (depth++ > DEEPEST) fail('the groups are nested too deep');
    const before = fold; // (?i) holds to the end of its group
    const options = [sequence()];
    while (takeText('|')) options.push(sequence());
    fold = before;
    depth--;
    return options.length === 1 ? options[0]! : { kind: 'alt', options };
  }

  function sequence(): Node {
    const parts: Node[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')' && !isClosingTag())
      parts.push(quantified());
    return cat(parts);
  }

  function isClosingTag(): boolean {
    CLOSING_TAG.lastIndex = at;
    return CLOSING_TAG.test(source);
  }

  function quantified(): Node {
    const from = at;
    const body = atom();
    const found = take(QUANTIFIER);
    if (!found) return body;
    const [text, sign, least, comma, most, lazy] = found;
    if (sign === undefined && least === '' && most === '') {
      at -= text.length; // {} and {,} are just text
      return body;
    }
    if (source[at] === '+')
      fail('possessive repeats are not known: write the repeat without its second sign');
    if (QUANTIFIABLE[body.kind] === false) fail('there is nothing to repeat here', from);
    const min = sign === undefined ? Number(least || 0) : sign === '+' ? 1 : 0;
    const max =
      sign === undefined ? (comma ? (most ? Number(most) : Infinity) : min) : sign === '?' ? 1 : Infinity;
    if (max < min) fail('the repeat ends before it begins', from);
    return { kind: 'repeat', body, min, max, lazy: lazy === '?' };
  }

  function atom(): Node {
    const character = source[at]!;
    if (character === '(') return group();
    if (character === '[') return characterClass();
    if (character === '\\') return escape();
    if (character === '<') return tag() ?? text();
    if ('*+?'.includes(character)) fail('there is nothing to repeat here');
    if (!'.^$'.includes(character)) return text();
    at++;
    return character === '.' ? { kind: 'set', set: ANY } : { kind: character === '^' ? 'start' : 'end' };
  }

  function text(): Node {
    const character = String.fromCodePoint(source.codePointAt(at)!);
    at += character.length;
    return bytesOf(character, fold);
  }

  /** `<name>`, or `<F-NAME>…</F-NAME>` around what it is to capture. */
  function tag(): Node | undefined {
    const from = at;
    const found = take(TAG);
    if (!found) return undefined;
    const name = found[1]!;
    const closing = `</${name}>`;
    const body = source.includes(closing, at) ? alternatives() : undefined;
    if (body && !takeText(closing)) fail(`${closing} stands inside a group that began before it`);
    const expanded = expandPlaceholder(name, body);
    return typeof expanded === 'string' ? fail(expanded, from) : expanded;
  }

  function group(): Node {
    const from = at;
    if (takeText('(?#')) {
      while (at < source.length && source[at] !== ')') at++;
      return closed(from, { kind: 'cat', parts: [] });
    }
    const named = take(NAMED_GROUP);
    if (named) return closed(from, { kind: 'capture', name: named[1]!, body: alternatives() });
    for (const [opening, ahead, negated] of LOOKS)
      if (takeText(opening)) return closed(from, { kind: 'look', ahead, negated, body: alternatives() });
    const reference = take(/\(\?P=(\w+)/y);
    if (reference) return closed(from, { kind: 'backreference', text: reference[1]! });
    const flags = take(INLINE_FLAGS);
    if (flags) return withFlags(from, flags[1] === '', flags[2]!, flags[3] === ':');
    if (!takeText('(?:')) {
      if (source.startsWith('(?', at)) fail('this kind of group is not known');
      at++;
    }
    return closed(from, alternatives());
  }

  function withFlags(from: number, on: boolean, flags: string, scoped: boolean): Node {
    if (flags !== 'i') fail(`of the inline flags only i is known, not ${flags}`, from);
    const before = fold;
    fold = on;
    if (!scoped) return { kind: 'cat', parts: [] };
    const body = alternatives();
    fold = before;
    return closed(from, body);
  }

  function closed(from: number, node: Node): Node {
    if (!takeText(')')) fail('the group that begins here is never closed', from);
    return node;
  }

  function escape(): Node {
    const from = at++;
    const character = source[at] ?? fail('a backslash ends the pattern', from);
    const reference = take(/[1-9]\d*|k<\w+>/y);
    if (reference) return { kind: 'backreference', text: reference[0] };
    const edge = EDGES[character];
    if (edge) {
      at++;
      return { kind: edge };
    }
    const set = ESCAPED_SET[character];
    if (set) {
      at++;
      return { kind: 'set', set };
    }
    return bytesOf(escapedCharacter(from), fold);
  }

  /** One escaped character, in a class or outside; `at` stands behind the backslash. */
  function escapedCharacter(from: number): string {
    const code = take(/x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})/y);
    if (code) {
      const value = Number.parseInt(code[1] ?? code[2]!, 16);
      if (code[1] && value > 0x7f) fail('write the character itself: lines are compared in UTF-8', from);
      return String.fromCharCode(value);
    }
    const character = String.fromCodePoint(
      source.codePointAt(at) ?? fail('a backslash ends the pattern', from),
    );
    at += character.length;
    const byte = ESCAPED_BYTE[character];
    if (byte !== undefined) return String.fromCharCode(byte);
    if (/[A-Za-z0-9]/.test(character)) fail(`the escape \\${character} is not known`, from);
    return character;
  }

  /** A `]` that comes first is a member, as in Python; JavaScript's `[]` and `[^]` would be of no use. */
  function characterClass(): Node {
    const from = at++;
    const negated = takeText('^');
    const sets: ByteSet[] = [];
    const wide: Node[] = [];
    for (let first = true; first || source[at] !== ']'; first = false) {
      if (at >= source.length) fail('the class that begins here is never closed', from);
      const low = member();
      if (typeof low !== 'string') {
        sets.push(low);
        continue;
      }
      const isRange = source[at] === '-' && at + 1 < source.length && source[at + 1] !== ']';
      if (isRange) at++;
      const high = isRange ? member() : low;
      if (typeof high !== 'string') fail('a class such as \\d ends no range', from);
      else if (low > '\x7f' || high > '\x7f') {
        if (negated || isRange)
          fail('only ASCII can be left out or ranged over: lines are compared as bytes', from);
        wide.push(bytesOf(low, fold));
      } else if (high < low) fail('the range ends before it begins', from);
      else sets.push(byteSet([[low.charCodeAt(0), high.charCodeAt(0)]], fold));
    }
    at++;
    const narrow: Node = { kind: 'set', set: negated ? complement(union(sets)) : union(sets) };
    return wide.length === 0 ? narrow : { kind: 'alt', options: [narrow, ...wide] };
  }

  function member(): string | ByteSet {
    const from = at;
    if (!takeText('\\')) {
      const character = String.fromCodePoint(source.codePointAt(at)!);
      at += character.length;
      return character;
    }
    const set = ESCAPED_SET[source[at] ?? ''];
    if (set) at++;
    else if (takeText('b')) return '\b';
    return set ?? escapedCharacter(from);
  }

  return {
    parse() {
      const node = alternatives();
      if (at < source.length)
        fail(source[at] === ')' ? 'this bracket closes nothing' : 'this tag closes nothing that was opened');
      return node;
    },
  };
}

const QUANTIFIABLE: Readonly<Partial<Record<Node['kind'], false>>> = {
  start: false,
  end: false,
  boundary: false,
  inside: false,
  look: false,
};

const EDGES: Readonly<Record<string, 'start' | 'end' | 'boundary' | 'inside' | undefined>> = {
  A: 'start',
  Z: 'end',
  z: 'end',
  b: 'boundary',
  B: 'inside',
};

const LOOKS = [
  ['(?=', true, false],
  ['(?!', true, true],
  ['(?<=', false, false],
  ['(?<!', false, true],
] as const;
