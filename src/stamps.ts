// The stamps that log lines bear, read from latin1 text. Pure: "now" is always handed in.
// Written by hand over character codes: a stamp is read for every line that is looked at, and regexes cost five times as much.
import type { Instant } from './model.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Zones change their offset on quarters of an hour, never within one. */
const QUARTER = 900_000;

export interface Stamps {
  /**
   * Reads a stamp that begins exactly at index `from`: nginx access and error logs, ISO 8601, syslog, epoch in s, ms, µs or ns.
   * A `[` before it and the `]` after it are taken along.
   * A stamp that names no zone is read in the zone that this reader was made for; one without a year gets the latest year
   * that doesn't put it more than about a day after `now`.
   * @returns the instant, and the index after the stamp; undefined where there is none or the date doesn't exist.
   */
  at(text: string, from: number, now: Instant): { instant: Instant; end: number } | undefined;
  /** Reads a text that is a stamp as a whole: the value of a field. */
  field(text: string, now: Instant): Instant | undefined;
}

/**
 * A reader of stamps. Keep one per source: it remembers the latest stamp of each layout, which a second's worth of lines shares.
 * @param zone for stamps that name none: an IANA name, `UTC`, or undefined for the host's. Where clocks are set back the
 *   earlier of the two readings is taken, and a time that clocks skip is read as if they had not yet been set forward.
 * @throws RangeError for a zone that the system doesn't know.
 */
export function createStamps(zone: string | undefined): Stamps {
  const toInstant = createWallClock(zone);
  const layouts = [
    readIso,
    remembering(readErrorLog),
    remembering(readAccessLog),
    remembering(readSyslog),
    readEpoch,
  ];
  const at: Stamps['at'] = (text, from, now) => {
    const bracketed = text.charCodeAt(from) === 91; // [
    const start = bracketed ? from + 1 : from;
    for (const read of layouts) {
      const stamp = read(text, start, now, toInstant);
      if (!stamp) continue;
      if (bracketed && text.charCodeAt(stamp.end) === 93) stamp.end++; // ]
      return stamp;
    }
    return undefined;
  };
  return {
    at,
    field(text, now) {
      const stamp = at(text, 0, now);
      return stamp?.end === text.length ? stamp.instant : undefined;
    },
  };
}

/**
 * The stamp of a line whose layout is not known, wherever log lines usually have it: at the start, after `<PRI>`, or in
 * brackets as in access logs. For the first sight of a file and for checks of the clock, never for counting: a client
 * who names himself `[01/Jan/2030:…]` may be believed in layouts other than nginx's own.
 */
export function findStamp(line: string, stamps: Stamps, now: Instant): Instant | undefined {
  const first = stamps.at(line, afterPriority(line), now);
  if (first) return first.instant;
  let found: Instant | undefined;
  let from = line.indexOf('[');
  for (let tries = 0; from >= 0 && tries < 8; tries++) {
    const stamp = stamps.at(line, from, now);
    // nginx writes a quote in a user's name as \x22: what is followed by `] "` is not the client's.
    if (stamp && line.startsWith('] "', stamp.end - 1)) return stamp.instant;
    found ??= stamp?.instant;
    from = line.indexOf('[', from + 1);
  }
  return found;
}

/** Index after `<34>` and, as RFC 5424 has it, `<34>1 `; 0 where there is no priority. */
function afterPriority(line: string): number {
  if (line.charCodeAt(0) !== 60) return 0;
  const close = line.indexOf('>');
  if (close < 2 || close > 4 || digits(line, 1, close - 1) < 0) return 0;
  return line.startsWith('1 ', close + 1) ? close + 3 : close + 1;
}

// ── layouts ──────────────────────────────────────────────────────────────────────────────────────────────────────

type Stamp = { instant: Instant; end: number };
/** Milliseconds of a wall clock, counted as if it showed UTC, to the instant at which it shows them. */
type WallClock = (wall: number) => Instant;
type Layout = (text: string, from: number, now: Instant, toInstant: WallClock) => Stamp | undefined;

/** `2026-01-05T10:11:12.123+01:00`, also with a space for the T, a comma for the point, or without the fraction or zone. */
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
  const mark = text.charCodeAt(end);
  if ((mark === 46 || mark === 44) && digits(text, end + 1, 1) >= 0) {
    fraction = milliseconds(text, end + 1);
    end = afterDigits(text, end + 1);
  } else if (digits(text, end, 1) >= 0) return undefined;
  const zone = readZone(text, end);
  if (zone) return { instant: wall - zone.offset + fraction, end: zone.end };
  return { instant: toInstant(wall) + fraction, end };
}

/** `2026/01/05 10:11:12`, as nginx's error log has it. */
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

/** `Jan  5 10:11:12`: the latest year that doesn't put it after the end of tomorrow, as `now` has it. */
function readSyslog(text: string, from: number, now: Instant, toInstant: WallClock): Stamp | undefined {
  const inYear = month(text, from);
  if (inYear < 0 || text.charCodeAt(from + 3) !== 32 || text.charCodeAt(from + 6) !== 32) return undefined;
  const day = text.charCodeAt(from + 4) === 32 ? digits(text, from + 5, 1) : digits(text, from + 4, 2);
  if (digits(text, from + 15, 1) >= 0) return undefined;
  // The limit depends on the day alone, so that whoever remembers the answer may keep it as long as the day lasts.
  const limit = (Math.floor(now / DAY) + 2) * DAY;
  const latest = new Date(limit).getUTCFullYear();
  // Eight years: the longest wait for a 29 February, around 2100.
  for (let year = latest; year >= latest - 8; year--) {
    const wall = wallOf(year, inYear, day, text, from + 7);
    if (wall === undefined) continue;
    const instant = toInstant(wall);
    if (instant <= limit) return { instant, end: from + 15 };
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

/** Remembers the latest stamp of a layout whose text is as long as it is, whatever follows. */
function remembering(read: Layout): Layout {
  let known = '\n'; // in no line
  let knownDay = 0;
  let knownInstant = 0;
  return (text, from, now, toInstant) => {
    const day = Math.floor(now / DAY); // the missing year of a syslog stamp depends on it
    if (day === knownDay && text.startsWith(known, from) && digits(text, from + known.length, 1) < 0)
      return { instant: knownInstant, end: from + known.length };
    const stamp = read(text, from, now, toInstant);
    // A copy: a slice would keep the whole chunk alive.
    if (stamp) [known, knownDay, knownInstant] = [copyOf(text.slice(from, stamp.end)), day, stamp.instant];
    return stamp;
  };
}

function copyOf(slice: string): string {
  return Buffer.from(slice, 'latin1').toString('latin1');
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

const MONTHS = new Map(
  ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map((name, index) => [
    packed(name, 0),
    index + 1,
  ]),
);

/** 1 to 12, or -1. */
function month(text: string, at: number): number {
  return MONTHS.get(packed(text, at)) ?? -1;
}

function packed(text: string, at: number): number {
  return (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2);
}

/** The number that exactly `count` digits write, or -1. */
function digits(text: string, at: number, count: number): number {
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

/** Date and `10:11:12` as milliseconds of a wall clock; undefined where there is no such date or time. */
function wallOf(year: number, inYear: number, day: number, text: string, timeAt: number): number | undefined {
  if (text.charCodeAt(timeAt + 2) !== 58 || text.charCodeAt(timeAt + 5) !== 58) return undefined;
  const hour = digits(text, timeAt, 2);
  const minute = digits(text, timeAt + 3, 2);
  const second = digits(text, timeAt + 6, 2);
  if (year < 1970 || inYear < 1 || inYear > 12 || day < 1 || day > daysIn(year, inYear)) return undefined;
  // Second 60 is a leap second: the first of the next minute, as the kernel's clock has it.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return undefined;
  return Date.UTC(year, inYear - 1, day, hour, minute, second);
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

// ── zones ────────────────────────────────────────────────────────────────────────────────────────────────────────

function createWallClock(zone: string | undefined): WallClock {
  if (zone === 'UTC') return (wall) => wall;
  const offsetAt = zone === undefined ? hostOffset : createOffsets(zone);
  let quarter = -1;
  let offset = 0;
  return (wall) => {
    const within = Math.floor(wall / QUARTER);
    if (within !== quarter) [quarter, offset] = [within, offsetOfWall(within * QUARTER, offsetAt)];
    return wall - offset;
  };
}

/** The offset by which a wall clock's time is read; where it is shown twice or never, the one before the change. */
function offsetOfWall(wall: number, offsetAt: (instant: Instant) => number): number {
  const before = offsetAt(wall - DAY);
  const after = offsetAt(wall + DAY);
  if (before === after || offsetAt(wall - before) === before) return before;
  return offsetAt(wall - after) === after ? after : before;
}

function hostOffset(instant: Instant): number {
  return -new Date(instant).getTimezoneOffset() * MINUTE;
}

/** How far a zone is ahead of UTC at an instant, in milliseconds. */
function createOffsets(zone: string): (instant: Instant) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instant) => {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) shown[type] = Number(value);
    const { year, month: inYear, day, hour, minute, second } = shown;
    const wall = Date.UTC(year!, inYear! - 1, day, hour, minute, second);
    return wall - Math.floor(instant / SECOND) * SECOND;
  };
}
