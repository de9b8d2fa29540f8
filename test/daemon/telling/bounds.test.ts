// Each thing that others can fill has a bound, keeps to it, and counts what it let go.
import { expect, test } from 'vitest';
import { EVENTS_REMEMBERED } from '../../../src/api/contract.ts';
import type { BoundView } from '../../../src/api/contract.ts';
import type { Limits } from '../../../src/config/contract.ts';
import { createBans } from '../../../src/daemon/bans.ts';
import { createDisplacement } from '../../../src/daemon/displacement.ts';
import { createRoom } from '../../../src/daemon/room.ts';
import { createSessions } from '../../../src/daemon/intake/sessions.ts';
import { createBacklog } from '../../../src/daemon/telling/backlog.ts';
import { createBounds } from '../../../src/daemon/telling/bounds.ts';
import { createEvents } from '../../../src/daemon/telling/events.ts';
import { MOST_SESSIONS } from '../../../src/filters/index.ts';
import { sessionId } from '../../../src/filters/session-index.ts';
import { createMemory } from '../../../src/firewall/memory.ts';
import type { Jail } from '../../../src/jails/contract.ts';
import { jailWith, net, offend, outcomes, T0 } from '../../jails/support.ts';
import { createTestClock } from '../clock.ts';

const PLENTY: Limits = { offendersPerJail: 10_000, offenders: 10_000, evidence: 1e9, bans: 10_000 };

/** What a daemon holds, under these limits. */
function house(wanted: Partial<Limits> = {}) {
  const limits = { ...PLENTY, ...wanted };
  const clock = createTestClock(T0);
  const jails: Jail[] = [];
  const room = createRoom(
    () => limits,
    () => jails,
  );
  for (const name of ['web', 'mail'])
    jails.push(
      jailWith({
        rules: { name },
        options: { bounds: () => room.bounds(), makeRoom: (at) => room.make(at) },
      }),
    );
  const bans = createBans([], 1);
  const displacement = createDisplacement(
    bans,
    { forgive() {} },
    () => limits.bans,
    () => T0,
  );
  const sessions = createSessions([]);
  const events = createEvents(clock, 'boot');
  const rows = createBounds({
    limits: () => limits,
    jails: () => jails,
    ...{ bans, sessions, events, backlog: createBacklog(createMemory({ clock }), bans, clock) },
    committer: { unforgotten: 0, keptTooLong: 0 },
    reportMemory: { dirty: 0, refused: 0 },
    housekeeping: { use: () => ({ used: 0, most: 1, forgotten: 0 }) },
    displaced: () => displacement.count,
  });
  const row = (what: BoundView['what']): BoundView => rows().find((each) => each.what === what)!;
  const ban = (jail: string, address: string): void => {
    const rest = { nth: 1, reason: 'test', by: 'jail', evidence: [], since: T0, until: T0 + 1_000_000 };
    bans.impose({ ...rest, jail, address: net(address), scope: { protocol: 'any', ports: [] } }, T0);
    displacement.run();
  };
  return { jails, bans, sessions, events, row, rows, ban };
}

const stranger = (i: number): string => `10.0.${i >> 8}.${i & 255}`;

/** Each key of "limits": a small one, what fills it, and where that is counted. A new key needs a row here. */
const FILLED: Record<keyof Limits, { most: number; what: BoundView['what']; fill(h: House): void }> = {
  offendersPerJail: {
    most: 40,
    what: 'offenders',
    fill({ jails: [web] }) {
      for (let i = 0; i < 500; i++) outcomes(web!, stranger(i), [0]);
      expect(web!.size).toBeLessThanOrEqual(40);
    },
  },
  offenders: {
    most: 40,
    what: 'offenders',
    fill({ jails }) {
      for (let i = 0; i < 500; i++) outcomes(jails[i % 2]!, stranger(i), [0]);
    },
  },
  evidence: {
    most: 2_000,
    what: 'evidence',
    fill({ jails }) {
      for (let i = 0; i < 500; i++) outcomes(jails[i % 2]!, stranger(i), [0]);
    },
  },
  bans: {
    most: 30,
    what: 'bans',
    fill({ ban }) {
      for (let i = 0; i < 500; i++) ban('web', stranger(i));
    },
  },
};
type House = ReturnType<typeof house>;

test.each(Object.entries(FILLED))('%s of "limits" holds, and what is let go is counted', (key, row) => {
  const filled = house({ [key]: row.most });
  expect(filled.row(row.what)).toMatchObject({ held: 0, dropped: 0 });
  row.fill(filled);
  const { held, dropped } = filled.row(row.what);
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThanOrEqual(row.most);
  expect(dropped).toBeGreaterThan(0);
});

test('whoever is banned is no offender who takes room, but one of the bans', () => {
  const { jails, row, ban } = house({ offenders: 40 });
  for (let i = 0; i < 60; i++) {
    offend(jails[0]!, stranger(i), T0);
    ban('web', stranger(i));
  }
  outcomes(jails[0]!, stranger(100), [0]);
  expect(row('offenders')).toEqual({ what: 'offenders', held: 1, most: 40, dropped: 0 });
  expect(row('bans')).toMatchObject({ held: 60 });
});

test('sessions, log-ins and events hold to bounds of their own', () => {
  const { jails, sessions, events, row } = house();
  for (let i = 0; i < MOST_SESSIONS + 10; i++)
    sessions.of('a').open('f', sessionId(`${i}`), net(stranger(i)), T0, T0);
  expect(row('sessions')).toEqual({
    what: 'sessions',
    held: MOST_SESSIONS,
    most: MOST_SESSIONS,
    dropped: 10,
  });
  for (let i = 0; i < 20_010; i++) jails[0]!.welcome(net(stranger(i)), T0);
  // There is room for as many in the other jail.
  expect(row('log-ins')).toEqual({ what: 'log-ins', held: 20_000, most: 40_000, dropped: 10 });
  for (let i = 0; i < EVENTS_REMEMBERED + 10; i++)
    events.emit({ kind: 'fault', what: 'raised', code: 'X', message: 'm' });
  expect(row('events')).toMatchObject({ held: EVENTS_REMEMBERED, most: EVENTS_REMEMBERED, dropped: 10 });
});
