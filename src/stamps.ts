// The stamps that log lines bear, read from latin1 text. Pure: "now" is always handed in.
import type { Instant } from './model.ts';
import { digits, stampForms } from './stamp-forms.ts';
import { createWallClock } from './zones.ts';

const CAPITAL_A = 65;

export interface Stamps {
  /**
   * Reads a stamp that begins exactly at index `from`, in any of the forms of stamp-forms.ts. A `[` before it and the `]` after
   * it are taken along.
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
 * @param zone for stamps that name none: an IANA name, `UTC`, or undefined for the host's.
 * @throws RangeError for a zone that the system doesn't know.
 */
export function createStamps(zone: string | undefined): Stamps {
  const toInstant = createWallClock(zone);
  const forms = stampForms();
  const at: Stamps['at'] = (text, from, now) => {
    const bracketed = text.charCodeAt(from) === 91; // [
    const start = bracketed ? from + 1 : from;
    const isNamed = text.charCodeAt(start) >= CAPITAL_A;
    for (const read of isNamed ? forms.named : forms.numbered) {
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

/** Keys under which records have their stamp, Docker's and those of the usual loggers. A quote in a value is escaped. */
const TIME_KEY = /"(?:@?timestamp|time|ts|datetime|date|time_iso8601|time_local|msec|StartUTC)": ?"?/;

/**
 * The stamp of a line whose layout is not known, wherever log lines usually have it: at the start, after `<PRI>`, in
 * brackets as in access logs, or under a key of a JSON record. For the first sight of a file and for checks of the clock,
 * never for counting: a client who names himself `[01/Jan/2030:…]` may be believed in layouts other than nginx's own.
 */
export function findStamp(line: string, stamps: Stamps, now: Instant): Instant | undefined {
  const first = stamps.at(line, afterPriority(line), now);
  if (first) return first.instant;
  if (line.charCodeAt(0) === 123) {
    const key = TIME_KEY.exec(line);
    return key ? stamps.at(line, key.index + key[0].length, now)?.instant : undefined;
  }
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
