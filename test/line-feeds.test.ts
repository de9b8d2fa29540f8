// Line feeds are counted by a program: it must count what a loop does, whatever the length and the place.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countFeeds, oneByOne } from '../src/line-feeds.ts';

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
