// How much is read at once follows from how long the last chunk took.
import { expect, test } from 'vitest';
import { createPortions } from '../../../src/daemon/intake/portions.ts';

const KIB = 1_024;

/** Reads whatever is asked for at so many nanoseconds a byte. @returns milliseconds that each chunk took. */
function reads(speeds: readonly number[]): { took: number[]; sizes: number[] } {
  const portions = createPortions();
  const sizes: number[] = [];
  const took = speeds.map((speed) => {
    const bytes = portions.size();
    sizes.push(bytes);
    const milliseconds = (bytes * speed) / 1e6;
    portions.note(bytes, milliseconds);
    return milliseconds;
  });
  return { took, sizes };
}

test('lines that nothing matches are read in the largest', () => {
  expect(new Set(reads([10, 10, 10]).sizes)).toEqual(new Set([96 * KIB]));
});

test('where every line costs much, the next chunk takes ten milliseconds, and so do all after it', () => {
  const { took } = reads(Array.from({ length: 6 }, () => 1_000));
  expect(took.slice(1).map(Math.round)).toEqual([10, 10, 10, 10, 10]);
});

test('they grow again when lines get cheap, and never beyond what strings are fast for', () => {
  const { sizes } = reads([5_000, ...Array.from({ length: 9 }, () => 10)]);
  expect(sizes[1]).toBe(4 * KIB);
  expect(sizes.at(-1)).toBe(96 * KIB);
});
