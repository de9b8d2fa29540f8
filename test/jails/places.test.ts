// Where an IPv4 offender is found, against a map of V8's: who came and went must make no difference.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPlaces, scattered } from '../../src/jails/places.ts';

const SALT = 0x2f6e2b1;

type Step = readonly [does: 'add' | 'delete', number: number];

function sameAsMap(steps: readonly Step[], asked: readonly number[]): void {
  const places = createPlaces(SALT);
  const map = new Map<number, number>();
  steps.forEach(([does, number], place) => {
    if (does === 'delete') {
      places.delete(number);
      map.delete(number);
    } else if (!map.has(number)) {
      places.add(number, place);
      map.set(number, place);
    }
  });
  expect(places.size).toBe(map.size);
  expect(asked.filter((number) => places.find(number) !== (map.get(number) ?? -1))).toEqual([]);
}

it('is found as in a map, however closely they stand', () => {
  // So few numbers that they come again, and so many that places are shared and those behind them are taken.
  const number = fc.integer({ min: -80, max: 80 });
  const step = fc.tuple(fc.constantFrom<Step[0]>('add', 'add', 'delete'), number);
  const all = Array.from({ length: 161 }, (_, n) => n - 80);
  fc.assert(
    fc.property(fc.array(step, { minLength: 200, maxLength: 500 }), (steps) => sameAsMap(steps, all)),
  );
});

it('keeps a hundred thousand while it grows, and those who stay when others go', () => {
  const numbers = Array.from({ length: 100_000 }, (_, n) => (n * 7) | 0);
  const gone = numbers.filter((_, n) => n % 3 !== 0);
  sameAsMap(
    [
      ...numbers.map((number): Step => ['add', number]),
      ...gone.map((number): Step => ['delete', number]),
      ['add', 0x7fffffff],
      ['add', -1],
    ],
    [...numbers, 0x7fffffff, -1, -2],
  );
});

it('is no use to choose addresses that meet in one place: with another salt they don’t', () => {
  const LAST = 0xffff;
  const meeting: number[] = [];
  for (let number = 0; meeting.length < 2_000; number++)
    if ((scattered(number, SALT) & LAST) === 0) meeting.push(number);
  for (const salt of [0, 1, 0x13579bdf, 0x7fffffff]) {
    const places = Map.groupBy(meeting, (number) => scattered(number, salt) & LAST);
    expect(Math.max(...Array.from(places.values(), ({ length }) => length))).toBeLessThan(20);
  }
});
