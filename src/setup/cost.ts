// What it costs to look at each line of a log, as a filter must of which no text stands in every line.
import type { Filter } from '../filters/contract.ts';
import { createScanner } from '../filters/index.ts';
import type { Duration, Instant } from '../model.ts';

/** Long enough for what runs often to be compiled, and then for a figure of two digits. */
const WARMING: Duration = 30;
const MEASURED: Duration = 30;
/** Bytes that are scanned at once, as of a log. */
const CHUNK = 64 * 1024;
/** When the lines arrive: samples bear stamps of about this day. */
const ARRIVAL: Instant = Date.UTC(2026, 0, 6);

/**
 * Scans the filter's samples again and again: those that yield nothing, for most lines of a log are such.
 * @param now a clock, in milliseconds.
 * @returns microseconds for a line, on this machine and of this moment; undefined where it has no sample.
 */
export function costOfLooking(filter: Filter, now: () => number): number | undefined {
  const { samples } = filter.definition;
  const others = samples.filter(({ yields }) => yields === 'none');
  const lines = (others.length > 0 ? others : samples).map(({ text: sample }) => `${sample}\n`).join('');
  if (lines === '') return undefined;
  const text = Buffer.from(lines.repeat(Math.ceil(CHUNK / lines.length)), 'utf8').toString('latin1');
  const scanner = createScanner([filter]);
  const count = text.split('\n').length - 1;
  const scanFor = (duration: Duration): number => {
    const began = now();
    let passes = 0;
    for (; now() < began + duration; passes++) scanner.scan(text, ARRIVAL, () => {});
    return ((now() - began) * 1_000) / (passes * count);
  };
  scanFor(WARMING);
  return scanFor(MEASURED);
}
