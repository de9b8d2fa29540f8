// What is kept by numbers, against V8's map.
import { expect, test } from 'vitest';
import { NumberTable } from '../../src/filters/number-table.ts';

/** Numbers below `below`, from a seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// One after the other as pids come, all over the place, or of the same last digits.
test.each([
  ['in order', 1],
  ['in steps', 4_096],
  ['far apart', 49_999],
])('numbers %s are kept until they are taken away', (_, step) => {
  const random = randomFrom(5);
  const table = new NumberTable<object>();
  const model = new Map<number, object>();
  let next = 0;
  for (let round = 0; round < 20_000; round++) {
    next = (next + 1) % 8_000;
    const number = (random(3) > 0 ? next : random(8_000)) * step;
    const value = { number };
    expect(table.get(number)).toBe(model.get(number));
    if (random(3) > 0) {
      table.set(number, value);
      model.set(number, value);
    } else {
      table.delete(number);
      model.delete(number);
    }
    expect(table.size).toBe(model.size);
  }
  expect(model.size).toBeGreaterThan(1_000);
  for (const [number, value] of model) expect(table.get(number)).toBe(value);
});
