// More bans than may be in force, and more than can be written.
import { expect, test } from 'vitest';
import { createBans, UNWRITTEN } from '../../src/daemon/bans.ts';
import type { Bans, NewBan } from '../../src/daemon/bans.ts';
import { createDeadlines } from '../../src/daemon/deadlines.ts';
import { createDisplacement } from '../../src/daemon/displacement.ts';
import type { Ban } from '../../src/model.ts';
import { net } from '../jails/support.ts';

const address = (i: number) => net(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
const EVIDENCE = [{ file: '/var/log/auth.log', line: 1, at: 1, text: 'a line' }];

function wanted(i: number, over: Partial<NewBan> = {}): NewBan {
  return {
    ...{ address: address(i), jail: 'sshd', since: i, until: 1_000_000, nth: 1, reason: 'test', by: 'jail' },
    ...{ evidence: EVIDENCE, scope: { protocol: 'any', ports: [] } },
    ...over,
  };
}

function displacing(bans: Bans, most: number) {
  const forgiven: string[] = [];
  const forgive = (_: string, { text }: { text: string }): void => void forgiven.push(text);
  return {
    forgiven,
    ...{
      displacement: createDisplacement(
        bans,
        { forgive },
        () => most,
        () => 5_000,
      ),
    },
  };
}

test('those longest in force make room, are lifted, and count again if they come back', () => {
  const bans = createBans([], 1);
  const { displacement, forgiven } = displacing(bans, 3);
  for (let i = 0; i < 5; i++) {
    bans.impose(wanted(i), i);
    displacement.run();
  }
  expect([...bans.open()].map(({ id }) => id)).toEqual([3, 4, 5]);
  expect(forgiven).toEqual([address(0).text, address(1).text]);
  expect(displacement.count).toBe(2);
  expect(bans.takeDirty().bans.filter(({ endedBy }) => endedBy === 'displaced')).toHaveLength(2);
});

test('bans by hand, those for good and the newest stay, though there are too many', () => {
  const bans = createBans([], 1);
  const { displacement } = displacing(bans, 1);
  bans.impose(wanted(0, { by: 'admin' }), 0);
  bans.impose(wanted(1, { until: undefined }), 0);
  for (let i = 2; i < 6; i++) {
    bans.impose(wanted(i), 0);
    displacement.run();
  }
  expect([...bans.open()].map(({ id }) => id)).toEqual([1, 2, 6]);
});

test('evidence stands in memory until the ledger has it', () => {
  const bans = createBans([], 1);
  const [kept, changed] = [bans.impose(wanted(0), 0), bans.impose(wanted(1), 0)];
  const taken = bans.takeDirty();
  expect(taken.bans.map(({ evidence }) => evidence)).toEqual([EVIDENCE, EVIDENCE]);
  const extended = bans.extend(changed, 2_000_000, 'admin', 'longer', 1);
  bans.written(taken);
  const evidence = ({ address: of }: Ban) => bans.find('sshd', of)?.evidence;
  expect([evidence(kept), evidence(extended)]).toEqual([[], EVIDENCE]);
  expect(createBans([wanted(3) as never], 2).find('sshd', address(3))?.evidence).toEqual([]);
});

test('what could not be written for long is bounded: what is over and was never written goes, nothing else', () => {
  const bans = createBans([], 1);
  const known = bans.impose(wanted(0), 0);
  bans.written(bans.takeDirty());
  bans.end(known, 1, 'expired', 'its time was up');
  const open = bans.impose(wanted(1), 0);
  for (let i = 2; i < UNWRITTEN + 502; i++) bans.end(bans.impose(wanted(i), 0), 1, 'expired', 'over');
  bans.restore(bans.takeDirty());
  expect([bans.unwritten, bans.lost]).toEqual([UNWRITTEN, 502]);
  const { bans: left, events } = bans.takeDirty();
  expect(left.slice(0, 2).map(({ id }) => id)).toEqual([known.id, open.id]);
  // No event of a ban that will not be there.
  const numbers = new Set(left.map(({ id }) => id));
  expect(events.every(({ ban }) => numbers.has(ban))).toBe(true);
});

test('bans that end together are ended in slices', () => {
  const bans = createBans([], 1);
  for (let i = 0; i < 1_200; i++) bans.impose(wanted(i), 0);
  expect([1, 2, 3, 4].map(() => bans.expire(2_000_000, 500).length)).toEqual([500, 500, 200, 0]);
});

test('a ban that is lifted and passed anew time and again leaves nothing behind', () => {
  const deadlines = createDeadlines<number>();
  for (let i = 0; i < 100_000; i++) {
    deadlines.add(i, 1_000_000 - i);
    deadlines.next((item) => item > i - 10);
  }
  expect(deadlines.size).toBeLessThanOrEqual(2_001);
  expect(deadlines.takeDue(2_000_000, (item) => item > 99_989).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 10 }, (_, i) => 99_990 + i),
  );
});
