import { describe, expect, test } from 'vitest';
import { createSkew } from '../../../src/daemon/intake/skew.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 5, 12);

function observed(lags: readonly number[]) {
  const skew = createSkew();
  for (const lag of lags) skew.observe(NOW, NOW - lag);
  return skew.fault();
}

describe('stamps that are off by a constant', () => {
  test('an hour behind is named as a zone, with the setting that mends it', () => {
    const fault = observed([HOUR + 400, HOUR + 900, HOUR + 1_300]);
    expect(fault).toMatch(/lag the clock by 1h/);
    expect(fault).toMatch(/"zone"/);
  });

  test('two hours ahead is named too', () => {
    expect(observed([-2 * HOUR, -2 * HOUR + 500, -2 * HOUR + 900])).toMatch(/lead the clock by 2h.*"zone"/);
  });

  test('twenty-three minutes are no zone: a clock is wrong', () => {
    expect(observed([23 * 60_000, 23 * 60_000, 23 * 60_000])).toMatch(/23m.*clock/);
  });

  test('lines that are on time, or written a little late, are no fault', () => {
    expect(observed([0, 300, 900, 61_000, 2_000])).toBeUndefined();
  });

  test('old lines poured into a live file differ among themselves, and are no fault', () => {
    expect(observed([5 * HOUR, 4 * HOUR, 3 * HOUR, 2 * HOUR, HOUR])).toBeUndefined();
  });

  test('one or two lines prove nothing', () => {
    expect(observed([HOUR, HOUR])).toBeUndefined();
  });

  test('the fault is gone once the stamps are right again', () => {
    const lags = [HOUR, HOUR, HOUR, HOUR, ...Array.from({ length: 20 }, () => 100)];
    expect(observed(lags)).toBeUndefined();
  });
});
