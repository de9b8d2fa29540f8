// The minute of the stamp that was read last: the lines of a log share it, and within it only the seconds are to be read.
import type { Instant } from './model.ts';
import { ownCopy } from './text.ts';

/** Hours, minutes, and the seconds that may differ; 60, a leap second, is read as a whole each time. */
const TIME = /(?<!\d)\d\d:\d\d:[0-5]\d(?![\d:])/;
const SECONDS_IN_TIME = 6;

/** The minute that was read last. One class for all: a reader of stamps asks several of them of each line. */
export class RecentMinute {
  #before = '\n'; // in no line
  #after = '';
  #ofDay = 0;
  /** Of second 0. */
  #begins: Instant = 0;
  #length = this.#before.length + 2;
  #bytesBefore = bytesOf(this.#before);
  #bytesAfter = bytesOf(this.#after);
  #edition = 0;

  /** Characters of a stamp that is known. */
  get length(): number {
    return this.#length;
  }

  /** What stands around the seconds of a stamp that is known. */
  get around(): readonly [before: Uint8Array, after: Uint8Array] {
    return [this.#bytesBefore, this.#bytesAfter];
  }

  /** When it began, if `day` is the day of which it is known; else NaN. */
  beginsOn(day: number): Instant {
    return day === this.#ofDay ? this.#begins : NaN;
  }

  /** Another number as soon as another minute is known. */
  get edition(): number {
    return this.#edition;
  }

  /** The instant of a stamp that begins at `from`; undefined where it isn't of the minute that is known, or not of that day. */
  instantAt(text: string, from: number, day: number): Instant | undefined {
    if (day !== this.#ofDay || !stands(this.#before, text, from)) return undefined;
    const at = from + this.#before.length;
    const second = twoDigits(text, at);
    return second >= 0 && stands(this.#after, text, at + 2) ? this.#begins + second * 1_000 : undefined;
  }

  /** The same of a stamp among bytes; NaN where it isn't known. */
  instantAmong(bytes: Uint8Array, from: number, day: number): Instant {
    if (day !== this.#ofDay || !standAmong(this.#bytesBefore, bytes, from)) return NaN;
    const at = from + this.#bytesBefore.length;
    const second = secondOf(bytes[at]!, bytes[at + 1]!);
    return second >= 0 && standAmong(this.#bytesAfter, bytes, at + 2) ? this.#begins + second * 1_000 : NaN;
  }

  /** Remembers that [from, end) means `instant`. @param day what the stamp leaves out depends on it. */
  keep(text: string, from: number, end: number, instant: Instant, day: number): void {
    const stamp = text.slice(from, end);
    const time = TIME.exec(stamp);
    if (!time) return;
    const at = time.index + SECONDS_IN_TIME;
    // Copies: slices would keep the whole chunk alive.
    this.#before = ownCopy(stamp.slice(0, at));
    this.#after = ownCopy(stamp.slice(at + 2));
    this.#bytesBefore = bytesOf(this.#before);
    this.#bytesAfter = bytesOf(this.#after);
    this.#length = this.#before.length + 2 + this.#after.length;
    this.#ofDay = day;
    this.#begins = instant - twoDigits(stamp, at) * 1_000;
    this.#edition++;
  }
}

export function createRecentMinute(): RecentMinute {
  return new RecentMinute();
}

/** A loop: most stamps differ early, or are short. */
function stands(part: string, text: string, from: number): boolean {
  for (let at = 0; at < part.length; at++)
    if (text.charCodeAt(from + at) !== part.charCodeAt(at)) return false;
  return true;
}

function bytesOf(latin1: string): Uint8Array {
  return Buffer.from(latin1, 'latin1');
}

function standAmong(part: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let at = 0; at < part.length; at++) if (bytes[from + at] !== part[at]) return false;
  return true;
}

/** 0 to 59, or -1. */
function twoDigits(text: string, at: number): number {
  return secondOf(text.charCodeAt(at), text.charCodeAt(at + 1));
}

/** The same of the codes of two characters. */
function secondOf(first: number, second: number): number {
  const tens = first - 48;
  const ones = second - 48;
  return tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}
