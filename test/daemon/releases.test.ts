import { expect, test } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import { createBans } from '../../src/daemon/bans.ts';
import { createProtection } from '../../src/daemon/host/protection.ts';
import type { SittingJail } from '../../src/daemon/judge.ts';
import { liftAllowed, liftCrowds, liftProtected } from '../../src/daemon/releases.ts';
import type { Network } from '../../src/model.ts';
import { jailWith, RULES, T0 } from '../jails/support.ts';

const net = (text: string): Network => parseNetwork(text)!.network;
const listOf = (...entries: string[]) => ({
  networks: entries.map((written) => ({ network: net(written), written })),
  names: [],
});

function world(allowed: readonly string[], ignored: readonly string[] = []) {
  const [allow, ignore] = [listOf(...allowed), listOf(...ignored)];
  const host = { protectedNetworks: () => [{ network: net('198.51.100.1'), why: 'the default gateway' }] };
  const protection = createProtection(allow, [ignore], host);
  const other = jailWith({ rules: { name: 'other' } });
  const seat = (name: string, jail = jailWith({ rules: { name } })) =>
    ({ jail, ready: { rules: { ...RULES, name }, ignore } }) as unknown as SittingJail;
  const all = [seat('sshd'), seat('other', other)];
  const sittings = {
    all,
    find: (name: string) => all.find(({ ready }) => ready.rules.name === name),
    forgive() {},
  };
  const bans = createBans([], 1);
  const common = { scope: undefined, since: T0, until: undefined, nth: 1, reason: '', evidence: [] };
  const impose = (jail: string, text: string, by = 'jail') =>
    bans.impose({ ...common, jail, address: net(text), by }, T0);
  const lifted = (): string[] => {
    const before = [...bans.open()].map(({ id, address }) => [id, address.text] as const);
    liftCrowds({ bans, sittings }, protection, T0 + 1_000);
    const left = new Set(Array.from(bans.open(), ({ id }) => id));
    return before.filter(([id]) => !left.has(id)).map(([, text]) => text);
  };
  return { impose, lifted, other, bans, sittings, protection };
}

test('a network that a jail banned is let go for whoever of it must be spared, and nothing else is', () => {
  const { impose, lifted } = world(['192.0.2.9', '2001:db8:5:1::/64'], ['203.0.113.9']);
  impose('sshd', '192.0.2.0/24');
  impose('sshd', '203.0.113.0/24');
  impose('sshd', '198.51.100.0/24');
  impose('sshd', '2001:db8:5::/48');
  // Others: of nobody, of one address, by hand, of a jail that is not in session.
  impose('sshd', '192.0.3.0/24');
  impose('sshd', '2001:db8:6::/48');
  impose('sshd', '192.0.2.9');
  impose('sshd', '2001:db8:5:1::/64');
  impose('other', '192.0.2.0/24', 'admin');
  impose('gone', '192.0.2.0/24');
  expect(lifted()).toEqual(['192.0.2.0/24', '203.0.113.0/24', '198.51.100.0/24', '2001:db8:5::/48']);
});

test('a log-in from it lets it go too, at whichever jail', () => {
  const { impose, lifted, other } = world([]);
  impose('sshd', '192.0.2.0/24');
  impose('sshd', '192.0.3.0/24');
  expect(lifted()).toEqual([]);
  other.welcome(net('192.0.2.77'), T0);
  expect(lifted()).toEqual(['192.0.2.0/24']);
});

test.each([1, 200])(
  "bans on what is allowed, or the host's own, are let go: by a list of few networks, and of %d",
  (others) => {
    const many = Array.from({ length: others }, (_, n) => `10.${n}.0.0/16`);
    const { impose, bans, sittings, protection } = world([
      '192.0.2.0/24',
      '192.0.2.9',
      '203.0.113.7',
      ...many,
    ]);
    impose('sshd', '192.0.2.9');
    impose('other', '192.0.2.9');
    impose('sshd', '192.0.2.128/25');
    impose('sshd', '203.0.113.7', 'admin');
    impose('sshd', '10.0.255.1');
    impose('sshd', '198.51.100.0/24');
    // Others: more than what is allowed, the gateway by hand, nobody's.
    impose('sshd', '192.0.0.0/16');
    impose('sshd', '198.51.100.1', 'admin');
    impose('sshd', '198.51.100.2');
    expect(liftAllowed({ bans, sittings }, protection, T0)).toBe(5);
    expect(liftProtected({ bans, sittings }, protection, T0)).toBe(1);
    const left = Array.from(bans.open(), ({ address }) => address.text);
    expect(left).toEqual(['192.0.0.0/16', '198.51.100.1', '198.51.100.2']);
  },
);
