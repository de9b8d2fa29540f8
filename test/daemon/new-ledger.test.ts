// A ledger that is damaged while the daemon runs: what the next daemon finds in the one that was begun in its place.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Commit, Ledger } from '../../src/ledger/contract.ts';
import { rememberedBy } from '../support/remembered.ts';
import { ban, commitOf, event, journal, net, offender, position, T0 } from '../ledger/nouns.ts';
import { damage } from '../support/damage.ts';
import { ledgerForEach, recalledFrom } from './recalled.ts';

const NOW = T0 + 60_000;
const DAY = 86_400_000;

const { folder, state, opened } = ledgerForEach('new-ledger', NOW);

/** What a daemon knows when it has started on a ledger. */
async function started(ledger: Ledger) {
  const recalled = recalledFrom(folder(), ledger, NOW);
  await recalled.sittings.recollect();
  return recalled;
}

const session = { filter: 'sshd', address: net('198.51.100.5'), waiting: undefined, until: NOW + DAY };
const EVERYTHING: Partial<Commit> = {
  positions: [position({ id: 'one' }), position({ id: 'two', offset: 12 }), journal()],
  offenders: [
    offender('198.51.100.1'),
    offender('2001:db8:1::/64', { nth: 4, forgivenUntil: T0 }),
    offender('198.51.100.9', { nth: 2, lastSince: T0, lastUntil: NOW + DAY }),
  ],
  sessions: [
    { ...session, source: 'one', session: '12' },
    { ...session, source: 'one', session: '13', waiting: { pattern: 1, counts: 2 } },
    { ...session, source: 'two', session: '12' },
  ],
  lastLines: [{ source: 'one', line: 'Failed password', at: T0 }],
  welcomes: [
    { jail: 'sshd', address: net('198.51.100.6'), since: T0, last: T0, until: T0 + DAY },
    { jail: 'sshd', address: net('198.51.100.7'), since: T0, last: T0, until: T0 + DAY, by: 'session' },
  ],
  bans: [
    ban(1, '198.51.100.8', { endedAt: T0 + 1, endedBy: 'admin' }),
    ban(2, '198.51.100.9', { until: NOW + DAY, nth: 2 }),
    ban(7, '2001:db8:9::/64', { jail: 'manual', until: undefined, by: 'admin' }),
  ],
  events: [event(1), event(1, { what: 'ended' }), event(2), event(7)],
  brakes: [
    {
      jail: 'sshd',
      memory: {
        latest: [{ ban: 2, address: '198.51.100.9', at: T0, behaved: true }],
        tripped: { at: T0, from: 7, why: 'a reason' },
      },
    },
  ],
  regulars: [
    { address: '198.51.100.3', clean: 9, spoiled: 1, period: 5_000_000 },
    { address: '198.51.100.4', clean: 4, spoiled: 0, period: 5_000_001 },
  ],
};

async function rememberedByNext(ledger: Ledger) {
  ledger.close();
  const next = opened();
  const known = rememberedBy(next);
  next.close();
  return known;
}

it('begins anew with everything that the daemon goes by, written or not', async () => {
  const first = opened();
  await first.commit(commitOf(EVERYTHING), true);
  const before = await rememberedByNext(first);
  expect(before).toMatchObject({ nextBanId: 8, damaged: 0 });
  expect(before.openBans).toHaveLength(2);

  const ledger = opened();
  const { committer, bans, faults } = await started(ledger);
  // Not written yet: a file has moved on, a ban has come, and one has ended.
  const moved = position({ id: 'two', offset: 99 });
  committer.moved(moved);
  const fresh = { ...bans.impose(ban(0, '198.51.100.20', { until: NOW + DAY }), NOW) };
  bans.end(bans.find('manual', net('2001:db8:9::/64'))!, NOW, 'admin', 'enough');
  damage(join(state(), 'ledger.sqlite'));
  expect(await committer.commit(false)).toBe(true);
  expect(faults.list().find(({ code }) => code === 'W_LEDGER_SET_ASIDE')?.message).toMatch(
    /stands in .*ledger\.sqlite\.damaged-\S+ now, and a new one was begun: .* taken over/,
  );
  // Who is asked for his history says how it began, also where that was written to the other ledger.
  expect(ledger.events(2)).toEqual([event(2)]);
  expect(ledger.events(7).map(({ what }) => what)).toEqual(['banned', 'ended']);
  expect(ledger.events(fresh.id).map(({ what }) => what)).toEqual(['banned']);
  // Evidence that was written stood in the other ledger alone: that is lost.
  const evidence = ledger.bans({ limit: 9 }).map((each) => [each.id, each.evidence.length]);
  expect(evidence).toEqual([
    [2, 0],
    [8, 1],
  ]);

  // The next commit is one like any other.
  committer.moved(position({ id: 'one', offset: 5 }));
  expect(await committer.commit(false)).toBe(true);
  const after = await rememberedByNext(ledger);
  expect(after).toEqual({
    ...before,
    positions: before.positions.map((each) => {
      if (each.id === 'two') return moved;
      return each.id === 'one' ? position({ id: 'one', offset: 5 }) : each;
    }),
    openBans: [before.openBans[0], { ...fresh, evidence: [] }],
    nextBanId: 9,
  });
});

it('takes nothing for written that a full disk kept from the new one', async () => {
  const first = opened();
  await first.commit(commitOf(EVERYTHING), true);
  const before = await rememberedByNext(first);
  const ledger = opened();
  let isFull = false;
  const full = async (): Promise<never> => {
    throw Object.assign(new Error('no room'), { code: 'SQLITE_FULL' });
  };
  const { committer } = await started({
    ...ledger,
    async commit(commit, durable) {
      if (isFull) return full();
      const aside = await ledger.commit(commit, durable);
      // The new one is there, and so is no room.
      isFull = aside !== undefined;
      return aside;
    },
  });
  damage(join(state(), 'ledger.sqlite'));
  committer.moved(position({ id: 'one' }));
  expect(await committer.commit(false)).toBe(false);
  isFull = false;
  expect(await committer.commit(false)).toBe(true);
  expect(await rememberedByNext(ledger)).toEqual(before);
});
