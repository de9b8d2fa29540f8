import { expect, test } from 'vitest';
import { createRoom } from '../../src/daemon/room.ts';
import type { Jail } from '../../src/jails/contract.ts';
import { jailWith, net, offend, outcomes, T0 } from '../jails/support.ts';

const LIMITS = { offendersPerJail: 1_000, offenders: 100, evidence: 1_000, bans: 1_000 };
const stranger = (i: number): string => `10.0.${i >> 8}.${i & 255}`;

function court(limits = LIMITS): { jails: Jail[]; large: Jail; small: Jail } {
  const jails: Jail[] = [];
  const room = createRoom(
    () => limits,
    () => jails,
  );
  const seat = (name: string): Jail =>
    jailWith({
      rules: { name },
      options: { bounds: () => room.bounds(), makeRoom: (at) => room.make(at) },
    });
  const [large, small] = [seat('large'), seat('small')];
  jails.push(large, small);
  return { jails, large, small };
}

test('together the jails remember no more than is allowed, and the one that remembers most gives way', () => {
  const { large, small } = court();
  for (let i = 0; i < 30; i++) outcomes(small, stranger(i), [0]);
  for (let i = 0; i < 500; i++) outcomes(large, stranger(i), [0]);
  expect([large.size, small.size, small.stats.evicted]).toEqual([70, 30, 0]);
  outcomes(small, '192.0.2.7', [0]);
  expect([large.size, small.size]).toEqual([69, 31]);
});

test('where all of the largest are banned, another one gives way', () => {
  const { large, small } = court();
  for (let i = 0; i < 60; i++) offend(large, stranger(i), T0);
  for (let i = 0; i < 60; i++) outcomes(small, stranger(i), [0]);
  expect([large.size, large.stats.evicted, small.size]).toEqual([60, 0, 40]);
  expect(small.offender(net(stranger(59)))).toBeDefined();
});

test('evidence is shared out among the jails', () => {
  const { jails } = court();
  const room = createRoom(
    () => LIMITS,
    () => jails,
  );
  expect(room.bounds()).toEqual({ offenders: 1_000, evidence: 500 });
});
