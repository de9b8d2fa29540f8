// Lines that are JSON objects: where in them the fields stand that somebody asked for. Nothing is built of the rest.
// It reads the bytes of a chunk as they are (latin1). What is JSON is as JSON.parse has it, and besides what nginx and Apache
// write into a log format that was meant to be JSON: `"x":,` and `"x":-,` for nothing, `\xe4` and `\v` in a text.
import { toBytes } from './conditions.ts';
import { TextBytes } from './text-bytes.ts';

/** Longer lines are no record: what a source skips is never seen here. */
const LONGEST_LINE = 256 * 1024;

/** A field that a reader of records looks for. */
export interface WantedField {
  /** Keys, with dots between them. A number is also the place in a list, from 0. */
  readonly path: string;
  /** Is a line that has it twice refused? For all that a verdict hangs on. */
  readonly once: boolean;
}

/** A reader of records in one syntax. It holds the line that it read last. */
export interface RecordReader {
  /**
   * Reads the line [start, end) of a text.
   * @returns why it is no record, or one that says two things at once; undefined where it was read.
   */
  read(text: string, start: number, end: number): string | undefined;
  /**
   * The value of a wanted field, by its index, in bytes (latin1) and without escapes; numbers as they are written.
   * @returns undefined where it is not there, null, empty, a list or an object.
   */
  value(index: number): string | undefined;
}

/** One key that leads to wanted fields. */
interface Place {
  readonly path: string;
  /** Index of the wanted field that ends here; -1: none. */
  readonly field: number;
  readonly once: boolean;
  /** What can be reached from here, by key, each key's length first. A key may hold dots itself: `req.ip` is one, or two. */
  readonly byLength: (Branch[] | undefined)[];
  readonly byKey: Map<string, Place>;
  readonly byIndex: Map<number, Place>;
  /** The number of the line in which it was met last. */
  seen: number;
}

type Branch = readonly [key: Uint8Array, place: Place];

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

const NONE = 0;
const TEXT = 1;
const ESCAPED = 2;
const BARE = 3;

/** What stands in a string as itself: all but quotes, backslashes and control characters. */
const PLAIN = new Uint8Array(256).fill(1, 32);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

const NO_OBJECT = 'the line is not a JSON object';
const TOO_LONG = 'the line is longer than 256 KiB';

/** Makes a reader that looks for these fields. */
export function createJsonReader(wanted: readonly WantedField[]): RecordReader {
  const root = placesOf(wanted);
  const starts = new Int32Array(wanted.length);
  const ends = new Int32Array(wanted.length);
  const kinds = new Uint8Array(wanted.length);
  /** Of the objects and lists around a value that is passed over: which they are. */
  const around: number[] = [];
  const window = new TextBytes();
  let text = '';
  /** The line is among them, `base` places further to the left than in the text. All places below are places in them. */
  let bytes = window.of(text, 0, 0);
  let base = 0;
  let lines = 0;
  /** The field that the line has twice; empty: none. */
  let twice = '';
  let hasEscape = false;

  return {
    read(from, start, end) {
      lines++;
      twice = '';
      kinds.fill(NONE);
      if (end - start > LONGEST_LINE) return TOO_LONG;
      text = from;
      bytes = window.of(text, start, end);
      ({ base } = window);
      const at = afterSpace(start - base);
      if (bytes[at]! !== OPEN_OBJECT) return NO_OBJECT;
      const after = readObject(at, root);
      if (after < 0 || after > end - base || afterSpace(after) < end - base) return NO_OBJECT;
      return twice === '' ? undefined : `the line has the field "${twice}" twice`;
    },
    value(index) {
      const kind = kinds[index];
      if (kind === NONE) return undefined;
      const value = text.slice(base + starts[index]!, base + ends[index]!);
      return kind === ESCAPED ? unescaped(value) : value;
    },
  };

  /** Each of these reads what begins at an index, and returns the index behind it, or -1 where it is not JSON. */
  function readObject(open: number, place: Place): number {
    let at = afterSpace(open + 1);
    if (bytes[at]! === CLOSE_OBJECT) return at + 1;
    for (;;) {
      if (bytes[at]! !== QUOTE) return -1;
      const key = at + 1;
      const keyEnd = endOfText(key);
      if (keyEnd < 0) return -1;
      const branch = branchOf(place, key, keyEnd);
      at = afterColon(keyEnd + 1);
      at = at < 0 ? -1 : branch ? readPlace(branch, at) : afterValue(at);
      if (at < 0) return -1;
      at = afterSpace(at);
      const mark = bytes[at]!;
      if (mark === CLOSE_OBJECT) return at + 1;
      if (mark !== COMMA) return -1;
      at = afterSpace(at + 1);
    }
  }

  function readList(open: number, place: Place): number {
    let at = afterSpace(open + 1);
    if (bytes[at]! === CLOSE_LIST) return at + 1;
    for (let index = 0; ; index++) {
      const branch = place.byIndex.get(index);
      at = branch ? readPlace(branch, at) : afterValue(at);
      if (at < 0) return -1;
      at = afterSpace(at);
      const mark = bytes[at]!;
      if (mark === CLOSE_LIST) return at + 1;
      if (mark !== COMMA) return -1;
      at = afterSpace(at + 1);
    }
  }

  function readPlace(place: Place, at: number): number {
    if (place.seen === lines && place.once && twice === '') twice = place.path;
    place.seen = lines;
    const mark = bytes[at]!;
    if (mark === OPEN_OBJECT) return place.byKey.size > 0 ? readObject(at, place) : afterValue(at);
    if (mark === OPEN_LIST) return place.byIndex.size > 0 ? readList(at, place) : afterValue(at);
    const { field } = place;
    if (mark === QUOTE) {
      const end = endOfText(at + 1);
      if (field >= 0 && end > at + 1) keep(field, hasEscape ? ESCAPED : TEXT, at + 1, end);
      return end < 0 ? -1 : end + 1;
    }
    const end = afterWord(at);
    if (field >= 0 && end > at && bytes[at]! !== 110) keep(field, BARE, at, end); // n of null
    return end;
  }

  function keep(field: number, kind: number, from: number, to: number): void {
    kinds[field] = kind;
    starts[field] = from;
    ends[field] = to;
  }

  function branchOf(place: Place, key: number, keyEnd: number): Place | undefined {
    if (hasEscape) return place.byKey.get(unescaped(text.slice(base + key, base + keyEnd)));
    const branches = place.byLength[keyEnd - key];
    if (branches === undefined) return undefined;
    for (let index = 0; index < branches.length; index++)
      if (stands(branches[index]![0], key)) return branches[index]![1];
    return undefined;
  }

  /** Any value, however deeply it is nested: clients may choose what a service logs, and with it how deep. */
  function afterValue(from: number): number {
    let at = from;
    let depth = 0;
    for (;;) {
      const mark = bytes[at]!;
      if (mark === OPEN_OBJECT || mark === OPEN_LIST) {
        const isObject = mark === OPEN_OBJECT;
        at = afterSpace(at + 1);
        // Each one's end is two behind its beginning: [ and ], { and }.
        if (bytes[at]! === mark + 2) at++;
        else {
          around[depth++] = mark;
          if (isObject && (at = afterKey(at)) < 0) return -1;
          continue;
        }
      } else if (mark === QUOTE) {
        at = endOfText(at + 1);
        if (at < 0) return -1;
        at++;
      } else if ((at = afterWord(at)) < 0) return -1;
      // A value is read. What follows it?
      for (;;) {
        if (depth === 0) return at;
        at = afterSpace(at);
        const next = bytes[at]!;
        if (next === COMMA) {
          at = afterSpace(at + 1);
          if (around[depth - 1] === OPEN_OBJECT && (at = afterKey(at)) < 0) return -1;
          break;
        }
        if (next !== around[depth - 1]! + 2) return -1;
        at++;
        depth--;
      }
    }
  }

  /** Do these bytes stand there? */
  function stands(word: Uint8Array, from: number): boolean {
    for (let at = 0; at < word.length; at++) if (bytes[from + at] !== word[at]) return false;
    return true;
  }

  function afterKey(at: number): number {
    if (bytes[at]! !== QUOTE) return -1;
    const end = endOfText(at + 1);
    return end < 0 ? -1 : afterColon(end + 1);
  }

  function afterColon(from: number): number {
    const at = afterSpace(from);
    return bytes[at]! === COLON ? afterSpace(at + 1) : -1;
  }

  /** @returns the index of the quote that ends the string, and says in `hasEscape` whether one stands before it. */
  function endOfText(from: number): number {
    hasEscape = false;
    let at = from;
    for (;;) {
      const own = bytes;
      while (PLAIN[own[at]!] === 1) at++;
      const code = own[at];
      if (code === QUOTE) return at;
      const length = code === BACKSLASH ? lengthOfEscape(at + 1) : 0;
      if (length === 0) return -1;
      hasEscape = true;
      at += 1 + length;
    }
  }

  /** JSON's escapes, and Apache's. */
  function lengthOfEscape(at: number): number {
    switch (bytes[at]!) {
      case QUOTE:
      case BACKSLASH:
      case 47: // /
      case 98: // b
      case 102: // f
      case 110: // n
      case 114: // r
      case 116: // t
      case 118: // v
        return 1;
      case 117: // u
        return isHex(at + 1) && isHex(at + 2) && isHex(at + 3) && isHex(at + 4) ? 5 : 0;
      case 120: // x
        return isHex(at + 1) && isHex(at + 2) ? 3 : 0;
      default:
        return 0;
    }
  }

  function isHex(at: number): boolean {
    const code = bytes[at]!;
    return isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 102);
  }

  /** A number, true, false or null; or what nginx writes where a format has no quotes around a variable without value. */
  function afterWord(from: number): number {
    const first = bytes[from]!;
    if (isEndOfValue(from)) return isBehindColon(from) ? from : -1;
    if (first === 116) return stands(TRUE, from) ? from + 4 : -1;
    if (first === 102) return stands(FALSE, from) ? from + 5 : -1;
    if (first === 110) return stands(NULL, from) ? from + 4 : -1;
    let at = first === 45 ? from + 1 : from;
    if (at > from && isBehindColon(from) && isEndOfValue(at)) return at;
    if (bytes[at]! === 48) at++;
    else if ((at = afterDigits(at)) < 0) return -1;
    if (bytes[at]! === 46 && (at = afterDigits(at + 1)) < 0) return -1;
    if ((bytes[at]! | 32) !== 101) return at; // e, E
    const sign = bytes[at + 1]!;
    return afterDigits(sign === 43 || sign === 45 ? at + 2 : at + 1);
  }

  function isBehindColon(at: number): boolean {
    let before = at - 1;
    while (bytes[before]! === 32) before--;
    return bytes[before]! === COLON;
  }

  function isEndOfValue(at: number): boolean {
    const mark = bytes[at]!;
    return mark === COMMA || mark === CLOSE_OBJECT;
  }

  /** At least one of them. */
  function afterDigits(from: number): number {
    let at = from;
    while (isDigit(bytes[at]!)) at++;
    return at > from ? at : -1;
  }

  function afterSpace(from: number): number {
    let at = from;
    for (;;) {
      const code = bytes[at]!;
      if (code !== 32 && code !== 9 && code !== 13) return at;
      at++;
    }
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

const ESCAPES = /\\(?:((?:u[\dA-Fa-f]{4})(?:\\u[\dA-Fa-f]{4})*)|x([\dA-Fa-f]{2})|U([\dA-Fa-f]{8})|(.))/gs;
const MEANT: Readonly<Partial<Record<string, string>>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A text without its escapes, in bytes: `\u00e4` is two of them, as in UTF-8; half a surrogate pair is U+FFFD. */
export function unescaped(written: string): string {
  return written.replace(
    ESCAPES,
    (_, units?: string, byte?: string, wide?: string, mark?: string): string => {
      if (byte !== undefined) return String.fromCharCode(Number.parseInt(byte, 16));
      if (mark !== undefined) return MEANT[mark] ?? mark;
      if (wide !== undefined) {
        const point = Number.parseInt(wide, 16);
        return toBytes(point > 0x10_ff_ff ? '\ufffd' : String.fromCodePoint(point));
      }
      const codes = units!.split('\\').map((unit) => Number.parseInt(unit.slice(1), 16));
      return toBytes(String.fromCharCode(...codes));
    },
  );
}

// ── what is looked for ───────────────────────────────────────────────────────────────────────────────────────────

function placesOf(wanted: readonly WantedField[]): Place {
  const root = emptyPlace('', -1, false);
  const known = new Map<string, Place>([['', root]]);
  const fields = new Map(wanted.map(({ path }, index) => [path, index]));
  for (const { path } of wanted) {
    const keys = path.split('.');
    for (let depth = 1; depth <= keys.length; depth++) {
      const own = keys.slice(0, depth).join('.');
      if (known.has(own)) continue;
      // An object that is there twice has all that is in it twice.
      const once = wanted.some((each) => each.once && (each.path === own || each.path.startsWith(`${own}.`)));
      const place = emptyPlace(own, fields.get(own) ?? -1, once);
      known.set(own, place);
      for (let from = 0; from < depth; from++)
        connect(known.get(keys.slice(0, from).join('.'))!, keys.slice(from, depth), place);
    }
  }
  return root;
}

function emptyPlace(path: string, field: number, once: boolean): Place {
  return { path, field, once, byLength: [], byKey: new Map(), byIndex: new Map(), seen: 0 };
}

function connect(from: Place, keys: readonly string[], to: Place): void {
  const isIndex = (key: string): boolean => /^\d{1,4}$/.test(key);
  if (keys.length === 1 && isIndex(keys[0]!)) from.byIndex.set(Number(keys[0]), to);
  // A header may be named `User-Agent.0` by who sends it: that is no place in a list.
  if (keys.length > 1 && keys.some(isIndex)) return;
  const key = toBytes(keys.join('.'));
  from.byKey.set(key, to);
  (from.byLength[key.length] ??= []).push([Buffer.from(key, 'latin1'), to]);
}
