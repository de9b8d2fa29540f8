// Jails recollect their offenders while the kernel is told of the bans. Whoever asks for one before that notices nothing of it.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { Ledger } from '../../src/ledger/contract.ts';
import { ban, commitOf, net, offender, T0 } from '../ledger/nouns.ts';
import { damage } from '../support/damage.ts';
import { ledgerForEach, recalledFrom } from './recalled.ts';

const NOW = T0 + 60_000;
const COUNT = 600;

const { folder, state, opened } = ledgerForEach('recollect', NOW);

/** A ledger with six hundred offenders, one of whom is banned, and two of a jail that is no more. */
async function filled(): Promise<void> {
  const ledger = opened();
  const offenders = Array.from({ length: COUNT }, (_, i) => offender(`10.0.${i >> 8}.${i & 255}`));
  const banned = offender('198.51.100.9', { nth: 2, lastSince: T0, lastUntil: NOW + 1_000 });
  const others = [1, 2].map((i) => offender(`198.51.100.${i}`, { jail: 'gone' }));
  const bans = [ban(1, '198.51.100.9', { until: NOW + 1_000, nth: 2 })];
  await ledger.commit(commitOf({ offenders: [...offenders, banned, ...others], bans }), true);
  ledger.close();
}

/** A daemon that starts on it, and how many pages it has read of the offenders. */
function started(ledger = opened()) {
  const pages = { read: 0 };
  const watched: Ledger = {
    ...ledger,
    *offenders() {
      for (const page of ledger.offenders()) {
        pages.read++;
        yield page;
      }
    },
  };
  return { ...recalledFrom(folder(), watched, NOW), pages, ledger };
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('nobody is read before anybody is asked for, and then all are', async () => {
  await filled();
  const { sittings, pages, bans } = started();
  expect(bans.size).toBe(1);
  expect(pages.read).toBe(0);
  expect(sittings.find('sshd')!.jail.size).toBe(COUNT + 1);
  expect(pages.read).toBe(3);
  await sittings.recollect();
  expect(sittings.find('sshd')!.jail.size).toBe(COUNT + 1);
});

test('they are read in turns', async () => {
  await filled();
  const { sittings, pages } = started();
  const done = sittings.recollect();
  await turns(1);
  expect(pages.read).toBeLessThan(3);
  await done;
  expect(pages.read).toBe(3);
  expect(sittings.jails.map(({ size }) => size)).toEqual([COUNT + 1]);
});

test('whoever is forgiven before he was read keeps his number, and whoever is committed before keeps everything', async () => {
  await filled();
  const { sittings, committer, ledger } = started();
  const address = net('198.51.100.9');
  sittings.forgive('sshd', address, NOW);
  expect(sittings.find('sshd')!.jail.offender(address)).toMatchObject({ nth: 2, forgivenUntil: NOW });
  expect(await committer.commit(false)).toBe(true);
  const kept = [...ledger.offenders()].flatMap(({ sound }) => sound);
  expect(kept).toHaveLength(COUNT + 3);
  expect(kept.find((each) => each.address.text === address.text)).toMatchObject({
    nth: 2,
    forgivenUntil: NOW,
  });
});

test('rows that make no sense are told of', async () => {
  await filled();
  const db = new Database(join(state(), 'ledger.sqlite'));
  db.exec(`UPDATE offenders SET state = '{' WHERE rowid IN (7, 300)`);
  db.close();
  const { sittings, faults } = started();
  expect(faults.list()).toEqual([]);
  await sittings.recollect();
  expect(sittings.find('sshd')!.jail.size).toBe(COUNT - 1);
  expect(faults.list().map(({ message }) => message)).toEqual([
    expect.stringMatching(/^2 rows of the ledger can't be read/),
  ]);
});

test('a disk that comes to fail in between costs counts and no ban, and the next commit begins anew', async () => {
  await filled();
  const { sittings, faults, bans, committer, ledger } = started();
  damage(join(state(), 'ledger.sqlite'));
  await sittings.recollect();
  expect(faults.list().map(({ code }) => code)).toContain('W_LEDGER_DAMAGED');
  expect(await committer.commit(false)).toBe(true);
  expect(faults.list().map(({ code }) => code)).toContain('W_LEDGER_SET_ASIDE');
  expect(bans.find('sshd', net('198.51.100.9'))?.id).toBe(1);
  expect(Array.from(ledger.load().openBans, ({ id }) => id)).toEqual([1]);
});
