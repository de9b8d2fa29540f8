// Rows by number, against the map that JavaScript has.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNumbered } from '../src/numbered.ts';

test('rows come in the order of their numbers, from any number on, whatever was deleted', () => {
  const step = fc.record({
    skipped: fc.nat(200),
    added: fc.nat(600),
    deleted: fc.option(fc.nat(99), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.nat(4_000), (steps, after) => {
      const numbered = createNumbered();
      const map = new Map<number, number>();
      let next = 1;
      for (const { skipped, added, deleted } of steps) {
        next += skipped;
        for (let row = 0; row < added; row++) {
          numbered.set(next, row);
          map.set(next, row);
          next += 1 + (row & 3);
        }
        // So many of a hundred, wherever they stand.
        for (const number of [...map.keys()].filter((each) => (each * 7) % 100 < (deleted ?? 0))) {
          numbered.delete(number);
          map.delete(number);
          expect(numbered.get(number)).toBe(-1);
        }
        for (const number of [...map.keys()].slice(0, 3)) {
          numbered.set(number, 7);
          map.set(number, 7);
        }
        expect(numbered.size).toBe(map.size);
      }
      for (const [number, row] of map) expect(numbered.get(number)).toBe(row);
      expect(numbered.get(next)).toBe(-1);
      expect([...numbered.rows()]).toEqual([...map.values()]);
      expect([...numbered.rows(after)]).toEqual(
        [...map].filter(([number]) => number > after).map(([, row]) => row),
      );
    }),
    { numRuns: 15 },
  );
});

test('a walk goes on behind the number where it stands, though all around it is deleted', () => {
  const numbered = createNumbered();
  for (let number = 1; number <= 5_000; number++) numbered.set(number, number);
  const met: number[] = [];
  for (const row of numbered.rows()) {
    met.push(row);
    for (let number = row - 3; number < row + 500; number++) numbered.delete(number);
  }
  expect(met).toEqual([1, 501, 1_001, 1_501, 2_001, 2_501, 3_001, 3_501, 4_001, 4_501]);
});
