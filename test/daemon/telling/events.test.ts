import { describe, expect, test } from 'vitest';
import { parseNetwork } from '../../../src/address.ts';
import { EVENTS_REMEMBERED } from '../../../src/api/contract.ts';
import type { LiveEvent, News } from '../../../src/api/contract.ts';
import { createEvents } from '../../../src/daemon/telling/events.ts';
import type { Events, Wanted } from '../../../src/daemon/telling/events.ts';
import { createTestClock } from '../clock.ts';

const release = (ban: number, jail = 'sshd', address = '192.0.2.7'): News => ({
  ...{ kind: 'release', ban, jail, address, by: 'expired', why: 'its time was up' },
});
const match = (line: number): News => ({
  ...{ kind: 'match', jail: 'sshd', filter: 'sshd', address: '192.0.2.7', outcome: 'success' },
  ...{ time: '2026-01-05T10:11:12.000Z', file: '/var/log/auth.log', line },
});
const mode: News = { kind: 'mode', mode: 'stood-down', was: 'enforcing' };
const net = (text: string) => parseNetwork(text)!.network;

function setUp(boot = 'b') {
  const clock = createTestClock(1_000_000);
  return { clock, events: createEvents(clock, boot) };
}

function read(events: Events, wanted: Wanted = {}) {
  const told: LiveEvent[] = [];
  const subscription = events.subscribe(wanted, (event) => told.push(event));
  const kinds = (): string[] => told.map((each) => ('ban' in each ? `${each.kind} ${each.ban}` : each.kind));
  return { told, kinds, ...subscription };
}

describe('who hears what', () => {
  test('every reader hears each event once, in order, until he goes', () => {
    const { events } = setUp();
    const [one, two] = [read(events), read(events)];
    events.emit(release(1));
    two.stop();
    two.stop();
    events.emit(release(2));
    expect(one.kinds()).toEqual(['release 1', 'release 2']);
    expect(two.kinds()).toEqual(['release 1']);
    expect(one.told[0]).toMatchObject({ at: '1970-01-01T00:16:40.000Z' });
    expect(new Set(one.told.map(({ id }) => id)).size).toBe(2);
  });

  test.each<[string, Wanted, string[]]>([
    ['a jail', { jail: ['web'] }, ['release 2']],
    ['one of two jails', { jail: ['web', 'sshd'] }, ['release 1', 'release 2', 'release 3']],
    ['a kind', { kind: ['mode'] }, ['mode']],
    ['an address', { networks: [net('192.0.2.9')] }, ['release 2']],
    ['a network around it', { networks: [net('2001:db8::/32')] }, ['release 3']],
    ['an address inside what was banned', { networks: [net('2001:db8:0:1::5')] }, ['release 3']],
    ['all of it', { jail: ['sshd'], kind: ['release'], networks: [net('192.0.2.0/24')] }, ['release 1']],
  ])('filters by %s', (_name, wanted, expected) => {
    const { events } = setUp();
    const reader = read(events, wanted);
    events.emit(release(1));
    events.emit(release(2, 'web', '192.0.2.9'));
    events.emit(release(3, 'sshd', '2001:db8:0:1::/64'));
    events.emit(mode);
    expect(reader.kinds()).toEqual(expected);
    expect(read(events, { ...wanted, last: 10 }).kinds()).toEqual(expected);
  });
});

describe('who comes back', () => {
  test('is told what he missed, and nothing twice', () => {
    const { events } = setUp();
    const first = read(events, { kind: ['release'] });
    for (const ban of [1, 2, 3]) events.emit(release(ban));
    first.stop();
    events.emit(mode);
    events.emit(release(4));
    const again = read(events, { kind: ['release'], after: first.told[1]!.id });
    events.emit(release(5));
    expect(again.kinds()).toEqual(['release 3', 'release 4', 'release 5']);
  });

  test('knows his place before anything happened', () => {
    const { events } = setUp();
    const first = read(events);
    first.stop();
    events.emit(release(1));
    expect(read(events, { after: first.at }).kinds()).toEqual(['release 1']);
  });

  test.each(['a-1', 'b-99', 'b-x', 'nonsense', ''])(
    'with an id of another daemon (%j) hears of the gap, and all that is remembered',
    (after) => {
      const { events } = setUp();
      events.emit(release(1));
      const reader = read(events, { after, kind: ['release'] });
      expect(reader.kinds()).toEqual(['gap', 'release 1']);
      expect(reader.told[0]).toMatchObject({ why: 'restarted' });
    },
  );

  test('too late hears of the gap, and memory stays bounded', () => {
    const { events } = setUp();
    const first = read(events, { kind: ['release'] });
    first.stop();
    for (let ban = 1; ban <= EVENTS_REMEMBERED + 5; ban++) events.emit(release(ban));
    const reader = read(events, { after: first.at, kind: ['release'] });
    expect(reader.told[0]).toMatchObject({ kind: 'gap', why: 'overrun' });
    expect(reader.told).toHaveLength(EVENTS_REMEMBERED + 1);
    expect(reader.kinds()[1]).toBe('release 6');
    // The gap's own id goes on at the same place.
    const again = read(events, { after: reader.told[0]!.id, kind: ['release'] });
    expect(again.kinds()[0]).toBe('release 6');
  });

  test('`last` begins with the latest that the reader wants', () => {
    const { events } = setUp();
    for (const ban of [1, 2, 3]) events.emit(release(ban));
    events.emit(mode);
    expect(read(events, { last: 2, kind: ['release'] }).kinds()).toEqual(['release 2', 'release 3']);
    expect(read(events, { last: 0 }).kinds()).toEqual([]);
  });
});

describe('matches', () => {
  test('are wanted only while someone listens to them, and for a minute after', () => {
    const { clock, events } = setUp();
    expect(events.wantsMatches).toBe(false);
    const bans = read(events, { kind: ['ban'] });
    expect(events.wantsMatches).toBe(false);
    const [one, two] = [read(events), read(events, { kind: ['match'] })];
    expect(events.wantsMatches).toBe(true);
    one.stop();
    two.stop();
    bans.stop();
    expect(events.wantsMatches).toBe(true);
    clock.advance(60_000);
    expect(events.wantsMatches).toBe(false);
  });

  test('are there for him who comes back within the minute, without a gap', () => {
    const { clock, events } = setUp();
    const first = read(events);
    first.stop();
    clock.advance(59_000);
    events.emit(match(1));
    expect(read(events, { after: first.at }).kinds()).toEqual(['match']);
  });

  test('that nobody wanted are a gap, though nothing else has happened', () => {
    const { clock, events } = setUp();
    const first = read(events);
    events.emit(match(1));
    first.stop();
    clock.advance(60_001);
    const again = read(events, { after: first.told[0]!.id });
    expect(again.told).toMatchObject([{ kind: 'gap', why: 'unwatched' }]);
    expect(read(events, { after: first.told[0]!.id, kind: ['ban'] }).told).toEqual([]);
    events.emit(match(2));
    expect(read(events, { after: again.at }).kinds()).toEqual(['match']);
  });
});
