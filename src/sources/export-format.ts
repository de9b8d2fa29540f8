// journalctl's export format, read entry by entry: https://systemd.io/JOURNAL_EXPORT_FORMATS/.
// A field is a line `NAME=value`, or, where the value holds what a line can't, `NAME`, its length in eight bytes (little
// endian), and the bytes. An empty line ends the entry. The cursor comes first. Nothing inside a value can end it early.

export interface Entry {
  /** The first value of each field, latin1: one byte one character. */
  readonly fields: ReadonlyMap<string, string>;
  /** Was a value longer than the limit? Then only its beginning is here. */
  readonly isCut: boolean;
}

export interface EntryReader {
  /** Takes the next bytes, wherever they are cut. */
  push(bytes: Buffer): void;
  /** The next whole entry; undefined where more bytes are needed. */
  next(): Entry | undefined;
}

const NEWLINE = 10;
const EQUALS = 61;
const LENGTH_BYTES = 8;
/** No field has a longer name: journald refuses more than 64. */
const LONGEST_NAME = 256;

/** @param limit so many bytes of a value are kept; the rest is passed over without being held in memory. */
export function createEntryReader(limit: number): EntryReader {
  let bytes: Buffer = Buffer.alloc(0);
  let at = 0;
  let fields = new Map<string, string>();
  let isCut = false;
  /** The rest of a value that is passed over: so many bytes, or up to the end of the line. */
  let toSkip = 0;
  let skipsLine = false;

  const text = (from: number, to: number): string => bytes.toString('latin1', from, to);

  function keep(name: string, value: string): void {
    if (!fields.has(name)) fields.set(name, value);
  }

  /** @returns false where more bytes are needed. */
  function skip(): boolean {
    if (skipsLine) {
      const end = bytes.indexOf(NEWLINE, at);
      at = end < 0 ? bytes.length : end + 1;
      skipsLine = end < 0;
      return end >= 0;
    }
    const skipped = Math.min(toSkip, bytes.length - at);
    at += skipped;
    toSkip -= skipped;
    return toSkip === 0;
  }

  /** The beginning of a line that is too long to be waited for; `to` is where it ends, or what there is of it. */
  function cutLine(to: number): void {
    const equals = bytes.indexOf(EQUALS, at);
    if (equals >= 0 && equals - at <= LONGEST_NAME)
      keep(text(at, equals), text(equals + 1, equals + 1 + limit));
    isCut = true;
    at = to;
  }

  /** The value behind a name that ends before `from`. */
  function readBinary(name: string, from: number): boolean {
    const start = from + LENGTH_BYTES;
    if (bytes.length < start) return false;
    const length = Number(bytes.readBigUInt64LE(from));
    const kept = Math.min(length, limit);
    if (bytes.length < start + kept) return false;
    keep(name, text(start, start + kept));
    isCut ||= length > limit;
    at = start + kept;
    toSkip = length - kept + 1; // And the newline behind it.
    return true;
  }

  function readField(): boolean {
    const end = bytes.indexOf(NEWLINE, at);
    // The same line with its end: where the pipe cuts must not matter.
    if ((end < 0 ? bytes.length : end) - at > limit + LONGEST_NAME) {
      cutLine(end < 0 ? bytes.length : end + 1);
      skipsLine = end < 0;
      return end >= 0;
    }
    if (end < 0) return false;
    const equals = bytes.indexOf(EQUALS, at);
    if (equals < 0 || equals > end) return readBinary(text(at, end), end + 1);
    isCut ||= end - equals - 1 > limit;
    keep(text(at, equals), text(equals + 1, Math.min(end, equals + 1 + limit)));
    at = end + 1;
    return true;
  }

  return {
    push(more) {
      bytes = at === bytes.length ? more : Buffer.concat([bytes.subarray(at), more]);
      at = 0;
    },
    next() {
      while (at < bytes.length) {
        if ((skipsLine || toSkip > 0) && !skip()) return undefined;
        if (at === bytes.length) return undefined;
        if (bytes[at] !== NEWLINE) {
          if (!readField()) return undefined;
          continue;
        }
        at++;
        const entry = { fields, isCut };
        fields = new Map();
        isCut = false;
        if (entry.fields.size > 0) return entry;
      }
      return undefined;
    },
  };
}
