// What had to be let go is told as a fault, and no longer than it is news; so is a kernel that doesn't keep up.
import { expect, test } from 'vitest';
import { createBans } from '../../../src/daemon/bans.ts';
import { keepAlarms } from '../../../src/daemon/service/alarms.ts';
import { createBacklog } from '../../../src/daemon/telling/backlog.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createMemory } from '../../../src/firewall/memory.ts';
import type { Firewall } from '../../../src/firewall/contract.ts';
import type { Jail } from '../../../src/jails/contract.ts';
import { jailWith, MINUTE, net, outcomes, SECOND, T0 } from '../../jails/support.ts';
import { createTestClock } from '../clock.ts';

/** The alarms of a daemon, with what they are asked about. */
function watch(jails: Jail[] = []) {
  const clock = createTestClock(T0);
  const said: string[] = [];
  const faults = createFaults(clock, (code, message) =>
    said.push(`${code} ${message === undefined ? 'over' : 'raised'}`),
  );
  const letGo = { displaced: 0, lost: 0 };
  const bans = createBans([], 1);
  const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
  const slow: Firewall = {
    ...createMemory({ clock }),
    async apply(changes) {
      await answered;
      return changes.map(() => ({ outcome: 'applied' }));
    },
  };
  const backlog = createBacklog(slow, bans, clock);
  const failures: unknown[] = [];
  const stop = keepAlarms({
    ...{ jails: () => jails, clock, faults, backlog, fail: (error) => failures.push(error) },
    ...{ displaced: () => letGo.displaced, lost: () => letGo.lost },
  });
  const message = (code: string): string | undefined =>
    faults.list().find((each) => each.code === code)?.message;
  return { clock, said, faults, letGo, bans, backlog, answer, failures, stop, message };
}

const crowded = (name: string): Jail =>
  jailWith({ rules: { name }, options: { bounds: () => ({ offenders: 8, evidence: Infinity }) } });
const strangers = (jail: Jail, count: number): void => {
  for (let i = 0; i < count; i++) outcomes(jail, `198.51.100.${i}`, [i]);
};

test('whoever was evicted is told by jail and network, the jail that lost most first', () => {
  const jails = [crowded('few'), crowded('many')];
  const { clock, said, message } = watch(jails);
  clock.advance(MINUTE);
  expect(said).toEqual([]);
  strangers(jails[0]!, 10);
  strangers(jails[1]!, 40);
  clock.advance(5 * SECOND);
  expect(said).toEqual(['W_OFFENDERS_EVICTED raised']);
  const gone = jails.map(({ stats }) => stats.evicted);
  expect(message('W_OFFENDERS_EVICTED')).toMatch(
    new RegExp(`many ${gone[1]} \\(of late most from 198\\.51\\.100\\.0/24 with .*; few ${gone[0]} `),
  );
});

test.each([
  ['W_BANS_DISPLACED', 'displaced', /^7 bans have ended before their time/],
  ['W_HISTORY_LOST', 'lost', /^7 bans that have ended will not stand in the history/],
] as const)('%s stands while it goes on, and ten minutes more', (code, what, sentence) => {
  const { clock, letGo, said, message, faults } = watch();
  letGo[what] = 3;
  clock.advance(5 * SECOND);
  letGo[what] = 7;
  clock.advance(5 * SECOND);
  expect(message(code)).toMatch(sentence);
  expect(faults.list()).toMatchObject([{ code, count: 2 }]);
  clock.advance(10 * MINUTE - SECOND);
  expect(message(code)).toBeDefined();
  clock.advance(5 * SECOND);
  expect(said).toEqual([`${code} raised`, `${code} over`]);
  // What was told is old; what comes now is news.
  clock.advance(MINUTE);
  expect(said).toHaveLength(2);
  letGo[what] = 8;
  clock.advance(5 * SECOND);
  expect(said).toHaveLength(3);
});

test('a jail that leaves takes its count along, and nothing is told of that', () => {
  const jails = [crowded('gone'), crowded('stays')];
  strangers(jails[0]!, 40);
  const { clock, said } = watch(jails);
  jails.shift();
  clock.advance(MINUTE);
  expect(said).toEqual([]);
  strangers(jails[0]!, 12);
  clock.advance(5 * SECOND);
  expect(said).toEqual(['W_OFFENDERS_EVICTED raised']);
});

test('W_FIREWALL_BEHIND: the oldest change has waited for five seconds, and no longer than it does', async () => {
  const { clock, backlog, bans, answer, said, message } = watch();
  const rest = { nth: 1, reason: 'test', by: 'jail', evidence: [], since: T0, until: undefined };
  const scope = { protocol: 'any', ports: [] } as const;
  for (let i = 0; i < 200; i++) bans.impose({ ...rest, jail: 'a', address: net(`10.0.0.${i}`), scope }, T0);
  const changes = bans
    .takeTouched()
    .map((network) => ({ what: 'block' as const, network, scope, until: undefined }));
  const told = backlog.during(async () => void (await backlog.firewall.apply(changes, T0)));
  clock.advance(4 * SECOND);
  bans.impose({ ...rest, jail: 'a', address: net('192.0.2.9'), scope }, T0);
  expect(backlog.fault()).toBeUndefined();
  clock.advance(6 * SECOND);
  expect(message('W_FIREWALL_BEHIND')).toBe(
    "The kernel doesn't keep up: 201 changes wait for it, the oldest for 10s.",
  );
  answer(undefined);
  await told;
  clock.advance(5 * SECOND);
  expect(said).toEqual(['W_FIREWALL_BEHIND raised', 'W_FIREWALL_BEHIND over']);
  expect(backlog.waiting).toBe(1);
});

test('a look that fails is told, and the next one comes; none comes once they are stopped', () => {
  const jail = crowded('one');
  const jails = [jail];
  const { clock, failures, said, stop } = watch(jails);
  Object.assign(jails, { reduce: () => expect.unreachable('a defect') });
  clock.advance(5 * SECOND);
  expect(failures).toHaveLength(1);
  Reflect.deleteProperty(jails, 'reduce');
  strangers(jail, 40);
  clock.advance(5 * SECOND);
  expect(said).toEqual(['W_OFFENDERS_EVICTED raised']);
  stop();
  clock.advance(20 * MINUTE);
  expect(said).toHaveLength(1);
});
