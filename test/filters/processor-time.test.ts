// No line keeps a shipped filter busy. Measured in processor time against a harmless line of the same length, in this
// process: on any machine, however busy, the one is a multiple of the other.
import { describe, expect, test } from 'vitest';
import { createScanner } from '../../src/filters/index.ts';
import type { Filter } from '../../src/filters/contract.ts';
import { hostileLines, LONG, LONGEST, type HostileLine } from './hostile-lines.ts';
import { createScale } from './processor-time.ts';
import { NOW, plain } from './engine.ts';
import { SHIPPED, shippedFilter } from './shipped.ts';

/**
 * So many times the processor of a harmless line. That takes some 35 microseconds where this was written: no line may take
 * twenty milliseconds.
 */
const MOST = 600;
/** Costly lines of a filter to tell of; each takes a while to measure. */
const ENOUGH = 3;

/** One line scanned by one filter, as the daemon does it. */
function scanning(filter: Filter): (line: string) => () => void {
  const scanner = createScanner([filter]);
  return (line) => {
    const text = `${line}\n`;
    return () => void scanner.scan(text, NOW, () => {});
  };
}

const scan = scanning(plain('^Failed password for invalid user <user> from <ip> port \\d+(?: ssh\\d)?$'));
/** Somebody with a long name fails to log in. */
const harmless = (length: number): (() => void) =>
  scan(`Failed password for invalid user ${'x'.repeat(length)} from 192.0.2.7 port 40022 ssh2`);
const excessOfLong = createScale(harmless(LONG), MOST);
const excessOfLongest = createScale(harmless(LONGEST), MOST);

/** The first lines that cost too much, and how many times a harmless one of their length. */
function costly(filter: Filter, lines: Iterable<HostileLine>): string[] {
  const scanOf = scanning(filter);
  const found: string[] = [];
  for (const { what, line } of lines) {
    const excess = (line.length > 2 * LONG ? excessOfLongest : excessOfLong)(scanOf(line));
    if (excess !== undefined) found.push(`${what}: ${excess} times`);
    if (found.length === ENOUGH) break;
  }
  return found;
}

describe.each(SHIPPED)('%s', (name) => {
  test.each(['normal', 'aggressive'] as const)('is kept busy by no line in mode %s', (mode) => {
    const filter = shippedFilter(name, { mode });
    expect(costly(filter, hostileLines(filter))).toEqual([]);
  });

  test('is tried with several lines', () => {
    const modes = (['normal', 'aggressive'] as const).map((mode) => shippedFilter(name, { mode }));
    expect(modes.flatMap((filter) => [...hostileLines(filter)]).length).toBeGreaterThan(8);
  });
});
