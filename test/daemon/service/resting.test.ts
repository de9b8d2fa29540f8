// When there is time to give back what was left in memory.
import { expect, test } from 'vitest';
import { createResting } from '../../../src/daemon/service/resting.ts';

/** @returns in which ticks, from 1, one may rest. Each tick is told of what was done before it. */
function restsAfter(ticks: readonly { readonly worked?: number; readonly isFlooded?: boolean }[]): number[] {
  const rests: number[] = [];
  let now = 0;
  const resting = createResting(() => rests.push(now));
  for (const { worked = 0, isFlooded = false } of ticks) {
    now++;
    // Chunk after chunk.
    for (let left = worked; left > 0; left -= 20) resting.worked(Math.min(20, left));
    resting.tick(isFlooded);
  }
  return rests;
}

const quiet = (count: number): object[] => Array.from({ length: count }, () => ({}));

test('some ticks after a backlog was read, once', () => {
  expect(restsAfter([{ worked: 900 }, { worked: 400 }, ...quiet(20)])).toEqual([6]);
});

test('some ticks after a flood of bans, however little there was to read', () => {
  expect(restsAfter([{ isFlooded: true, worked: 30 }, ...quiet(9)])).toEqual([5]);
});

test('not while more comes', () => {
  const bursts = Array.from({ length: 5 }, () => [{ worked: 500 }, ...quiet(3)]).flat();
  expect(restsAfter([...bursts, ...quiet(4)])).toEqual([21]);
});

test('lines that come all the time are nothing to rest from, and no reason not to', () => {
  const followed = (count: number): object[] => Array.from({ length: count }, () => ({ worked: 40 }));
  expect(restsAfter(followed(30))).toEqual([]);
  expect(restsAfter([{ worked: 800 }, ...followed(30)])).toEqual([5]);
});
