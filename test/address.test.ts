import { randomBytes } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import {
  contains,
  createNetworkSet,
  fromStored,
  mask,
  networkOf,
  offenderOf,
  overlaps,
  parseAddress,
  parseNetwork,
  toStored,
} from '../src/address.ts';
import type { Network } from '../src/model.ts';

const net = (text: string): Network => parseNetwork(text)!.network;

/** What the library makes of it; it takes `::192.0.2.1` for IPv4 192.0.2.1, which it is not. */
function oracle(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (text.includes('%') || !isIPv6(text)) return undefined;
  const tail = text.slice(text.lastIndexOf(':') + 1);
  const [a, b, c, d] = tail.split('.').map(Number);
  const plain = tail.includes('.')
    ? `${text.slice(0, -tail.length)}${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`
    : text;
  const parsed = ipaddr.IPv6.parse(plain);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String();
}

describe('an address', () => {
  it('is read and written as Node and ipaddr.js do, whatever the text', () => {
    const group = fc.constantFrom('0', '0', '00', '1', 'ffff', 'FFFF', '0db8', 'a', '10000', '', 'g');
    const four = fc
      .array(fc.constantFrom('0', '1', '10', '255', '256', '01', '192', '', '1000'), {
        minLength: 3,
        maxLength: 5,
      })
      .map((parts) => parts.join('.'));
    const six = fc
      .array(group, { minLength: 1, maxLength: 9 })
      .chain((parts) =>
        fc
          .tuple(fc.constantFrom('', '::', ':'), fc.constantFrom('', '::', ':'), fc.nat(parts.length))
          .map(
            ([begin, end, gap]) =>
              `${begin}${parts.map((part, index) => (index === gap ? `:${part}` : part)).join(':')}${end}`,
          ),
      );
    const mixed = fc.tuple(six, four).map(([head, tail]) => `${head}:${tail}`);
    const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcfF:.%[]'), maxLength: 20 });
    let valid = 0;
    fc.assert(
      fc.property(fc.oneof(four, six, mixed, noise, fc.ipV4(), fc.ipV6()), (text) => {
        const expected = oracle(text);
        if (expected !== undefined) valid++;
        expect([text, parseAddress(text)?.text]).toEqual([text, expected]);
      }),
      { numRuns: 10_000 },
    );
    expect(valid).toBeGreaterThan(2_000);
  });

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['::192.0.2.7', '::c000:207'],
    ['0:0:0:0:0:0:192.0.2.7', '::c000:207'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['a:0:0:b:c:0:0:d', 'a::b:c:0:0:d'],
    ['::', '::'],
    ['1::', '1::'],
  ])('%s is %s', (written, text) => {
    expect(parseAddress(written)?.text).toBe(text);
  });

  it.each([
    '',
    '01.2.3.4',
    '0x7f.0.0.1',
    '2130706433',
    '127.1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    ' 192.0.2.7',
    '192.0.2.7\n',
    '::1\0',
    'fe80::1%eth0',
    '[::1]',
    '::1::',
    '1:2:3:4:5:6:7',
    '::00001',
    '192.0.2.0/24',
    '::ffff:192.0.2.007',
    'localhost',
  ])('%j is none', (written) => {
    expect(parseAddress(written)).toBeUndefined();
  });

  it('is written as the WHATWG URL parser writes it, and is read back as itself', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (parts) => {
        const address = networkOf(6, Uint8Array.from(parts.flatMap((part) => [part >> 8, part & 255])), 128);
        const reference = new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]/`).hostname;
        expect(`[${address.text}]`).toBe(reference);
        if (!address.text.startsWith('::ffff:')) expect(parseAddress(address.text)).toEqual(address);
      }),
    );
  });

  it('is what the WHATWG URL parser reads, or nothing: rubbish never throws', () => {
    const few = fc.string({ unit: fc.constantFrom(...Array.from('0129afF:::..%/ ')), maxLength: 24 });
    const part = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('', '0', '00', '1f'));
    const parts = fc.array(part, { minLength: 3, maxLength: 9 });
    const rubbish = fc.oneof(few, ...['.', ':', '::'].map((by) => parts.map((all) => all.join(by))));
    fc.assert(
      fc.property(rubbish, (text) => {
        const read = parseAddress(text);
        expect(read !== undefined).toBe(isIPv4(text) || (isIPv6(text) && !text.includes('%')));
        if (read?.family === 6) expect(`[${read.text}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a network', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0/24', false],
    ['127.0.0.1/8', '127.0.0.0/8', true],
    ['192.0.2.7/32', '192.0.2.7', false],
    ['0.0.0.0/0', '0.0.0.0/0', false],
    ['2001:db8::1/64', '2001:db8::/64', true],
    ['2001:db8::/61', '2001:db8::/61', false],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24', false],
    ['::/0', '::/0', false],
    ['192.0.2.7', '192.0.2.7', false],
  ])('%s is %s', (written, text, hostBits) => {
    const parsed = parseNetwork(written);
    expect([parsed?.network.text, parsed?.hostBits]).toEqual([text, hostBits]);
  });

  it.each([
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/08',
    '/24',
    '::1/129',
    '::ffff:192.0.2.0/64',
    '1.2.3.4/8/8',
    '1.2.3.4/-1',
  ])('%s is none', (written) => {
    expect(parseNetwork(written)).toBeUndefined();
  });

  it('holds what has its bits, and nothing of the other family', () => {
    expect(contains(net('192.0.2.0/24'), net('192.0.2.255'))).toBe(true);
    expect(contains(net('192.0.2.0/25'), net('192.0.2.128'))).toBe(false);
    expect(contains(net('192.0.2.0/24'), net('192.0.0.0/16'))).toBe(false);
    expect(contains(net('::/0'), net('192.0.2.7'))).toBe(false);
    expect(contains(net('0.0.0.0/0'), net('::1'))).toBe(false);
    expect(overlaps(net('192.0.2.7'), net('192.0.0.0/16'))).toBe(true);
    expect(overlaps(net('192.0.2.0/25'), net('192.0.2.128/25'))).toBe(false);
  });

  it('holds an address exactly where masking the address gives the network', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 0, max: 128 }),
        fc.integer({ min: 0, max: 127 }),
        (seed, bits, flip) => {
          const outer = networkOf(6, seed, bits);
          const other = Uint8Array.from(seed);
          other[flip >> 3]! ^= 0x80 >> (flip & 7);
          const address = networkOf(6, other, 128);
          expect(contains(outer, address)).toBe(flip >= bits);
          expect(mask(address, bits).text === outer.text).toBe(flip >= bits);
        },
      ),
    );
  });
});

describe('in the ledger', () => {
  it.each([
    '192.0.2.7',
    '192.0.2.0/24',
    '0.0.0.0/0',
    '2001:db8::1',
    '2001:db8::/64',
    '::/0',
    '::/96',
    '::ffff:0:0:0/96',
  ])('%s is 16 bytes and a length, and is read back as itself', (text) => {
    const { bytes, bits } = toStored(net(text));
    expect(bytes).toHaveLength(16);
    expect(fromStored(bytes, bits)).toEqual(net(text));
  });

  it('a mapped address and its IPv4 form are the same', () => {
    expect(toStored(parseAddress('::ffff:192.0.2.7')!)).toEqual(toStored(net('192.0.2.7')));
  });
});

describe('an offender', () => {
  const none = () => false;
  it.each([
    ['192.0.2.7', 64, '192.0.2.7'],
    ['2001:db8:1:2:3::4', 64, '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3::4', 56, '2001:db8:1::/56'],
    ['2001:db8:1:2:3::4', 128, '2001:db8:1:2:3::4'],
    ['64:ff9b::192.0.2.7', 64, '64:ff9b::c000:207'],
    ['64:ff9b:1:2::3', 64, '64:ff9b:1:2::3'],
    ['64:ff9b:2::3', 64, '64:ff9b:2::/64'],
    ['2001:0:1:2:3:4:5:6', 64, '2001:0:1:2:3:4:5:6'],
    ['2001:1::2', 64, '2001:1::/64'],
    ['fe80::1', 64, 'fe80::1'],
  ])('%s counted by /%i is %s', (text, prefix, expected) => {
    expect(offenderOf(net(text), prefix, none).text).toBe(expected);
  });

  it('is the address itself where its prefix holds a protected one', () => {
    const isProtected = (network: Network): boolean => contains(network, net('2001:db8::9'));
    expect(offenderOf(net('2001:db8::1'), 64, isProtected).text).toBe('2001:db8::1');
    expect(offenderOf(net('2001:db8:0:1::1'), 64, isProtected).text).toBe('2001:db8:0:1::/64');
  });
});

describe('a set of networks', () => {
  const set = createNetworkSet(
    ['192.0.2.0/24', '192.0.0.0/16', '198.51.100.7', '2001:db8::/32', '2001:db8::/32'].map(net),
  );

  it('names the narrowest that holds an address or a network', () => {
    expect(set.holding(net('192.0.2.7'))?.text).toBe('192.0.2.0/24');
    expect(set.holding(net('192.0.3.7'))?.text).toBe('192.0.0.0/16');
    expect(set.holding(net('192.0.0.0/15'))).toBeUndefined();
    expect(set.holding(net('2001:db9::1'))).toBeUndefined();
    expect(set.networks).toHaveLength(4);
  });

  it('names one that shares an address with a network', () => {
    expect(set.touching(net('198.51.0.0/16'))?.text).toBe('198.51.100.7');
    expect(set.touching(net('::/0'))?.text).toBe('2001:db8::/32');
    expect(set.touching(net('203.0.113.0/24'))).toBeUndefined();
  });

  it('answers as looking at each of them would', () => {
    const networks = Array.from({ length: 200 }, () =>
      networkOf(4, randomBytes(4), 8 + (randomBytes(1)[0]! % 25)),
    );
    const many = createNetworkSet(networks);
    for (let i = 0; i < 500; i++) {
      const probe = networkOf(4, randomBytes(4), 6 + (randomBytes(1)[0]! % 27));
      expect(many.holding(probe) !== undefined).toBe(networks.some((network) => contains(network, probe)));
      expect(many.touching(probe) !== undefined).toBe(networks.some((network) => overlaps(network, probe)));
    }
  });
});
