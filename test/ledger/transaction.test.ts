// A large commit is written in several turns of the event loop: whole or not at all, and nothing else is written meanwhile.
import { expect, it } from 'vitest';
import { ban, commitOf, event, ledgerIn, offender, reopened, stateFolder, T0 } from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

const crowd = (size: number) =>
  Array.from({ length: size }, (_, n) => offender(`10.1.${n >> 8}.${n & 255}`, { nth: 0 }));

/** Turns of the event loop until the promise is settled. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = promise.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  let turns = 0;
  for (; !isOver; turns++) await new Promise((resolve) => setImmediate(resolve));
  await over;
  return turns;
}

it('gives the event loop back while a crowd is written; a single ban takes one turn', async () => {
  const ledger = ledgerIn(stateFolder());
  const small = await turnsUntil(ledger.commit(commitOf({ bans: [ban(1, '192.0.2.1')] }), false));
  const large = await turnsUntil(ledger.commit(commitOf({ offenders: crowd(5_000) }), false));
  expect(small).toBe(1);
  expect(large).toBeGreaterThanOrEqual(10);
});

it('writes nothing of a crowd one of whom is refused', async () => {
  const folder = stateFolder();
  const ledger = ledgerIn(folder);
  // Instants are whole numbers: the ledger takes no other, and finds that out last.
  const refused = { ...event(1), at: 0.5 };
  await expect(
    ledger.commit(
      commitOf({ offenders: crowd(2_000), bans: [ban(1, '192.0.2.1')], events: [refused] }),
      false,
    ),
  ).rejects.toThrow();
  const { offenders, openBans } = rememberedBy(reopened(ledger, folder));
  expect([offenders.length, openBans.length]).toEqual([0, 0]);
});

it('keeps housekeeping waiting until it is over', async () => {
  const ledger = ledgerIn(stateFolder());
  const ended = { endedAt: T0, endedBy: 'expired' };
  await ledger.commit(commitOf({ bans: [1, 2, 3].map((id) => ban(id, `192.0.2.${id}`, ended)) }), false);
  const order: string[] = [];
  const written = ledger
    .commit(commitOf({ offenders: crowd(3_000) }), false)
    .then(() => order.push('written'));
  const swept = ledger.upkeep
    .between(() => ledger.upkeep.forgetBans(Infinity, 10))
    .then((count) => order.push(`swept ${count}`));
  await Promise.all([written, swept]);
  expect(order).toEqual(['written', 'swept 2']);
});
