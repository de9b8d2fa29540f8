import { expect, test } from 'vitest';
import { createPace } from '../../../src/daemon/kernel/pace.ts';

test('a few repairs are made at once; from the tenth within ten minutes on there are pauses, and they grow', () => {
  const pace = createPace();
  const pauses: number[] = [];
  for (let now = 0; now < 400; now++) {
    pace.looked(now, 20, true);
    pauses.push(pace.wait(now));
  }
  expect(pauses.slice(0, 9)).toEqual(Array(9).fill(0));
  // A thousand milliseconds is the promise for a hundred flushes in a row.
  expect(Math.max(...pauses.slice(9, 200))).toBeLessThan(500);
  expect(Math.min(...pauses.slice(9))).toBeGreaterThan(0);
  expect(pauses.at(-1)).toBe(5_000);
  expect(pace.isContested(400)).toBe(true);
  expect(pace.isContested(400 + 600_000)).toBe(false);
});

test('looks that find nothing take a fifth of the time at most, and put off the next by half a second at most', () => {
  const pace = createPace();
  for (const [took, wait] of [
    [1, 50],
    [100, 400],
    [10_000, 500],
  ]) {
    pace.looked(1_000_000 * took!, took!, false);
    expect(pace.wait(1_000_000 * took!)).toBe(wait);
  }
});
