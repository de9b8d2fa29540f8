import { describe, expect, test } from 'vitest';
import { parseAddress, parseNetwork } from '../../../src/address.ts';
import { createProtection } from '../../../src/daemon/host/protection.ts';
import type { Host } from '../../../src/daemon/host/host.ts';
import { jailWith, match, T0 } from '../../jails/support.ts';

const net = (text: string) => parseNetwork(text)!.network;
const listOf = (...entries: string[]) => ({
  networks: entries.map((written) => ({ network: net(written), written })),
  names: [] as string[],
});
const host: Pick<Host, 'protectedNetworks'> = {
  protectedNetworks: () => [
    { network: net('127.0.0.0/8'), why: 'the loopback of this host' },
    { network: net('2001:db8:1::5'), why: 'an address of this host' },
  ],
};

describe('whom we never ban', () => {
  test('an allowed network answers with the entry that the administrator wrote', () => {
    const protection = createProtection(listOf('198.51.100.0/24'), [], host);
    expect(protection.whyAllowed(net('198.51.100.7'))).toBe('198.51.100.0/24');
    expect(protection.whyAllowed(net('198.51.100.0/25'))).toBe('198.51.100.0/24');
    // A wider network may be banned: the kernel lets the allowed part through ahead of every drop.
    expect(protection.whyAllowed(net('198.51.0.0/16'))).toBeUndefined();
  });

  test("a network that holds the host's own address is protected, and an IPv6 offender beside it is taken exactly", () => {
    const ignore = listOf();
    const protection = createProtection(listOf(), [ignore], host);
    expect(protection.whyProtected(net('2001:db8:1::/64'))).toMatch(
      /2001:db8:1::5 is an address of this host/,
    );
    expect(protection.forJail(() => ignore).isProtected(net('2001:db8:1::/64'))).toBe(true);
    expect(protection.forJail(() => ignore).isProtected(net('2001:db8:2::/64'))).toBe(false);
  });

  test("a jail's own ignore holds for that jail alone", () => {
    const [mine, other] = [listOf('203.0.113.0/24'), listOf()];
    const protection = createProtection(listOf(), [mine, other], host);
    expect(protection.forJail(() => mine).whyIgnored(net('203.0.113.9'))).toBe('allowed by "203.0.113.0/24"');
    expect(protection.forJail(() => other).whyIgnored(net('203.0.113.9'))).toBeUndefined();
    expect(protection.forJail(() => other).whyIgnored(net('127.0.0.1'))).toMatch(/^protected/);
  });

  test('a jail counts nobody who comes to be ignored, though it has counted him before', () => {
    let ignore = listOf('192.0.2.0/24');
    let own: ReturnType<Host['protectedNetworks']> = [];
    const named = { networks: [], names: ['office.example.net'] };
    const protection = createProtection(named, [ignore], { protectedNetworks: () => own });
    const jail = jailWith({ ignoring: protection.forJail(() => ignore) });
    const offenders = ['198.51.100.7', '2001:db8:1::7', '2001:db8:1::8', '203.0.113.9', '192.0.2.1'];
    let at = T0;
    const ignored = () => {
      at += 1;
      return offenders.filter((text) => jail.decide(match(text, at)).outcome === 'ignored');
    };
    const twice = () => [ignored(), ignored()];
    expect(twice()).toEqual([['192.0.2.1'], ['192.0.2.1']]);
    ignore = listOf('203.0.113.0/24');
    protection.replace(named, [ignore]);
    expect(twice()).toEqual([['203.0.113.9'], ['203.0.113.9']]);
    protection.resolved('office.example.net', [parseAddress('198.51.100.7')!]);
    expect(ignored()).toEqual(['198.51.100.7', '203.0.113.9']);
    own = [{ network: net('2001:db8:1::8'), why: 'an address of this host' }];
    protection.refresh();
    expect(ignored()).toEqual(['198.51.100.7', '2001:db8:1::8', '203.0.113.9']);
    // A list that is no longer in force ignores nobody, whether or not anybody was told.
    ignore = listOf('192.0.2.0/24');
    expect(ignored()).toEqual(['198.51.100.7', '2001:db8:1::8']);
  });

  test('a name protects the addresses that it stands for, and stops when it stands for others', () => {
    const allow = { networks: [], names: ['office.example.net'] };
    const protection = createProtection(allow, [], host);
    expect(protection.resolved('office.example.net', [parseAddress('192.0.2.10')!])).toBe(true);
    expect(protection.whyAllowed(net('192.0.2.10'))).toBe('office.example.net');
    expect(protection.resolved('office.example.net', [parseAddress('192.0.2.10')!])).toBe(false);
    expect(protection.resolved('office.example.net', [parseAddress('192.0.2.11')!])).toBe(true);
    expect(protection.whyAllowed(net('192.0.2.10'))).toBeUndefined();
    expect(protection.allowed().map((network) => network.text)).toEqual(['192.0.2.11']);
  });
});
