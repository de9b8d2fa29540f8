import { expect, it } from 'vitest';
import { endOf, lengthOf, nextNumber } from '../../src/jails/sentence.ts';
import { DAY, HOUR, LADDER, MINUTE, T0 } from './support.ts';

it.each([
  ['grows by the factor', LADDER, [10 * MINUTE, 40 * MINUTE, 160 * MINUTE, 640 * MINUTE]],
  ['stops at max', { ...LADDER, max: HOUR }, [10 * MINUTE, 40 * MINUTE, HOUR, HOUR]],
  ['takes broken factors', { ...LADDER, factor: 1.5 }, [10 * MINUTE, 15 * MINUTE, 22.5 * MINUTE]],
  ['a factor of one stays', { ...LADDER, factor: 1 }, [10 * MINUTE, 10 * MINUTE]],
  [
    'steps replace it, and the last one repeats',
    { ...LADDER, steps: [MINUTE, 30 * DAY] },
    [MINUTE, 30 * DAY, 30 * DAY],
  ],
  ['no steps are as none', { ...LADDER, steps: [] }, [10 * MINUTE]],
  ['max never shortens the first', { ...LADDER, first: 30 * DAY, max: DAY }, [30 * DAY, 30 * DAY]],
  ['forever stays forever', { ...LADDER, first: Infinity }, [Infinity, Infinity]],
  ['nothing stays nothing', { ...LADDER, first: 0 }, [0, 0]],
])('%s', (_, rules, lengths) => {
  expect(lengths.map((_length, index) => lengthOf(rules, index + 1))).toEqual(lengths);
});

it('the thousandth sentence is still a number, with and without a bound', () => {
  expect(lengthOf(LADDER, 1_000)).toBe(7 * DAY);
  expect(lengthOf({ ...LADDER, max: Infinity }, 1_000)).toBe(Infinity);
  expect(lengthOf({ ...LADDER, first: 0, max: Infinity }, 1_000)).toBe(0);
});

it('a sentence that would end after the last instant that a date can hold has no end', () => {
  expect(endOf(T0, DAY)).toBe(T0 + DAY);
  expect(endOf(T0, 8.64e15)).toBe(Infinity);
});

it('a sentence for good is never forgotten, and with forget "forever" none is', () => {
  expect(nextNumber([{ number: 3, until: Infinity }], DAY, T0)).toBe(4);
  expect(nextNumber([{ number: 3, until: T0 }], Infinity, T0 + 9_999 * DAY)).toBe(4);
  expect(nextNumber([{ number: 0, until: -Infinity }], Infinity, T0)).toBe(1);
});
