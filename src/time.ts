// Durations, and the stamps of log lines. Pure: "now" is always handed in.
import type { Duration, Instant } from './model.ts';

export { createStamps, findStamp } from './stamps.ts';
export type { Stamps } from './stamps.ts';

const UNITS: Record<string, Duration> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longer than this is a slip of the keyboard; "forever" says what it means. Instants beyond could not be written. */
const LONGEST: Duration = 100 * 365.25 * 86_400_000;

/**
 * Reads `90`, `"90s"`, `"10m"`, `"1h30m"`, `"1d"`, `"1w"`, `"forever"`. A bare number is seconds, as in fail2ban.
 * @returns milliseconds, `Infinity` for forever, undefined for anything else (negative, empty, an unknown unit,
 *   over a hundred years).
 */
export function parseDuration(value: string | number): Duration | undefined {
  if (typeof value === 'number') return bounded(Math.round(value * 1_000));
  const text = value.trim();
  if (text === 'forever') return Infinity;
  if (/^\d+(?:\.\d+)?$/.test(text)) return bounded(Math.round(Number(text) * 1_000));
  let total = 0;
  let rest = text;
  while (rest !== '') {
    const part = /^(\d+)(ms|[smhdw])/.exec(rest);
    if (!part) return undefined;
    total += Number(part[1]) * UNITS[part[2]!]!;
    rest = rest.slice(part[0].length);
  }
  return text === '' ? undefined : bounded(total);
}

function bounded(duration: Duration): Duration | undefined {
  return duration >= 0 && duration <= LONGEST ? duration : undefined;
}

/** The shortest spelling: `10m`, `1h30m`, `forever`; the inverse of {@link parseDuration}. */
export function formatDuration(duration: Duration): string {
  if (duration === Infinity) return 'forever';
  let rest = Math.max(0, Math.round(duration));
  if (rest < 1_000) return rest === 0 ? '0s' : `${rest}ms`;
  rest -= rest % 1_000;
  const parts: string[] = [];
  for (const unit of ['w', 'd', 'h', 'm', 's']) {
    const count = Math.floor(rest / UNITS[unit]!);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * UNITS[unit]!;
  }
  return parts.join('');
}

/** Instants that were written of late, and their texts: a ban's are written for the log, an event and the ledger. */
const written = new Map<Instant, string>();
const MOST_WRITTEN = 64;

/** ISO 8601 in UTC, with milliseconds: how every instant is written in JSON. */
export function formatInstant(instant: Instant): string {
  const known = written.get(instant);
  if (known !== undefined) return known;
  if (written.size >= MOST_WRITTEN) written.clear();
  const text = new Date(instant).toISOString();
  written.set(instant, text);
  return text;
}
