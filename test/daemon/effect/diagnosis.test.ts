// What is taken for the cause of a ban without effect, and what is not: the cases that no kernel here can be brought into, and
// those in which nothing may be said.
import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/address.ts';
import { diagnose } from '../../../src/daemon/effect/diagnosis.ts';
import { createForce } from '../../../src/daemon/effect/force.ts';
import { createLateClock } from '../../../src/daemon/effect/late-clock.ts';
import { createSuspects, GRACE } from '../../../src/daemon/effect/suspects.ts';
import { parseSockets } from '../../../src/daemon/host/sockets.ts';
import type { Glimpse, Witness } from '../../../src/firewall/index.ts';
import { readRuleset } from '../../../src/firewall/surroundings.ts';
import type { Ban, Network, Scope } from '../../../src/model.ts';

const address = parseAddress('192.0.2.7')!;
const everything: Scope = { protocol: 'any', ports: [] };
const ban = { id: 1, address, jail: 'login' } as Ban;
const NOTHING: Glimpse = { before: [], behind: [] };
const NO_RULES = '{"nftables": []}';

/** As nft(8) lists a table with a flowtable. No kernel of ours has the module. */
const WITH_FLOWTABLE = JSON.stringify({
  nftables: [
    { table: { family: 'inet', name: 'router', handle: 1 } },
    {
      flowtable: {
        family: 'inet',
        name: 'fast',
        table: 'router',
        handle: 2,
        hook: 'ingress',
        prio: 0,
        dev: ['eth0', 'eth1'],
      },
    },
    {
      chain: {
        family: 'inet',
        table: 'router',
        name: 'fw',
        handle: 3,
        type: 'filter',
        hook: 'forward',
        prio: 0,
        policy: 'accept',
      },
    },
    {
      rule: {
        family: 'inet',
        table: 'router',
        chain: 'fw',
        handle: 4,
        expr: [{ flow: { op: 'add', flowtable: '@fast' } }],
      },
    },
  ],
});

interface Seen {
  readonly glimpse?: Glimpse;
  readonly ruleset?: string;
  readonly scope?: Scope;
  /** A line that is written while it is looked. */
  readonly isFed?: boolean;
  readonly connectedTo?: number;
  /** What the kernel says of its connections; undefined: nothing. */
  readonly isOffloaded?: boolean;
}

/** Each look at the clock is a second later, and nobody waits. */
async function causeOf({
  glimpse = NOTHING,
  ruleset = NO_RULES,
  scope = everything,
  isFed = true,
  connectedTo,
  isOffloaded,
}: Seen) {
  let now = 1_000_000;
  const witness: Witness = {
    holds: async () => true,
    allows: async () => false,
    acceptedAhead: async () => undefined,
    surroundings: async () => readRuleset(ruleset),
    probe: async () => ({ read: async () => glimpse, remove: async () => {} }),
    tidy: async () => {},
  };
  const clock = {
    now: () => now,
    monotonic: () => now,
    schedule(after: number, task: () => void) {
      now += after;
      queueMicrotask(task);
      return () => {};
    },
  };
  const sockets =
    connectedTo === undefined
      ? []
      : [{ protocol: 'tcp', port: connectedTo, local: address, peer: address, isListening: false } as const];
  const found = await diagnose(
    { witness, clock, sockets: () => sockets, isOffloaded: () => isOffloaded, whyAllowed: () => undefined },
    { network: address, scope, address, lastLine: () => (isFed ? now : 0), isOpen: () => true },
  );
  return found?.cause;
}

const dropped: Glimpse = { before: [{ protocol: 'tcp', port: 80, packets: 9 }], behind: [] };
const passing = (port: number): Glimpse => ({ before: [], behind: [{ protocol: 'tcp', port, packets: 9 }] });

test.each<[string, Seen, string | undefined]>([
  ['no packets, and lines come: a proxy', {}, 'proxy'],
  ['no packets, lines come, and there is a flowtable', { ruleset: WITH_FLOWTABLE }, 'flowtable'],
  ['the same, and its connections are in it', { ruleset: WITH_FLOWTABLE, isOffloaded: true }, 'flowtable'],
  ['the same, and its connections are not in it', { ruleset: WITH_FLOWTABLE, isOffloaded: false }, 'proxy'],
  [
    'packets to a port that the ban leaves open',
    { glimpse: passing(80), scope: { protocol: 'tcp', ports: [443] } },
    'ports',
  ],
  [
    'packets of a protocol that the ban leaves open',
    { glimpse: passing(443), scope: { protocol: 'udp', ports: [443] } },
    'ports',
  ],
  ['packets that the ban covers and that pass', { glimpse: passing(80) }, 'accepted-first'],
  ['its packets are dropped: the ban works, whatever is still written', { glimpse: dropped }, undefined],
  ['no line is written while it is looked', { isFed: false }, undefined],
  [
    'no line is written, and it uses another port meanwhile',
    { isFed: false, glimpse: passing(25), scope: { protocol: 'tcp', ports: [443] } },
    undefined,
  ],
  ['connections of before the ban, of which lines are still written', { connectedTo: 80 }, undefined],
])('%s', async (_name, seen, cause) => {
  expect(await causeOf(seen)).toBe(cause);
});

test('lines of before the ban, or of its first seconds, make no suspicion; three later ones do', () => {
  const suspects = createSuspects();
  const since = 1_000_000;
  for (const at of [since - 60_000, since, since + GRACE])
    expect(suspects.note(ban, address, at, since)).toBeUndefined();
  expect(suspects.next(since)).toBeUndefined();
  for (const after of [1, 2]) suspects.note(ban, address, since + GRACE + after, since);
  expect(suspects.next(since)).toBeUndefined();
  const suspect = suspects.note(ban, address, since + GRACE + 3, since)!;
  expect(suspects.next(since)).toBe(suspect);
  // What was looked into in vain waits; only what no connection of before can explain is beyond doubt.
  expect(suspects.lookedInto(suspect, false, since)).toBe(false);
  expect(suspects.next(since)).toBeUndefined();
  for (let i = 0; i < 10; i++) suspects.note(ban, address, since + 151_000 + i, since);
  expect(suspects.next(since + 151_000)).toBe(suspect);
  expect(suspects.lookedInto(suspect, false, since + 152_000)).toBe(true);
});

test('a block that was put back is in force from then on; one from before the start, from the start', () => {
  const force = createForce(500);
  expect(force.since(address, everything)).toBe(500);
  const block = { what: 'block', network: address, scope: everything, until: undefined } as const;
  expect(force.applied(block, { outcome: 'refused', why: 'full' }, 600)).toBeUndefined();
  expect(force.applied(block, { outcome: 'applied' }, 700)).toBe('new');
  expect(force.applied(block, { outcome: 'applied', rebuilt: true }, 800)).toBe('again');
  expect(force.since(address, everything)).toBe(800);
  // However many there are, what is forgotten is taken for younger than it is, never for older.
  for (let i = 0; i < 20_000; i++) {
    const network: Network = { ...address, text: `192.0.2.7-${i}` };
    force.applied({ ...block, network }, { outcome: 'applied' }, 900 + i);
  }
  expect(force.since(address, everything)).toBe(800);
});

test('a clock that is behind shows by stamps that go on as the clock does; lines kept back do not', () => {
  const late = createLateClock();
  const lag = 600_000;
  expect([0, 3_000, 6_000].map((at) => late.note('a', at, at + lag))).toEqual([undefined, undefined, lag]);
  // Ten lines of ten minutes, all written out at once, and a few seconds later some more of the same.
  const buffered = [0, 60_000, 120_000, 180_000].map((at, index) => late.note('b', at, lag + index * 2_000));
  expect(buffered.every((behind) => behind === undefined)).toBe(true);
  expect([0, 3_000, 6_000].map((at) => late.note('c', at, at + 1_000))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('sockets are read as the kernel writes them', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 010200C0:0050 070200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1
`;
  expect(
    parseSockets(table, 'tcp').map(({ port, peer, isListening }) => [port, peer.text, isListening]),
  ).toEqual([
    [80, '0.0.0.0', true],
    [80, '192.0.2.7', false],
  ]);
  const six = `head
   0: B80D0120000000000000000001000000:01BB B80D01200000C000000000000700000A:D431 01 0 0 0 0 0`;
  expect(parseSockets(six, 'tcp')[0]).toMatchObject({ port: 443, local: { text: '2001:db8::1' } });
});
