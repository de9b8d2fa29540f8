// How much is read at once follows from how long the last chunk took.
import { expect, test } from 'vitest';
import { createTestClock } from '../clock.ts';
import { createPortions } from '../../../src/daemon/intake/portions.ts';

const KIB = 1_024;

interface Read {
  /** Nanoseconds a byte. */
  readonly speed: number;
  /** Bytes there are; as many as are asked for where it is left out. */
  readonly there?: number;
  /** Milliseconds that nothing came before it. */
  readonly after?: number;
}

/** @returns what was asked for, in KiB, and milliseconds that each chunk took. */
function reads(all: readonly Read[]): { took: number[]; sizes: number[] } {
  const clock = createTestClock(0);
  const portions = createPortions(clock);
  const sizes: number[] = [];
  const took = all.map(({ speed, there = Infinity, after = 0 }) => {
    clock.advance(after);
    const size = portions.size();
    sizes.push(size / KIB);
    const bytes = Math.min(there, size);
    const milliseconds = (bytes * speed) / 1e6;
    clock.advance(milliseconds);
    portions.note(bytes, milliseconds);
    return milliseconds;
  });
  return { took, sizes };
}

const times = (count: number, read: Read): Read[] => Array.from({ length: count }, () => read);

test('lines that nothing matches are soon read in the largest', () => {
  expect(reads(times(7, { speed: 10 })).sizes).toEqual([8, 16, 32, 64, 96, 96, 96]);
});

test('where every line costs much, each chunk takes twenty milliseconds, and the first no more', () => {
  const { took } = reads(times(6, { speed: 1_000 }));
  expect(took.map(Math.round)).toEqual([8, 16, 20, 20, 20, 20]);
});

test('where lines get dear they shrink to the least, and grow again when they get cheap', () => {
  const { sizes } = reads([
    ...times(5, { speed: 10 }),
    ...times(6, { speed: 9_000 }),
    ...times(6, { speed: 10 }),
  ]);
  expect(sizes.slice(5, 12)).toEqual([96, 48, 24, 12, 6, 4, 4]);
  expect(sizes.slice(12)).toEqual([8, 16, 32, 64, 96]);
});

test('a line that comes alone says nothing of how much can be read at once', () => {
  const { sizes } = reads([...times(5, { speed: 10 }), { speed: 200_000, there: 100 }, { speed: 10 }]);
  expect(sizes.slice(5)).toEqual([96, 96]);
});

test('the first after a pause is small, whatever came before it', () => {
  const { sizes } = reads([
    ...times(5, { speed: 10 }),
    { speed: 10, after: 99 },
    { speed: 10, after: 101 },
    { speed: 10 },
    ...times(2, { speed: 9_000 }),
    { speed: 9_000, after: 101 },
  ]);
  expect(sizes.slice(5)).toEqual([96, 8, 16, 32, 16, 8]);
});
