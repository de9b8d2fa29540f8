// What it costs to look at every line: told by a clock that goes on by ten milliseconds whenever it is asked.
import { expect, test } from 'vitest';
import { costOfLooking } from '../../src/setup/index.ts';
import type { Sample } from '../../src/filters/contract.ts';
import { filterOf, pattern } from '../filters/engine.ts';

const sample = (text: string, yields: Sample['yields']): Sample => ({ text, yields, line: 1, column: 1 });
const clock = (): (() => number) => {
  let now = 0;
  return () => (now += 10);
};
const match = [pattern(String.raw`^\d+ <ip>$`)];

test('lines that yield nothing are scanned, and the time is shared among them', () => {
  const samples = [
    sample('1 192.0.2.7', { ip: '192.0.2.7' }),
    sample('a line of 32 bytes with its end', 'none'),
  ];
  // 2 048 lines of 32 bytes at a time; two passes within 30 ms, and 40 ms until it is asked how long they took.
  expect(costOfLooking(filterOf({ match, samples }), clock())).toBeCloseTo(40_000 / (2 * 2_048), 6);
});

test('where all samples match, they are scanned; without one nothing is told', () => {
  const samples = [sample('1 192.0.2.7 as a line of 31 byte', { ip: '192.0.2.7' })];
  expect(costOfLooking(filterOf({ match, samples }), clock())).toBeGreaterThan(0);
  expect(costOfLooking(filterOf({ match }), clock())).toBeUndefined();
});
