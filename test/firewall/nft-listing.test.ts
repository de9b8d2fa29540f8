// What nft lists, read without a kernel: also what a hand has put into the table of our name.
import { expect, test } from 'vitest';
import { complete, isEnforced, isInOrder } from '../../src/firewall/nft-layout.ts';
import type { Rule } from '../../src/firewall/nft-layout.ts';
import { parseAddress } from '../../src/address.ts';
import { createElementCutter } from '../../src/firewall/nft-elements.ts';
import { readLayout, readTable } from '../../src/firewall/nft-listing.ts';
import { KERNEL_SLACK } from '../../src/firewall/nft-script.ts';

const OURS = { family: 'inet', table: 'bailiff' };
const SET = 'ban4_32_tcp_22';

/** A rule as `nft -j` prints it, over such ports. */
const ruleOver = (right: unknown): object => ({
  rule: {
    ...{ ...OURS, chain: 'prerouting', handle: 1 },
    expr: [
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right } },
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: `@${SET}` } },
      { counter: { packets: 3, bytes: 180 } },
      { drop: null },
    ],
  },
});

function read(...rights: unknown[]): readonly Rule[] {
  const set = { ...OURS, name: SET, type: 'ipv4_addr', flags: ['timeout'] };
  const nftables = [{ table: { family: 'inet', name: 'bailiff' } }, { set }, ...rights.map(ruleOver)];
  return readLayout(JSON.stringify({ nftables })).rules;
}

test.each([
  ['one', 22, [22]],
  ['some', { set: [22, 80] }, [22, 80]],
  ['a range among them', { set: [22, { range: [8000, 8002] }] }, [22, 8000, 8001, 8002]],
  ['a range alone', { range: [8000, 8001] }, [8000, 8001]],
  ['as many as anybody lists', { range: [1, 1_000] }, Array.from({ length: 1_000 }, (_, i) => i + 1)],
])('ports are read: %s', (_, right, ports) => {
  expect(read(right)).toEqual([
    {
      set: SET,
      source: 'ip saddr',
      verdict: 'drop',
      packets: 3,
      bytes: 180,
      scope: { protocol: 'tcp', ports },
    },
  ]);
});

test('a rule over a range that nobody lists is somebody else’s, and its numbers are never written out', () => {
  const all = { range: [0, 65_535] };
  const many = { set: Array.from({ length: 100 }, () => ({ range: [0, 999] })) };
  for (const right of [all, { set: [22, all] }, many])
    expect(read(right)).toMatchObject([{ set: undefined, verdict: 'drop', scope: { ports: [] } }]);
  const rules = read(...Array.from({ length: 5_000 }, () => all));
  expect(rules.reduce((sum, { scope }) => sum + scope.ports.length, 0)).toBe(0);
  // So the table is put in order.
  const layout = { hasTable: true, chain: 'ours', sets: new Map(), rules, refuses: false } as const;
  expect(isInOrder(layout)).toBe(false);
});

test.each([
  { range: [5, 1] },
  { range: [1] },
  { range: 'all' },
  { set: 'x' },
  { set: [null, {}] },
  'ssh',
  null,
])('what is no list of ports is none: %j', (right) => {
  expect(read(right)).toMatchObject([{ scope: { ports: [] } }]);
});

const matching = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } });
const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
const asking = matching(saddr, '@ban4_24_any');
const masked = matching({ '&': [saddr, '255.255.255.0'] }, '@ban4_24_any');
const drop = { drop: null };

// Each of them names our set and drops, and lets by whom the set holds. Such rules were taken for ours.
test.each([
  ['', true, [masked, drop]],
  [
    'it asks for another port',
    false,
    [masked, matching({ payload: { protocol: 'tcp', field: 'dport' } }, 9999), drop],
  ],
  ['it asks for one protocol', false, [masked, matching({ meta: { key: 'l4proto' } }, 'tcp'), drop]],
  ['it asks for an interface', false, [matching({ meta: { key: 'iifname' } }, 'eth7'), masked, drop]],
  ['it means all others', false, [matching({ '&': [saddr, '255.255.255.0'] }, '@ban4_24_any', '!='), drop]],
  [
    'it asks whom they go to',
    false,
    [matching({ payload: { protocol: 'ip', field: 'daddr' } }, '@ban4_24_any'), drop],
  ],
  ['it does not mask', false, [asking, drop]],
  ['it masks otherwise', false, [matching({ '&': [saddr, '255.255.0.0'] }, '@ban4_24_any'), drop]],
  ['it drops what is over a limit', false, [masked, { limit: { rate: 1, per: 'second', inv: true } }, drop]],
])('a rule is ours only if it asks what we ask: %s', (_, isOurs, expr) => {
  const nftables = [
    { table: { family: 'inet', name: 'bailiff' } },
    {
      chain: {
        ...OURS,
        name: 'prerouting',
        type: 'filter',
        hook: 'prerouting',
        prio: -300,
        policy: 'accept',
      },
    },
    { set: { ...OURS, name: 'ban4_24_any', type: 'ipv4_addr' } },
    { rule: { ...OURS, chain: 'prerouting', expr } },
  ];
  const layout = readLayout(JSON.stringify({ nftables }));
  expect(isInOrder(layout)).toBe(isOurs);
  expect(isEnforced(layout, layout.sets.get('ban4_24_any')!)).toBe(isOurs);
});

test.each([['dormant'], [['dormant', 'persist']]])(
  'a table that sleeps is told by its flags: %j',
  (flags) => {
    const nftables = [{ table: { family: 'inet', name: 'bailiff', flags } }];
    const layout = readLayout(JSON.stringify({ nftables }));
    expect(layout.isAsleep).toBe(true);
    expect(complete(layout, []).statements).toContain('add table inet bailiff');
  },
);

const NOW = 1_700_000_000_000;
const net = (text: string) => parseAddress(text)!;

/** A table as `nft -j` lists it, with such elements in a set for each family. */
function listed(...elements: unknown[][]): string {
  const sets = elements.map((elem, index) => {
    const name = index === 0 ? 'ban4_32_any' : 'ban6_128_any';
    return {
      set: { ...OURS, name, type: 'ipv4_addr', flags: ['timeout'], ...(elem.length > 0 && { elem }) },
    };
  });
  const chain = { type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' };
  const rules = ['ip', 'ip6'].map((protocol, index) => ({
    rule: {
      ...{ ...OURS, chain: 'prerouting' },
      expr: [
        matching(
          { payload: { protocol, field: 'saddr' } },
          `@${index === 0 ? 'ban4_32_any' : 'ban6_128_any'}`,
        ),
        drop,
      ],
    },
  }));
  return JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 'bailiff' } },
      ...sets,
      { chain: { ...OURS, name: 'prerouting', ...chain } },
      ...rules,
    ],
  });
}

/** What is read where the listing comes in pieces of so many characters. */
function blocksIn(json: string, piece: number): string[] {
  const listing = createElementCutter();
  for (let at = 0; at < json.length; at += piece) listing.take(json.slice(at, at + piece));
  const { blocks } = readTable(listing, NOW);
  // They can be gone through again.
  expect([...blocks]).toEqual([...blocks]);
  return Array.from(
    blocks,
    ({ network, until }) => `${network.text} ${until === undefined ? '' : until - NOW}`,
  );
}

const ending = (val: string, expires: number, more: object = {}): object => ({
  elem: { val, timeout: 630, expires, ...more },
});

test.each([1, 2, 7, 64, 65, 1_000, 1e6])(
  'elements are read in pieces of %i characters as in one',
  (piece) => {
    const limit = { limit: { rate: 10, burst: 5, per: 'minute' } };
    const json = listed(
      ['192.0.2.7', ending('192.0.2.8', 629), ending('192.0.2.9', 0, limit), '192.0.2.10'],
      [ending('2001:db8::1', 100), '2001:db8::2'],
    );
    expect(blocksIn(json, piece)).toEqual([
      '192.0.2.7 ',
      `192.0.2.8 ${629_000 - KERNEL_SLACK}`,
      `192.0.2.9 ${-KERNEL_SLACK}`,
      '192.0.2.10 ',
      `2001:db8::1 ${100_000 - KERNEL_SLACK}`,
      '2001:db8::2 ',
    ]);
    expect(blocksIn(listed([], ['2001:db8::2']), piece)).toEqual(['2001:db8::2 ']);
  },
);

test('of what is no address of ours the rest of the set is not read, and the other sets are', () => {
  const strange = { range: ['192.0.2.20', '192.0.2.30'] };
  expect(blocksIn(listed(['192.0.2.7', strange, '192.0.2.9'], ['2001:db8::2']), 50)).toEqual([
    '192.0.2.7 ',
    '2001:db8::2 ',
  ]);
  expect(blocksIn(listed(['192.0.2.7', { long: 'x'.repeat(5_000) }], ['2001:db8::2']), 50)).toEqual([
    '192.0.2.7 ',
    '2001:db8::2 ',
  ]);
});

test('an IPv4 address that somebody put among IPv6 ones hides none of these', () => {
  expect(blocksIn(listed([], ['::ffff:192.0.2.1', '2001:db8::2', '2001:db8::3']), 50)).toEqual([
    '2001:db8::2 ',
    '2001:db8::3 ',
  ]);
});

test('a hundred thousand elements are all read', () => {
  const listing = createElementCutter();
  const many = Array.from({ length: 100_000 }, (_, index) =>
    ending(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, index),
  );
  listing.take(listed(many));
  const { blocks } = readTable(listing, NOW);
  let sum = 0;
  for (const { until } of blocks) sum += until! - NOW + KERNEL_SLACK;
  expect(sum).toBe((1_000 * 100_000 * 99_999) / 2);
  expect([...blocks].at(-1)!.network).toEqual(net('10.1.134.159'));
});
