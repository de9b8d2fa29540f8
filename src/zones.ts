// What a wall clock shows → the instant at which it shows it.
import type { Instant } from './model.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Zones change their offset on quarters of an hour, never within one. */
const QUARTER = 900_000;

/** Milliseconds of a wall clock, counted as if it showed UTC, to the instant at which it shows them. */
export type WallClock = (wall: number) => Instant;

/**
 * @param zone an IANA name, `UTC`, or undefined for the host's. Where clocks are set back the earlier of the two readings is
 *   taken, and a time that clocks skip is read as if they had not yet been set forward.
 * @throws RangeError for a zone that the system doesn't know.
 */
export function createWallClock(zone: string | undefined): WallClock {
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
