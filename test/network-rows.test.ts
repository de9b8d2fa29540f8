// Rows found by their network, against the simplest thing that does the same.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, ipv4, parseNetwork } from '../src/address.ts';
import type { Network } from '../src/model.ts';
import { NetworkRows } from '../src/network-rows.ts';

const net = (text: string): Network => parseNetwork(text)!.network;
const NETWORKS = [
  ...['192.0.2.7', '192.0.2.0/24', '0.0.0.0/0', '255.255.255.255', '::', '::/0', '::1', '::/96'],
  ...[
    '2001:db8::/64',
    '2001:db8::',
    '2001:db8:0:1::/64',
    '2001:db8::ffff:c000:207',
    'ffff::/16',
    '::fffe:0:0/96',
  ],
].map(net);

test('a network is found in all of its rows, in the order in which they came, and comes back as it was', () => {
  const step = fc.record({
    network: fc.constantFrom(...NETWORKS),
    removed: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(20), (steps, expected) => {
      const rows = new NetworkRows(expected);
      /** By row, which of the additions stands there. */
      const at: { network: Network; nth: number }[] = [];
      for (const [nth, { network, removed }] of steps.entries()) {
        const isNumber = network.family === 4 && network.bits === 32;
        expect(rows.add(isNumber ? network.first >>> 0 : network)).toBe(at.length);
        at.push({ network, nth });
        if (removed !== undefined) {
          const row = removed % at.length;
          expect(rows.remove(row)).toBe(at.length - 1);
          const last = at.pop()!;
          if (row < at.length) at[row] = last;
        }
        expect([rows.size, rows.distinct]).toEqual([at.length, new Set(at.map((each) => each.network)).size]);
        for (const family of [4, 6] as const) {
          const bits = at.flatMap((each) => (each.network.family === family ? [each.network.bits] : []));
          expect(rows.lengths(family)).toEqual([...new Set(bits)].toSorted((a, b) => a - b));
        }
      }
      for (const network of NETWORKS) {
        const found: number[] = [];
        for (let row = rows.first(network); row >= 0; row = rows.next(row)) found.push(row);
        const wanted = [...at.keys()].filter((row) => at[row]!.network === network);
        expect(found).toEqual(wanted.toSorted((a, b) => at[a]!.nth - at[b]!.nth));
        for (const [index, row] of found.entries()) {
          expect(rows.networkAt(row)).toEqual(network);
          expect([rows.familyAt(row), rows.bitsAt(row)]).toEqual([network.family, network.bits]);
          expect(rows.isFirst(row)).toBe(index === 0);
        }
      }
      for (const outer of NETWORKS) {
        const inside = [...at.keys()].filter((row) => contains(outer, at[row]!.network));
        expect([...rows.within(outer)]).toEqual(inside.toReversed());
      }
      expect([...rows.rows()]).toEqual([...at.keys()].toReversed());
    }),
  );
});

test('many of them are found, and none that went, while it grows and shrinks', () => {
  const rows = new NetworkRows();
  const many = Array.from({ length: 5_000 }, (_, n) => [
    ipv4(0x0a000000 + n * 256),
    net(`2001:db8:${n.toString(16)}::/48`),
  ]).flat();
  for (const network of many) rows.add(network);
  expect(many.every((network) => rows.networkAt(rows.first(network)).text === network.text)).toBe(true);
  expect(rows.first(ipv4(0x0a000001))).toBe(-1);
  const [gone, kept] = [many.filter((_, n) => n % 16 !== 0), many.filter((_, n) => n % 16 === 0)];
  for (const network of gone) rows.remove(rows.first(network));
  expect(gone.some((network) => rows.first(network) >= 0)).toBe(false);
  expect(kept.every((network) => rows.networkAt(rows.first(network)).text === network.text)).toBe(true);
  for (const network of kept) rows.remove(rows.first(network));
  expect([rows.size, rows.distinct, [...rows.rows()]]).toEqual([0, 0, []]);
});

test('a walk passes over none that was there when it began and still is', () => {
  const rows = new NetworkRows();
  const all = Array.from({ length: 100 }, (_, n) => ipv4(n));
  for (const network of all) rows.add(network);
  const met = new Set<string>();
  let next = 0;
  for (const row of rows.rows()) {
    met.add(rows.networkAt(row).text);
    if (next < 30) rows.remove(rows.first(all[next++ * 3]!));
  }
  expect(all.every((network) => met.has(network.text) || rows.first(network) < 0)).toBe(true);
});
