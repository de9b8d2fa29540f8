import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOldest } from '../src/oldest.ts';

test('it names the key that a walk through the whole map would meet first, however keys came and went', () => {
  const step = fc.record({ key: fc.nat(20), what: fc.constantFrom('put', 'renew', 'take', 'oldest') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = new Map<number, true>();
      const oldest = createOldest(map);
      for (const { key, what } of steps) {
        if (what === 'oldest') {
          const named = oldest();
          expect(named).toBe(map.keys().next().value);
          if (named !== undefined) map.delete(named);
          continue;
        }
        if (what !== 'put') map.delete(key);
        if (what !== 'take') map.set(key, true);
      }
    }),
  );
});
