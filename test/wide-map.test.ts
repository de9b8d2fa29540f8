// Maps that grow in small steps, against the one that JavaScript has.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNumbered } from '../src/daemon/numbered.ts';
import { createWideMap } from '../src/wide-map.ts';

test('a wide map holds what a map holds, whatever is set and deleted', () => {
  const key = fc.oneof(fc.constantFrom('', '192.0.2.7', '2001:db8::/64', 'é'), fc.string());
  const step = fc.record({ key, value: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const wide = createWideMap<number>();
      const map = new Map<string, number>();
      for (const { key: each, value } of steps) {
        if (value === undefined) expect(wide.delete(each)).toBe(map.delete(each));
        else {
          wide.set(each, value);
          map.set(each, value);
        }
        expect([wide.size, wide.get(each)]).toEqual([map.size, map.get(each)]);
      }
      const inOrder = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);
      expect(inOrder(wide.values())).toEqual(inOrder(map.values()));
    }),
  );
});

test('addresses and networks that begin alike are spread over its parts', () => {
  const wide = createWideMap<string>();
  const keys = Array.from({ length: 6_400 }, (_, i) => [
    `10.0.${i >> 8}.${i & 255}`,
    `2001:db8:0:${i.toString(16)}::/64`,
  ]).flat();
  for (const key of keys) wide.set(key, key);
  expect(keys.every((key) => wide.get(key) === key)).toBe(true);
  // In the order of the parts no run of neighbours is left: they stand in different ones.
  const met = [...wide.values()];
  expect(met).toHaveLength(keys.length);
  const isNext = (key: string, at: number): boolean => met[at + 1] === keys[keys.indexOf(key) + 2];
  expect(met.slice(0, 500).filter(isNext).length).toBeLessThan(100);
});

test('numbered things come in their order, from any number on', () => {
  const step = fc.record({ skipped: fc.nat(20_000), deleted: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(200_000), (steps, after) => {
      const numbered = createNumbered<string>();
      const map = new Map<number, string>();
      let next = 1;
      for (const { skipped, deleted } of steps) {
        next += skipped + 1;
        numbered.set(next, `${next}`);
        map.set(next, `${next}`);
        const gone = deleted === undefined ? undefined : [...map.keys()][deleted % map.size];
        if (gone === undefined) continue;
        numbered.delete(gone);
        map.delete(gone);
        expect(numbered.get(gone)).toBe(undefined);
      }
      expect(numbered.size).toBe(map.size);
      expect([...numbered.values()]).toEqual([...map.values()]);
      expect([...numbered.values(after)]).toEqual(
        [...map].filter(([number]) => number > after).map(([, thing]) => thing),
      );
    }),
  );
});
