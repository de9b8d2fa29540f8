// Open bans as rows of numbers, against a list of them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNetwork } from '../src/address.ts';
import type { Ban } from '../src/model.ts';
import { createOpenBans } from '../src/open-bans.ts';

const networks = ['192.0.2.7', '192.0.2.0/24', '2001:db8::/64'].map((text) => parseNetwork(text)!.network);
const fields = fc.record({
  address: fc.constantFrom(...networks),
  jail: fc.constantFrom('sshd', 'web'),
  since: fc.constantFrom(0, 1_700_000_000_123, -5),
  until: fc.constantFrom(undefined, 1_700_000_000_123, 8.64e15),
  nth: fc.constantFrom(1, 2 ** 40),
  reason: fc.constantFrom('5 matches', '6 matches'),
  by: fc.constantFrom('jail', 'admin'),
  scope: fc.constantFrom<Ban['scope'][]>(
    undefined,
    { protocol: 'any', ports: [] },
    { protocol: 'tcp', ports: [22, 80], answer: { do: 'reject' } },
  ),
  via: fc.constantFrom(undefined, '198.51.100.1'),
  evidence: fc.constantFrom<Ban['evidence'][]>([], [{ file: 'a', line: 1, at: 1, text: 'x' }]),
});
const step = fc.record({
  fields,
  skipped: fc.nat(3),
  next: fc.constantFrom('nothing', 'nothing', 'remove', 'extend', 'forget', 'picture'),
  which: fc.nat(),
});

test('each ban comes back as it was, by number and by network, in the order of their numbers', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let bans = createOpenBans();
      let list: Ban[] = [];
      let id = 0;
      for (const { fields: rest, skipped, next, which } of steps) {
        id += 1 + skipped;
        const ban: Ban = { id, ...rest, endedAt: undefined, endedBy: undefined };
        bans.add(ban);
        list.push(ban);
        const at = which % list.length;
        const other = list[at]!;
        if (next === 'remove') {
          bans.remove(other.id);
          list.splice(at, 1);
        } else if (next === 'extend') {
          bans.extend(other.id, which);
          list[at] = { ...other, until: which };
        } else if (next === 'forget') {
          bans.forgetEvidence(other.id);
          list[at] = { ...other, evidence: [] };
        } else if (next === 'picture') {
          bans = createOpenBans(0, structuredClone(bans.image()));
          list = list.map((each) => ({ ...each, evidence: [] }));
        }
      }
      expect([...bans]).toEqual(list);
      expect([...bans.values(id / 2)]).toEqual(list.filter((ban) => ban.id > id / 2));
      expect([...bans.values(id / 2, 'web')]).toEqual(
        list.filter((ban) => ban.id > id / 2 && ban.jail === 'web'),
      );
      expect([...bans.wide({ 4: 32, 6: 64 })].toSorted((a, b) => a.id - b.id)).toEqual(
        list.filter(({ address }) => address.family === 4 && address.bits < 32),
      );
      for (const ban of list) {
        expect(bans.get(ban.id)).toEqual(ban);
        expect(bans.endOf(ban.id)).toBe(ban.until ?? Infinity);
      }
      for (const network of networks)
        expect(bans.on(network)).toEqual(list.filter(({ address }) => address === network));
      const banned = new Set(list.map(({ address }) => address.text));
      expect(Array.from(bans.eachNetwork(), ({ text }) => text).toSorted()).toEqual([...banned].toSorted());
      expect([bans.size, bans.networks, bans.get(id + 1), bans.endOf(id + 1)]).toEqual([
        list.length,
        banned.size,
        undefined,
        undefined,
      ]);
      expect(new Map(bans.endings())).toEqual(
        new Map(list.flatMap((ban) => (ban.until === undefined ? [] : [[ban.id, ban.until]]))),
      );
      for (const jail of ['sshd', 'web'])
        expect(bans.countIn(jail)).toBe(list.filter((ban) => ban.jail === jail).length);
      const bits = list.flatMap(({ address }) => (address.family === 4 ? address.bits : []));
      expect(bans.lengths(4)).toEqual([...new Set(bits)].toSorted((a, b) => a - b));
    }),
  );
});
