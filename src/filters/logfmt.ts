// Lines of logfmt: `level=error msg="login failed" user=ann`, as Go's encoders write them (go-logfmt, logrus, slog).
// Values are bare or in quotes; there is no other way to have a blank or a quote in one, so that no value ends early.
import { toBytes } from './conditions.ts';
import { unescaped } from './json.ts';
import type { RecordReader, WantedField } from './json.ts';

/** Longer lines are no record: what a source skips is never seen here. */
const LONGEST_LINE = 256 * 1024;

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const EQUALS = 61;
const BACKSLASH = 92;

const NO_LOGFMT = 'the line is not logfmt: key=value and key="quoted value", with blanks between';
const TOO_LONG = 'the line is longer than 256 KiB';

/** Makes a reader that looks for these keys; a dot in one is part of the key. */
export function createLogfmtReader(wanted: readonly WantedField[]): RecordReader {
  const byLength: (readonly [key: string, index: number])[][] = [];
  for (const [index, { path }] of wanted.entries()) {
    const key = toBytes(path);
    (byLength[key.length] ??= []).push([key, index]);
  }
  const starts = new Int32Array(wanted.length);
  const ends = new Int32Array(wanted.length);
  /** By field: the number of the line in which it was met last. */
  const seen = new Float64Array(wanted.length);
  let text = '';
  let lines = 0;
  let twice: string | undefined;

  return {
    read(from, start, end) {
      text = from;
      lines++;
      twice = undefined;
      starts.fill(0);
      ends.fill(0);
      if (end - start > LONGEST_LINE) return TOO_LONG;
      let pairs = 0;
      for (let at = afterBlanks(start, end); at < end; at = afterBlanks(at, end)) {
        const keyEnd = endOfKey(at, end);
        if (keyEnd === at) return NO_LOGFMT;
        const isPair = keyEnd < end && text.charCodeAt(keyEnd) === EQUALS;
        if (isPair) pairs++;
        const index = fieldOf(at, keyEnd);
        const after = isPair ? afterValue(keyEnd + 1, end, index) : keyEnd;
        if (after < 0 || (after < end && !isBlank(text.charCodeAt(after)))) return NO_LOGFMT;
        if (index >= 0) {
          if (seen[index] === lines && wanted[index]!.once) twice ??= wanted[index]!.path;
          seen[index] = lines;
        }
        at = after;
      }
      if (pairs === 0) return NO_LOGFMT;
      return twice === undefined ? undefined : `the line has the field "${twice}" twice`;
    },
    value(index) {
      const from = starts[index]!;
      const to = ends[index]!;
      if (to <= from) return undefined;
      const value = text.slice(from, to);
      // Only a quoted value has escapes.
      return text.charCodeAt(from - 1) === QUOTE && value.includes('\\') ? unescaped(value) : value;
    },
  };

  function fieldOf(at: number, keyEnd: number): number {
    for (const [key, index] of byLength[keyEnd - at] ?? []) if (text.startsWith(key, at)) return index;
    return -1;
  }

  /** @returns the index behind the value, or -1 where it has no end. */
  function afterValue(from: number, end: number, index: number): number {
    const isQuoted = text.charCodeAt(from) === QUOTE;
    const first = isQuoted && from < end ? from + 1 : from;
    const last = first > from ? endOfQuoted(first, end) : endOfBare(first, end);
    if (last < 0) return -1;
    if (index >= 0) {
      starts[index] = first;
      ends[index] = last;
    }
    return first > from ? last + 1 : last;
  }

  function endOfKey(from: number, end: number): number {
    let at = from;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code <= SPACE || code === EQUALS || code === QUOTE) break;
    }
    return at;
  }

  function endOfBare(from: number, end: number): number {
    let at = from;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return -1;
      if (code <= SPACE) break;
    }
    return at;
  }

  /** @returns the index of the quote that ends it. */
  function endOfQuoted(from: number, end: number): number {
    for (let at = from; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === BACKSLASH) at++;
      else if (code < SPACE && code !== TAB) return -1;
    }
    return -1;
  }

  function afterBlanks(from: number, end: number): number {
    let at = from;
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    return at;
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
