import { describe, expect, test } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import { createBans } from '../../src/daemon/bans.ts';
import type { NewBan } from '../../src/daemon/bans.ts';
import type { Network } from '../../src/model.ts';

const net = (text: string): Network => parseNetwork(text)!.network;

function wanted(over: Partial<NewBan> = {}): NewBan {
  return {
    address: net('192.0.2.7'),
    jail: 'sshd',
    since: 1_000,
    until: 2_000,
    nth: 1,
    reason: '5 matches of sshd within 10m',
    by: 'jail',
    evidence: [],
    scope: { protocol: 'any', ports: [] },
    ...over,
  };
}

describe('the bans in force', () => {
  test('a ban stands until its time is up, then it ends as expired at that very instant', () => {
    const bans = createBans([], 1);
    bans.impose(wanted(), 1_100);
    expect(bans.expire(1_999)).toEqual([]);
    expect(bans.nextExpiry()).toBe(2_000);
    const [ended] = bans.expire(2_500);
    expect(ended).toMatchObject({ id: 1, endedAt: 2_000, endedBy: 'expired' });
    expect(bans.size).toBe(0);
    expect(bans.nextExpiry()).toBeUndefined();
  });

  test('a sentence that was over when it was decided goes into history and is not open', () => {
    const bans = createBans([], 7);
    const ban = bans.impose(wanted(), 5_000);
    expect(ban).toMatchObject({ id: 7, endedAt: 2_000, endedBy: 'expired' });
    expect([...bans.open()]).toEqual([]);
    const dirty = bans.takeDirty();
    expect(dirty.bans).toEqual([ban]);
    expect(dirty.events.map((event) => event.what)).toEqual(['banned', 'ended']);
  });

  test('an extended ban expires at its new end, not at its old one', () => {
    const bans = createBans([], 1);
    const ban = bans.impose(wanted(), 1_000);
    bans.extend(ban, 9_000, 'admin', 'longer', 1_500);
    expect(bans.expire(2_500)).toEqual([]);
    expect(bans.nextExpiry()).toBe(9_000);
    expect(bans.expire(9_000)).toHaveLength(1);
  });

  test('a second sentence on the same address in the same jail replaces the first and never shortens it', () => {
    const bans = createBans([], 1);
    bans.impose(wanted({ until: 9_000 }), 1_000);
    const second = bans.impose(wanted({ since: 1_200, until: 3_000, nth: 2 }), 1_200);
    expect(second.until).toBe(9_000);
    expect([...bans.open()]).toEqual([second]);
    const dirty = bans.takeDirty().bans;
    expect(dirty.map((ban) => [ban.id, ban.endedBy])).toEqual([
      [1, 'replaced'],
      [2, undefined],
    ]);
  });

  test('a sentence after the first one ran out, but before anyone looked, ends the first as expired', () => {
    const bans = createBans([], 1);
    bans.impose(wanted(), 1_000);
    bans.impose(wanted({ since: 2_100, until: 8_000, nth: 2 }), 2_100);
    expect(bans.takeDirty().bans.map((ban) => [ban.id, ban.endedBy, ban.endedAt])).toEqual([
      [1, 'expired', 2_000],
      [2, undefined, undefined],
    ]);
  });

  test('touching finds the prefix that holds an address and everything inside a network', () => {
    const bans = createBans([], 1);
    bans.impose(wanted({ address: net('2001:db8::/64'), until: undefined }), 1_000);
    bans.impose(wanted({ address: net('192.0.2.7'), until: undefined }), 1_000);
    expect(bans.touching(net('2001:db8::1')).map((ban) => ban.address.text)).toEqual(['2001:db8::/64']);
    expect(bans.touching(net('192.0.2.0/24')).map((ban) => ban.address.text)).toEqual(['192.0.2.7']);
    expect(bans.touching(net('192.0.2.8'))).toEqual([]);
  });

  test('what could not be written is dirty again, under what changed since', () => {
    const bans = createBans([], 1);
    const ban = bans.impose(wanted(), 1_000);
    const lost = bans.takeDirty();
    bans.end(ban, 1_500, 'admin', 'lifted by hand');
    bans.restore(lost);
    const again = bans.takeDirty();
    expect(again.bans).toHaveLength(1);
    expect(again.bans[0]).toMatchObject({ endedBy: 'admin' });
    expect(again.events.map((event) => event.what)).toEqual(['banned', 'ended']);
  });

  test('the bans of the ledger wait to be taken at the start, so that the kernel is compared with them', () => {
    const source = createBans([], 1);
    const ban = source.impose(wanted({ until: undefined }), 1_000);
    const other = source.impose(wanted({ jail: 'web', until: undefined }), 1_000);
    const bans = createBans([ban, other], 3);
    expect(bans.touched).toBe(1);
    expect([...bans.takeAll()]).toEqual([ban.address]);
    expect(bans.touched).toBe(0);
    expect(bans.takeTouched()).toEqual([]);
    expect(bans.countIn('sshd')).toBe(1);
  });

  test('whoever takes all gets each network, also those without a ban by now; what changes meanwhile is touched', () => {
    const source = createBans([], 1);
    const kept = [1, 2, 3].map((i) => source.impose(wanted({ address: net(`192.0.2.${i}`) }), 1_000));
    const bans = createBans(kept, 4);
    bans.end(kept[0]!, 1_500, 'admin', 'lifted');
    bans.impose(wanted({ address: net('192.0.2.4') }), 1_500);
    const walk = bans.takeAll();
    const first: Network | void = walk.next().value;
    expect(bans.touched).toBe(4);
    // In no order: of those of the ledger one that was not taken so far ends before its turn.
    const [second] = [kept[1]!, kept[2]!].filter(({ address }) => address.text !== first?.text);
    bans.end(second!, 1_600, 'admin', 'lifted meanwhile');
    const texts = [first, ...walk].map((network) => network?.text);
    const others = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];
    // One that was met may come again where another one ended.
    expect(texts.length).toBeLessThanOrEqual(4);
    expect(new Set(texts)).toEqual(new Set(others.filter((text) => text !== second!.address.text)));
    expect(bans.takeTouched()).toEqual([second!.address]);
    expect(bans.touched).toBe(0);
  });

  test('networks are touched in the order in which their bans changed, and some of them can be taken first', () => {
    const bans = createBans([], 1);
    const passed = [1, 2, 3].map((i) => bans.impose(wanted({ address: net(`192.0.2.${i}`) }), 1_000));
    const texts = (networks: Network[]): string[] => networks.map(({ text }) => text);
    expect(texts(bans.takeTouched(2))).toEqual(['192.0.2.1', '192.0.2.2']);
    bans.end(passed[0]!, 1_500, 'admin', 'lifted');
    expect(bans.touched).toBe(2);
    expect(texts(bans.takeTouched())).toEqual(['192.0.2.3', '192.0.2.1']);
  });

  test('who asks for those after a number gets them in order, whatever ended before', () => {
    const bans = createBans([], 8_190);
    for (let i = 1; i <= 5; i++) bans.impose(wanted({ address: net(`192.0.2.${i}`) }), 1_000);
    const middle = bans.find('sshd', net('192.0.2.3'))!;
    bans.extend(middle, 9_000, 'admin', 'for longer', 1_200);
    bans.end(bans.find('sshd', net('192.0.2.4'))!, 1_500, 'admin', 'lifted');
    expect(Array.from(bans.open(), ({ id }) => id)).toEqual([8_190, 8_191, 8_192, 8_194]);
    expect(Array.from(bans.open(8_191), ({ id, until }) => [id, until])).toEqual([
      [8_192, 9_000],
      [8_194, 2_000],
    ]);
  });
});
