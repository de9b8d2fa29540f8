// Line feeds are counted and found by a program: it must do what a loop does, whatever the length and the place.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countFeeds, createFeeds, findFeeds, findOneByOne, oneByOne } from '../src/line-feeds.ts';

test('line feeds are counted as by a loop, and not by it', () => {
  expect(countFeeds).not.toBe(oneByOne);
  const byte = fc.oneof(fc.constant(10), fc.constantFrom(9, 11, 13, 138, 0), fc.nat(255));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(byte, { maxLength: 300 }), (some, others) => {
      const bytes = Uint8Array.from([...some, ...others]);
      expect(countFeeds(bytes)).toBe(oneByOne(bytes));
    }),
  );
});

test('what is longer than the room for it is counted piece by piece', () => {
  const bytes = new Uint8Array(700_001).fill(10);
  expect(countFeeds(bytes)).toBe(700_001);
  // What stood there before counts for nothing.
  expect(countFeeds(Buffer.from('a\nb'))).toBe(1);
  expect(countFeeds(new Uint8Array(0))).toBe(0);
});

test('line feeds are found as by a loop, and not by it', () => {
  expect(findFeeds).not.toBe(findOneByOne);
  const [found, expected] = [createFeeds(), createFeeds()];
  const byte = fc.oneof(fc.constant(10), fc.constantFrom(9, 11, 13, 138, 0), fc.nat(255));
  const equal = (bytes: Uint8Array): void => {
    findFeeds(bytes, found);
    findOneByOne(bytes, expected);
    expect(found.at.subarray(0, found.count)).toEqual(expected.at.subarray(0, expected.count));
  };
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 1_500 }), (some) => {
      equal(Uint8Array.from(some));
    }),
  );
  equal(new Uint8Array(700_001).fill(10));
  equal(Buffer.from('x\n'.repeat(200_000)));
  equal(new Uint8Array(0));
});
