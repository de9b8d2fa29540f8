// Who was asked for lately is found by his numbers, and nobody in his place.
import { expect, it } from 'vitest';
import { createWords } from '../../src/address-words.ts';
import { createLately } from '../../src/jails/lately.ts';

const one = (number: number) => ({ ...createWords(), family: 6 as const, first: 0x20010db8, fourth: number });

it('stays known while others come, and nobody is taken for him', () => {
  const lately = createLately({ get: (index) => index + 1 });
  for (let number = 0; number < 4_000; number++) {
    expect(lately.find(one(number))).toBe(-1);
    lately.note(one(number), number);
    expect(lately.find(one(number))).toBe(number);
  }
  let known = 0;
  for (let number = 0; number < 4_000; number++) {
    const found = lately.find(one(number));
    if (found >= 0) expect(found).toBe(number);
    if (found >= 0) known++;
  }
  // Some share their places with too many others.
  expect(known).toBeGreaterThan(3_400);
  lately.forgetAll();
  expect(lately.find(one(1))).toBe(-1);
});
