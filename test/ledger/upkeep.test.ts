// What keeps the ledger small: which bans go first, which never go, and what becomes of their room.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { runBeside } from '../../src/daemon/system.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import { ban, commitOf, event, ledgerIn, net, offender, reopened, stateFolder, T0 } from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

/** Ended bans with the numbers given, each with two events; the one with number n ended at T0 + n. */
async function fill(ledger: Ledger, ids: readonly number[], text = 'x'): Promise<void> {
  const ended = (id: number) =>
    ban(id, `10.${id >> 16}.${(id >> 8) & 255}.${id & 255}`, {
      endedAt: T0 + id,
      endedBy: 'expired',
      evidence: [{ file: '/a', line: 1, at: T0, text }],
    });
  const events = ids.flatMap((id) => [event(id), event(id, { what: 'ended' })]);
  await ledger.commit(commitOf({ bans: ids.map(ended), events }), false);
}

const idsOf = (ledger: Ledger): number[] => ledger.bans({ all: true, limit: 100_000 }).map(({ id }) => id);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const fileSize = (folder: string): number => statSync(join(folder, 'ledger.sqlite')).size;

it('forgets the bans that ended first, some at a time, with their events', async () => {
  const ledger = ledgerIn(stateFolder());
  await fill(ledger, [5, 3, 1, 4, 2, 9]);
  expect(ledger.upkeep.forgetBans(T0 + 4, 2)).toBe(2);
  expect(idsOf(ledger)).toEqual([3, 4, 5, 9]);
  expect(ledger.upkeep.forgetBans(T0 + 4, 10)).toBe(2);
  expect(ledger.upkeep.forgetBans(T0 + 4, 10)).toBe(0);
  expect(idsOf(ledger)).toEqual([5, 9]);
  expect([3, 5].map((id) => ledger.events(id).length)).toEqual([0, 2]);
});

it('never forgets an open ban, nor the newest, from which the next number is counted', async () => {
  const folder = stateFolder();
  const ledger = ledgerIn(folder);
  await fill(ledger, [1, 3]);
  await ledger.commit(commitOf({ bans: [ban(2, '192.0.2.2')], offenders: [offender('192.0.2.2')] }), false);
  expect(ledger.upkeep.forgetBans(Infinity, 100)).toBe(1);
  expect(idsOf(ledger)).toEqual([2, 3]);
  const remembered = rememberedBy(reopened(ledger, folder));
  expect(remembered.nextBanId).toBe(4);
  expect(remembered.openBans.map(({ address }) => address)).toEqual([net('192.0.2.2')]);
  expect(remembered.offenders).toHaveLength(1);
});

it('gives the room of what it forgot back to the file system, some pages at a time', async () => {
  const folder = stateFolder();
  const ledger = ledgerIn(folder);
  await fill(ledger, range(1, 4_000), 'x'.repeat(1_000));
  const { upkeep } = ledger;
  await upkeep.checkpoint();
  const full = fileSize(folder);
  expect(full).toBeGreaterThan(4_000_000);
  expect(upkeep.size()).toEqual({ bytes: full, free: 0 });
  expect(upkeep.forgetBans(Infinity, 100_000)).toBe(3_999);
  const { bytes, free } = upkeep.size();
  expect(bytes).toBe(full);
  expect(free / bytes).toBeGreaterThan(0.9);
  expect(upkeep.giveBack(10)).toBe(10);
  expect(upkeep.giveBack(1_000_000)).toBe(free / 4_096 - 10);
  await upkeep.checkpoint();
  expect(fileSize(folder) / full).toBeLessThan(0.1);
  expect(upkeep.giveBack(1)).toBe(0);
});

it('writes the log back by another process, while the ledger goes on', async () => {
  const folder = stateFolder();
  const ledger = ledgerIn(folder, { runBeside: (program, input) => runBeside(true, program, input) });
  ledger.upkeep.holdBack(true);
  await fill(ledger, range(1, 3_000), 'x'.repeat(1_000));
  const before = fileSize(folder);
  const done = ledger.upkeep.checkpoint();
  await fill(ledger, range(3_001, 3_010));
  await done;
  expect(fileSize(folder) / before).toBeGreaterThan(10);
  expect(idsOf(ledger)).toHaveLength(3_010);
  ledger.upkeep.holdBack(false);
  // SQLite's own way again: a very large commit is written back at once.
  const after = fileSize(folder);
  await fill(ledger, range(3_011, 6_000), 'x'.repeat(48_000));
  expect(fileSize(folder)).toBeGreaterThan(after);
});

it('keeps the ten thousand newest proofs', () => {
  const ledger = ledgerIn(stateFolder());
  for (let at = 0; at < 10_003; at++) ledger.remember(`hash ${at}`, T0 + at);
  expect(ledger.upkeep.forgetProofs()).toBe(3);
  expect(ledger.upkeep.forgetProofs()).toBe(0);
  expect([2, 3, 10_002].map((at) => ledger.isProven(`hash ${at}`))).toEqual([false, true, true]);
});

it('makes a ledger of before able to give room back, once, and loses nothing', async () => {
  const folder = stateFolder();
  const ledger = ledgerIn(folder);
  await fill(ledger, range(1, 50));
  ledger.close();
  const old = new Database(join(folder, 'ledger.sqlite'));
  old.pragma('auto_vacuum = NONE');
  old.exec('VACUUM');
  expect(old.pragma('auto_vacuum', { simple: true })).toBe(0);
  old.close();
  const again = ledgerIn(folder);
  expect(idsOf(again)).toEqual(range(1, 50));
  again.upkeep.forgetBans(Infinity, 49);
  expect(again.upkeep.giveBack(1)).toBe(1);
});

it('says when so much was written that it had better be written back', async () => {
  const ledger = ledgerIn(stateFolder());
  await fill(ledger, range(1, 1_000));
  expect(ledger.upkeep.isLogLong()).toBe(false);
  await fill(ledger, range(1_001, 2_000));
  expect(ledger.upkeep.isLogLong()).toBe(true);
  await ledger.upkeep.checkpoint();
  expect(ledger.upkeep.isLogLong()).toBe(false);
  // Commits of a row each write whole pages.
  for (const number of range(2_001, 2_500)) await fill(ledger, [number]);
  expect(ledger.upkeep.isLogLong()).toBe(true);
  await ledger.upkeep.settle();
  expect(ledger.upkeep.isLogLong()).toBe(true);
});
