// What is believed to be in the kernel, against the simplest thing that keeps the same.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/address.ts';
import { createHeld } from '../../../src/daemon/kernel/held.ts';
import type { Block, Scope } from '../../../src/model.ts';

const NETWORKS = ['192.0.2.7', '2001:db8::7'].map((text) => parseAddress(text)!);
/** The first two are equal, and two objects. */
const SCOPES: Scope[] = [
  { protocol: 'any', ports: [] },
  { protocol: 'any', ports: [] },
  { protocol: 'tcp', ports: [22] },
  { protocol: 'tcp', ports: [22], answer: { do: 'reject' } },
];

const textOf = ({ network, scope, until }: Block): string =>
  `${network.text} ${scope.protocol} ${scope.ports.join()} ${scope.answer?.do} ${until}`;

test('one block for each network and scope, whatever is held and let go', () => {
  const step = fc.record({
    network: fc.constantFrom(...NETWORKS),
    scope: fc.constantFrom(...SCOPES),
    until: fc.option(fc.nat(9), { nil: undefined }),
    isHeld: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const held = createHeld();
      const kept = new Map<string, Block>();
      for (const { isHeld, ...block } of steps) {
        const key = textOf({ ...block, until: 0 });
        if (isHeld) {
          held.hold(block);
          kept.set(key, block);
        } else {
          held.letGo(block.network, block.scope);
          kept.delete(key);
        }
        expect([...held.all()].map(textOf).toSorted()).toEqual([...kept.values()].map(textOf).toSorted());
        expect(held.has(block.network, block.scope)).toBe(kept.has(key));
        expect(held.size).toBe(new Set(Array.from(kept.values(), ({ network }) => network.text)).size);
      }
    }),
  );
});
