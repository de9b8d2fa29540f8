// What was read of an address is remembered by where it stands: nobody may be taken for another, however many there are.
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/address.ts';
import { createAddressReaderAt } from '../../src/filters/addresses.ts';

/** Spread over all numbers, and apart from each other. */
const numberOf = (n: number): number => Math.imul(n, 0x9e3779b9) >>> 0;
const ipv4 = (number: number): string =>
  [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join('.');

describe('reading addresses in place', () => {
  it('gives each of many the address that stands there, whoever came before', () => {
    const texts = Array.from({ length: 150_000 }, (_, n) => {
      const number = numberOf(n);
      return n % 3 === 0 ? `2001:db8:${((number >>> 16) | 1).toString(16)}::1` : ipv4(number);
    });
    const read = createAddressReaderAt();
    const all = texts.join(' ');
    for (let round = 0; round < 2; round++) {
      let from = 0;
      for (const text of texts) {
        const found = read(all, from, from + text.length);
        if (found?.text !== text) expect(found?.text).toBe(text);
        from += text.length + 1;
      }
    }
  });

  it('knows again who was just there, and is not misled by a number of nothing', () => {
    const read = createAddressReaderAt();
    const text = 'x 0.0.0.0 255.255.255.255 0.0.0.0 256.0.0.1 1.2.3 01.2.3.4';
    const at = (part: string, from = 0) => {
      const start = text.indexOf(part, from);
      return read(text, start, start + part.length);
    };
    expect(at('0.0.0.0')).toEqual(parseAddress('0.0.0.0'));
    expect(at('0.0.0.0', 20)).toBe(at('0.0.0.0'));
    expect(at('255.255.255.255')).toEqual(parseAddress('255.255.255.255'));
    for (const wrong of ['256.0.0.1', '1.2.3', '01.2.3.4']) expect(at(wrong)).toBeUndefined();
  });
});
