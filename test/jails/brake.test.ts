import { describe, expect, test } from 'vitest';
import { createBrake } from '../../src/jails/brake.ts';
import type { Brake } from '../../src/jails/contract.ts';
import type { Braked, BrakeRule } from '../../src/model.ts';

const T0 = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const BEHAVING: BrakeRule = { kind: 'behaving' };

const banOf = (number: number, behaved: boolean, rest: Partial<Braked> = {}): Braked => ({
  ban: number,
  address: `192.0.2.${number}`,
  at: T0 + number * 1_000,
  behaved,
  ...rest,
});

/** Tells it bans until it trips. @returns the number of the ban that tripped it. */
function tripsAt(brake: Brake, bans: Iterable<Braked>): number | undefined {
  for (const ban of bans) if (brake.note(ban)) return ban.ban;
  return undefined;
}

const series = (count: number, ban: (number: number) => Braked): Braked[] =>
  Array.from({ length: count }, (_, index) => ban(index + 1));

describe('a brake by behaviour', () => {
  test('trips when more than half of the last twenty addresses had behaved, and names them', () => {
    const brake = createBrake(BEHAVING);
    expect(
      tripsAt(
        brake,
        series(10, (n) => banOf(n, true)),
      ),
    ).toBeUndefined();
    expect(brake.note(banOf(11, false))).toBeUndefined();
    expect(brake.note(banOf(12, true))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
    expect(brake.tripped).toMatchObject({ from: 13, why: expect.stringMatching(/^11 of the last 12 /) });
    expect(brake.note(banOf(13, true))).toBeUndefined();
  });

  test('strangers before a mistake delay it by nothing: it is the latest twenty that count', () => {
    const bans = [...series(500, (n) => banOf(n, false)), ...series(20, (n) => banOf(500 + n, true))];
    expect(tripsAt(createBrake(BEHAVING), bans)).toBe(511);
  });

  test('strangers alone never trip it, nor do they where half had behaved', () => {
    expect(
      tripsAt(
        createBrake(BEHAVING),
        series(1_000, (n) => banOf(n, false)),
      ),
    ).toBeUndefined();
    expect(
      tripsAt(
        createBrake(BEHAVING),
        series(1_000, (n) => banOf(n, n % 2 === 0)),
      ),
    ).toBeUndefined();
  });

  test('one address counts once, however often it is banned', () => {
    const again = series(200, (n) => banOf(n, true, { address: `192.0.2.${n % 10}` }));
    expect(tripsAt(createBrake(BEHAVING), again)).toBeUndefined();
  });

  test('what is more than a day old counts no more', () => {
    const slow = series(200, (n) => banOf(n, true, { at: T0 + n * 180 * MINUTE }));
    expect(tripsAt(createBrake(BEHAVING), slow)).toBeUndefined();
  });

  test('it goes on where it stood, and begins anew when it is released', () => {
    const first = createBrake(BEHAVING);
    tripsAt(
      first,
      series(6, (n) => banOf(n, true)),
    );
    const second = createBrake(BEHAVING, first.memory());
    expect(
      tripsAt(
        second,
        series(20, (n) => banOf(6 + n, true)),
      ),
    ).toBe(11);
    const third = createBrake(BEHAVING, second.memory());
    expect(third.tripped).toEqual(second.tripped);
    expect(third.release()).toEqual(second.tripped);
    expect(third.tripped).toBeUndefined();
    expect(
      tripsAt(
        third,
        series(20, (n) => banOf(20 + n, true)),
      ),
    ).toBe(31);
  });
});

describe('a brake by number', () => {
  const byNumber = (count: number): Brake => createBrake({ kind: 'number', count, window: MINUTE });

  test('trips at the ban after so many within the time, whoever they are, and takes none for a mistake', () => {
    const brake = byNumber(30);
    for (const ban of series(30, (n) => banOf(n, false))) expect(brake.note(ban)).toBeUndefined();
    expect(brake.note(banOf(31, false))).toEqual([]);
  });

  test('so many in more than the time trip nothing', () => {
    expect(
      tripsAt(
        byNumber(30),
        series(2_000, (n) => banOf(n, false, { at: T0 + n * 2_000 })),
      ),
    ).toBeUndefined();
  });

  test('bans out of order are counted where they fall', () => {
    const brake = byNumber(3);
    const at = (ban: number, second: number): Braked => banOf(ban, false, { at: T0 + second * 1_000 });
    expect(
      tripsAt(brake, [at(1, 100), at(2, 0), at(3, 10), at(4, 110), at(5, 20), at(6, 120)]),
    ).toBeUndefined();
    expect(brake.note(at(7, 105))).toEqual([]);
  });
});

test('a brake that is off never trips', () => {
  expect(
    tripsAt(
      createBrake({ kind: 'off' }),
      series(100, (n) => banOf(n, true)),
    ),
  ).toBeUndefined();
});
