// Addresses as numbers must be the addresses that texts say.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createWords, fillWords, readWords } from '../src/address-words.ts';
import { parseAddress } from '../src/address.ts';

it('reads among bytes what parseAddress reads of a text, and nothing else', () => {
  const group = fc.constantFrom('0', '00', '1', 'ffff', 'FFFF', '0db8', 'a', '10000', '', 'g');
  const six = fc
    .tuple(
      fc.array(group, { maxLength: 9 }),
      fc.constantFrom('', '::', ':'),
      fc.array(group, { maxLength: 9 }),
    )
    .map(([head, gap, tail]) => `${head.join(':')}${gap}${tail.join(':')}`);
  const mapped = fc.ipV4().map((text) => `::ffff:${text}`);
  const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcfF:.%[]à'), maxLength: 20 });
  const before = fc.string({ unit: fc.constantFrom(...'1a:. '), maxLength: 4 });
  const [read, filled] = [createWords(), createWords()];
  let addresses = 0;
  fc.assert(
    fc.property(
      before,
      fc.oneof(six, mapped, noise, fc.ipV4(), fc.ipV4Extended(), fc.ipV6()),
      before,
      (left, text, right) => {
        const from = left.length;
        const bytes = Buffer.from(`${left}${text}${right}`, 'latin1');
        const address = parseAddress(text);
        expect(readWords(bytes, from, from + text.length, read)).toBe(address !== undefined);
        if (!address) return;
        addresses++;
        fillWords(filled, address);
        expect(read).toEqual(filled);
      },
    ),
    { numRuns: 5_000 },
  );
  expect(addresses).toBeGreaterThan(1_000);
});
