// The forms in which programs write stamps, over character codes: a stamp is read for every line that is looked at, and
// regexes cost five times as much. Pure: "now" is always handed in.
import type { Instant } from './model.ts';
import { createRecentMinute } from './recent-minute.ts';
import type { WallClock } from './zones.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;

/** An instant, and the index behind the text that tells it. */
export type Stamp = { instant: Instant; end: number };
/** Reads a stamp that begins exactly at `from`. */
export type ReadStamp = (text: string, from: number, now: Instant, toInstant: WallClock) => Stamp | undefined;

/** A reader of each form, the commonest first, by how it begins: with a letter, or with something else. */
export interface StampForms {
  readonly named: readonly ReadStamp[];
  readonly numbered: readonly ReadStamp[];
}

/** Keep them per source: they remember the latest stamp. */
export function stampForms(): StampForms {
  return {
    named: [withFraction(remembering(readSyslog)), readCtime],
    numbered: [
      readIso,
      withFraction(remembering(readErrorLog)),
      remembering(readAccessLog),
      readProxyLog,
      readEpoch,
      readNamedMonth,
      readDotted,
      readCompact,
      readTai64n,
    ],
  };
}

/**
 * `2026-01-05T10:11:12.123+01:00`, also with a space for the T, a comma for the point, or without the fraction or zone.
 * MariaDB writes ` 9:11:12` behind the space, PostgreSQL ` UTC` behind the time.
 */
function readIso(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  if (text.charCodeAt(from + 4) !== 45 || text.charCodeAt(from + 7) !== 45) return undefined;
  const between = text.charCodeAt(from + 10);
  if (between !== 84 && between !== 116 && between !== 32) return undefined; // T, t, space
  const wall = wallOf(
    digits(text, from, 4),
    digits(text, from + 5, 2),
    digits(text, from + 8, 2),
    text,
    from + 11,
  );
  if (wall === undefined) return undefined;
  let end = from + 19;
  let fraction = 0;
  if (hasFraction(text, end)) {
    fraction = milliseconds(text, end + 1);
    end = afterDigits(text, end + 1);
  } else if (digits(text, end, 1) >= 0) return undefined;
  const zone = readZone(text, end) ?? readUtcWord(text, end);
  if (zone) return { instant: wall - zone.offset + fraction, end: zone.end };
  return { instant: toInstant(wall) + fraction, end };
}

/** `2026/01/05 10:11:12`, as nginx's error log and Go's programs have it. */
function readErrorLog(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  if (text.charCodeAt(from + 4) !== 47 || text.charCodeAt(from + 7) !== 47) return undefined;
  if (text.charCodeAt(from + 10) !== 32) return undefined;
  const wall = wallOf(
    digits(text, from, 4),
    digits(text, from + 5, 2),
    digits(text, from + 8, 2),
    text,
    from + 11,
  );
  if (wall === undefined || digits(text, from + 19, 1) >= 0) return undefined;
  return { instant: toInstant(wall), end: from + 19 };
}

/** `05/Jan/2026:10:11:12 +0100`, as access logs have it. */
function readAccessLog(text: string, from: number): Stamp | undefined {
  if (
    text.charCodeAt(from + 2) !== 47 ||
    text.charCodeAt(from + 6) !== 47 ||
    text.charCodeAt(from + 11) !== 58
  )
    return undefined;
  const wall = wallOf(
    digits(text, from + 7, 4),
    month(text, from + 3),
    digits(text, from, 2),
    text,
    from + 12,
  );
  if (wall === undefined || text.charCodeAt(from + 20) !== 32) return undefined;
  const zone = readZone(text, from + 21);
  return zone?.end === from + 26 ? { instant: wall - zone.offset, end: zone.end } : undefined;
}

/** `05/Jan/2026:10:11:12.655`, as HAProxy has it: its thousandths tell it from a stamp that was cut off. */
function readProxyLog(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  if (text.charCodeAt(from + 2) !== 47 || text.charCodeAt(from + 6) !== 47) return undefined;
  if (text.charCodeAt(from + 11) !== 58 || text.charCodeAt(from + 20) !== 46) return undefined;
  const wall = wallOf(
    digits(text, from + 7, 4),
    month(text, from + 3),
    digits(text, from, 2),
    text,
    from + 12,
  );
  const thousandths = digits(text, from + 21, 3);
  if (wall === undefined || thousandths < 0 || digits(text, from + 24, 1) >= 0) return undefined;
  return { instant: toInstant(wall) + thousandths, end: from + 24 };
}

/**
 * `Jan  5 10:11:12`, or `Jan 5 10:11:12` as some relays write it: the latest year that doesn't put it after the end of
 * tomorrow, as `now` has it.
 */
function readSyslog(text: string, from: number, now: Instant, toInstant: WallClock): Stamp | undefined {
  const inYear = month(text, from);
  const behind = from + (text.charCodeAt(from + 5) === 32 ? 5 : 6);
  if (inYear < 0 || text.charCodeAt(from + 3) !== 32 || text.charCodeAt(behind) !== 32) return undefined;
  const inMonth = behind === from + 5 ? digits(text, from + 4, 1) : padded(text, from + 4);
  if (digits(text, behind + 9, 1) >= 0) return undefined;
  // The limit depends on the day alone, so that whoever remembers the answer may keep it as long as the day lasts.
  const limit = (Math.floor(now / DAY) + 2) * DAY;
  const latest = new Date(limit).getUTCFullYear();
  // Eight years: the longest wait for a 29 February, around 2100.
  for (let year = latest; year >= latest - 8; year--) {
    const wall = wallOf(year, inYear, inMonth, text, behind + 1);
    if (wall === undefined) continue;
    const instant = toInstant(wall);
    if (instant <= limit) return { instant, end: behind + 9 };
  }
  return undefined;
}

/** `1767604272`, `1767604272.123`, or 13, 16 or 19 digits: the unit is found by size. */
function readEpoch(text: string, from: number): Stamp | undefined {
  let end = afterDigits(text, from);
  const length = end - from;
  if (length !== 10 && length !== 13 && length !== 16 && length !== 19) return undefined;
  const seconds = digits(text, from, 10);
  let fraction = milliseconds(text, from + 10);
  if (text.charCodeAt(end) === 46 && digits(text, end + 1, 1) >= 0) {
    if (length === 10) fraction = milliseconds(text, end + 1);
    end = afterDigits(text, end + 1);
  }
  return { instant: seconds * SECOND + fraction, end };
}

/**
 * `Mon Jan  5 10:11:12 2026`, as ctime(3), date(1) and Apache's error log have it: also with a fraction behind the time, or
 * with a zone there, of which UTC is known.
 */
function readCtime(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  if (text.charCodeAt(from + 3) !== 32 || !WEEKDAYS.has(packed(text, from))) return undefined;
  if (text.charCodeAt(from + 7) !== 32 || text.charCodeAt(from + 10) !== 32) return undefined;
  let end = from + 19;
  const fraction = hasFraction(text, end) ? milliseconds(text, end + 1) : 0;
  if (hasFraction(text, end)) end = afterDigits(text, end + 1);
  const word = /^ [A-Z]{3,5}(?= \d)/.exec(text.slice(end, end + 8))?.[0] ?? '';
  const yearAt = end + word.length + 1;
  if (text.charCodeAt(yearAt - 1) !== 32 || digits(text, yearAt + 4, 1) >= 0) return undefined;
  const wall = wallOf(
    digits(text, yearAt, 4),
    month(text, from + 4),
    padded(text, from + 8),
    text,
    from + 11,
  );
  if (wall === undefined) return undefined;
  const instant = word === ' UTC' || word === ' GMT' ? wall : toInstant(wall);
  return { instant: instant + fraction, end: yearAt + 4 };
}

/** `05-Jan-2026 10:11:12.123`, as BIND has it, and `05 Jan 2026 10:11:12.123`, as Redis has it. */
function readNamedMonth(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  const mark = text.charCodeAt(from + 2);
  if ((mark !== 45 && mark !== 32) || text.charCodeAt(from + 6) !== mark) return undefined;
  if (text.charCodeAt(from + 11) !== 32) return undefined;
  const wall = wallOf(
    digits(text, from + 7, 4),
    month(text, from + 3),
    digits(text, from, 2),
    text,
    from + 12,
  );
  return stampOfWall(text, from + 20, wall, toInstant);
}

/** `05.01.2026 10:11:12`: with points the day comes first wherever it is written. With slashes it may be either. */
function readDotted(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  if (text.charCodeAt(from + 2) !== 46 || text.charCodeAt(from + 5) !== 46) return undefined;
  if (text.charCodeAt(from + 10) !== 32) return undefined;
  const wall = wallOf(
    digits(text, from + 6, 4),
    digits(text, from + 3, 2),
    digits(text, from, 2),
    text,
    from + 11,
  );
  return stampOfWall(text, from + 19, wall, toInstant);
}

/** `20260105 10:11:12`, and MySQL's `260105 10:11:12`, in which the hour may be ` 9`. */
function readCompact(text: string, from: number, _now: Instant, toInstant: WallClock): Stamp | undefined {
  const dateEnd = text.charCodeAt(from + 6) === 32 ? from + 6 : from + 8;
  if (text.charCodeAt(dateEnd) !== 32 || text.charCodeAt(dateEnd + 3) !== 58) return undefined;
  const isShort = dateEnd === from + 6;
  const year = isShort ? digits(text, from, 2) : digits(text, from, 4);
  const wall = wallOf(
    isShort && year >= 0 ? 2000 + year : year,
    digits(text, dateEnd - 4, 2),
    digits(text, dateEnd - 2, 2),
    text,
    dateEnd + 1,
  );
  return stampOfWall(text, dateEnd + 9, wall, toInstant);
}

/** A wall clock's time that ends at `end`, and the fraction behind it. */
function stampOfWall(
  text: string,
  end: number,
  wall: number | undefined,
  toInstant: WallClock,
): Stamp | undefined {
  if (wall === undefined || digits(text, end, 1) >= 0) return undefined;
  const fraction = hasFraction(text, end) ? milliseconds(text, end + 1) : 0;
  const behind = hasFraction(text, end) ? afterDigits(text, end + 1) : end;
  const zone = readZone(text, behind);
  if (zone?.end === behind + ' +0100'.length)
    return { instant: wall - zone.offset + fraction, end: zone.end };
  return { instant: toInstant(wall) + fraction, end: behind };
}

/** `@4000000069a9b3c01dcd6500`: TAI64N, as multilog writes it; ten seconds ahead of UTC by the convention of its readers. */
function readTai64n(text: string, from: number): Stamp | undefined {
  if (text.charCodeAt(from) !== 64) return undefined;
  const found = /^@40000000([\da-f]{8})([\da-f]{8})(?![\da-f])/.exec(text.slice(from, from + 26));
  if (!found) return undefined;
  const [seconds, nanoseconds] = [Number.parseInt(found[1]!, 16), Number.parseInt(found[2]!, 16)];
  return { instant: (seconds - 10) * SECOND + Math.floor(nanoseconds / 1e6), end: from + 25 };
}

/** Takes the fraction behind a stamp along; `read` leaves it, so that a second's worth of stamps stays the same text. */
function withFraction(read: ReadStamp): ReadStamp {
  return (text, from, now, toInstant) => {
    const stamp = read(text, from, now, toInstant);
    if (!stamp || text.charCodeAt(stamp.end) !== 46 || digits(text, stamp.end + 1, 1) < 0) return stamp;
    stamp.instant += milliseconds(text, stamp.end + 1);
    stamp.end = afterDigits(text, stamp.end + 1);
    return stamp;
  };
}

/** Remembers the minute of the latest stamp of a layout whose text is as long as it is, whatever follows. */
function remembering(read: ReadStamp): ReadStamp {
  const known = createRecentMinute();
  return (text, from, now, toInstant) => {
    const day = Math.floor(now / DAY); // the missing year of a syslog stamp depends on it
    const instant = known.instantAt(text, from, day);
    if (instant !== undefined && digits(text, from + known.length, 1) < 0)
      return { instant, end: from + known.length };
    const stamp = read(text, from, now, toInstant);
    if (stamp) known.keep(text, from, stamp.end, stamp.instant, day);
    return stamp;
  };
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

const MONTHS = new Map(
  ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map((name, index) => [
    packed(name, 0),
    index + 1,
  ]),
);

const WEEKDAYS = new Set(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].map((name) => packed(name, 0)));

/** 1 to 12, or -1. */
function month(text: string, at: number): number {
  return MONTHS.get(packed(text, at)) ?? -1;
}

function packed(text: string, at: number): number {
  return (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2);
}

/** `05` or ` 5`, or -1. */
function padded(text: string, at: number): number {
  return text.charCodeAt(at) === 32 ? digits(text, at + 1, 1) : digits(text, at, 2);
}

/** The number that exactly `count` digits write, or -1. */
export function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1; // NaN past the end too
    value = value * 10 + digit;
  }
  return value;
}

function afterDigits(text: string, at: number): number {
  let end = at;
  while (digits(text, end, 1) >= 0) end++;
  return end;
}

/** A point or a comma with a digit behind it. */
function hasFraction(text: string, at: number): boolean {
  const mark = text.charCodeAt(at);
  return (mark === 46 || mark === 44) && digits(text, at + 1, 1) >= 0;
}

/** The first three digits of a fraction; missing ones are zero. */
function milliseconds(text: string, at: number): number {
  let value = 0;
  let scale = 100;
  for (let i = at; scale >= 1; i++, scale = Math.floor(scale / 10)) {
    const digit = digits(text, i, 1);
    if (digit < 0) break;
    value += digit * scale;
  }
  return value;
}

/** Date and `10:11:12` (or ` 9:11:12`) as milliseconds of a wall clock; undefined where there is no such date or time. */
function wallOf(
  year: number,
  inYear: number,
  inMonth: number,
  text: string,
  timeAt: number,
): number | undefined {
  if (text.charCodeAt(timeAt + 2) !== 58 || text.charCodeAt(timeAt + 5) !== 58) return undefined;
  const hour = text.charCodeAt(timeAt - 1) === 32 ? padded(text, timeAt) : digits(text, timeAt, 2);
  const minute = digits(text, timeAt + 3, 2);
  const second = digits(text, timeAt + 6, 2);
  if (year < 1970 || inYear < 1 || inYear > 12) return undefined;
  if (inMonth < 1 || inMonth > daysIn(year, inYear)) return undefined;
  // Second 60 is a leap second: the first of the next minute, as the kernel's clock has it.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return undefined;
  return Date.UTC(year, inYear - 1, inMonth, hour, minute, second);
}

function daysIn(year: number, inYear: number): number {
  if (inYear === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return inYear === 4 || inYear === 6 || inYear === 9 || inYear === 11 ? 30 : 31;
}

/** `Z`, `+01:00`, `+0100`, `+01`, the latter three also after a space; the offset is in milliseconds. */
function readZone(text: string, at: number): { offset: number; end: number } | undefined {
  const first = text.charCodeAt(at);
  if (first === 90 || first === 122) return { offset: 0, end: at + 1 };
  const from = first === 32 ? at + 1 : at;
  const sign = text.charCodeAt(from);
  if (sign !== 43 && sign !== 45) return undefined;
  const hours = digits(text, from + 1, 2);
  if (hours < 0 || hours > 23) return undefined;
  const minutesAt = text.charCodeAt(from + 3) === 58 ? from + 4 : from + 3;
  let minutes = digits(text, minutesAt, 2);
  let end = minutesAt + 2;
  if (minutes < 0) [minutes, end] = [0, from + 3];
  if (minutes > 59 || digits(text, end, 1) >= 0) return undefined;
  const offset = hours * 60 * MINUTE + minutes * MINUTE;
  return { offset: sign === 45 ? -offset : offset, end };
}

/** ` UTC` or ` GMT`. Other abbreviations mean one zone here and another there: what bears one is read in the reader's zone. */
function readUtcWord(text: string, at: number): { offset: number; end: number } | undefined {
  if (!text.startsWith(' UTC', at) && !text.startsWith(' GMT', at)) return undefined;
  return isWordCharacter(text.charCodeAt(at + 4)) ? undefined : { offset: 0, end: at + 4 };
}

function isWordCharacter(code: number): boolean {
  const lower = code | 32;
  return (
    (code >= 48 && code <= 57) || (lower >= 97 && lower <= 122) || code === 95 || code === 43 || code === 45
  );
}
