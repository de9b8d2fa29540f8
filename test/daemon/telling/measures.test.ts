// What status measures: the last hour, the way to the kernel, and whether all is well.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseNetwork } from '../../../src/address.ts';
import { healthOf } from '../../../src/daemon/telling/health.ts';
import type { Vitals } from '../../../src/daemon/telling/health.ts';
import { createHour } from '../../../src/daemon/telling/hour.ts';
import { createLatency } from '../../../src/daemon/telling/latency.ts';
import { REMEDIES } from '../../../src/daemon/telling/remedies.ts';
import { CATALOGUE } from '../../../src/errors.ts';
import { SOURCE_FAULTS } from '../../../src/sources/faults.ts';
import type { Jail } from '../../../src/jails/contract.ts';
import { createTestClock } from '../clock.ts';

const net = (text: string) => parseNetwork(text)!.network;

describe('the last hour', () => {
  function setUp() {
    const clock = createTestClock(0);
    const stats = { matches: 0, ignored: 0, late: 0, bans: 0, evicted: 0 };
    const jail = { rules: { name: 'sshd' } as Jail['rules'], stats };
    return { clock, stats, jail, hour: createHour(clock) };
  }

  test('has each match and ban in the minute in which it was seen', () => {
    const { clock, stats, jail, hour } = setUp();
    stats.matches = 3;
    hour.observe([jail]);
    clock.advance(60_000);
    stats.matches = 5;
    stats.bans = 1;
    hour.observe([jail]);
    hour.observe([jail]);
    expect(hour.of('sshd').matches.slice(-3)).toEqual([0, 3, 2]);
    expect(hour.of('sshd').bans.slice(-3)).toEqual([0, 0, 1]);
    expect(hour.of('sshd')).toMatchObject({ step: 60 });
  });

  test('forgets what is older, also when nobody looked for hours', () => {
    const { clock, stats, jail, hour } = setUp();
    stats.matches = 3;
    hour.observe([jail]);
    clock.advance(59 * 60_000);
    hour.observe([jail]);
    expect(hour.of('sshd').matches).toEqual([3, ...Array<number>(59).fill(0)]);
    clock.advance(60_000);
    hour.observe([jail]);
    expect(hour.of('sshd').matches).toEqual(Array<number>(60).fill(0));
    stats.matches = 4;
    clock.advance(5 * 3_600_000);
    hour.observe([jail]);
    expect(hour.of('sshd').matches).toEqual([...Array<number>(59).fill(0), 1]);
  });

  test('goes on where a jail was seated anew and counts from nothing; a jail that is gone is forgotten', () => {
    const { stats, jail, hour } = setUp();
    stats.matches = 7;
    hour.observe([jail]);
    stats.matches = 2;
    hour.observe([jail]);
    expect(hour.of('sshd').matches.at(-1)).toBe(9);
    hour.observe([]);
    expect(hour.of('sshd').matches.at(-1)).toBe(0);
  });
});

describe('from the line to the kernel', () => {
  test('is measured from the first reading to the kernel’s answer, in seconds', () => {
    const clock = createTestClock(0);
    const latency = createLatency(clock);
    expect(latency.view()).toEqual({ bans: 0, median: null, p99: null });
    for (let i = 1; i <= 100; i++) {
      latency.decided(net(`192.0.2.${i}`), clock.monotonic());
      latency.decided(net(`192.0.2.${i}`), clock.monotonic() + 1);
      clock.advance(i);
      latency.blocked(net(`192.0.2.${i}`));
      latency.blocked(net(`192.0.2.${i}`));
    }
    expect(latency.view()).toEqual({ bans: 100, median: 0.05, p99: 0.099 });
  });

  test('knows nothing of what was settled otherwise, and keeps the last thousand', () => {
    const clock = createTestClock(0);
    const latency = createLatency(clock);
    latency.decided(net('192.0.2.1'), 0);
    latency.settled([net('192.0.2.1')]);
    clock.advance(5_000);
    latency.blocked(net('192.0.2.1'));
    expect(latency.view().bans).toBe(0);
    for (let i = 0; i < 3_000; i++) {
      latency.decided(net('192.0.2.1'), clock.monotonic());
      clock.advance(i < 2_000 ? 100 : 1);
      latency.blocked(net('192.0.2.1'));
    }
    expect(latency.view()).toEqual({ bans: 1_000, median: 0.001, p99: 0.001 });
  });
});

describe('health', () => {
  const HOUR = 3_600_000;
  const well: Vitals = {
    ...{ mode: 'enforcing', intent: 'enforcing', firewallFault: undefined, faults: [] },
    sources: [{ id: '/log', state: 'following', lag: 0, faults: [] }],
    jails: [{ name: 'sshd', state: 'active' }],
  };
  const at = (changes: Partial<Vitals>): string[] => healthOf({ ...well, ...changes }, 10 * HOUR).problems;
  const fault = (code: string, last = 10 * HOUR) => ({ code, message: `told of ${code}`, since: 0, last });
  const source = (changes: Partial<Vitals['sources'][number]>) => ({
    sources: [{ ...well.sources[0]!, ...changes }],
  });

  test('is good where all works, where only detecting is wanted, and where a log waits', () => {
    expect(healthOf(well, 0)).toEqual({ ok: true, problems: [] });
    expect(at({ mode: 'detect-only', intent: 'detect-only' })).toEqual([]);
    expect(at(source({ state: 'waiting' }))).toEqual([]);
  });

  test.each<[string, Partial<Vitals>, RegExp]>([
    ['the firewall was never reached', { mode: 'detect-only', firewallFault: 'no nft' }, /Nobody.*no nft/],
    ['it was stood down', { mode: 'stood-down' }, /stood down/],
    ['the firewall is out of reach', { firewallFault: 'no nft' }, /not reach the kernel: no nft/],
    ['a jail has tripped', { jails: [{ name: 'web', state: 'tripped' }] }, /web has tripped/],
    ['a fault stands', { faults: [fault('E_LEDGER_UNAVAILABLE', 0)] }, /told of E_LEDGER/],
    ['a fault that no one knows stands', { faults: [fault('E_NEW', 0)] }, /told of E_NEW/],
    ['a log can not be read', source({ state: 'failed' }), /\/log can't be read/],
    ['a backlog is read', source({ state: 'catching-up', lag: 12 }), /12 bytes behind/],
    ['a log is far behind', source({ lag: 17 * 1024 * 1024 }), /behind/],
    ['lines were lost within the hour', source({ faults: [fault('E_SOURCE_LOST')] }), /^\/log: told of/],
  ])('is bad where %s', (_name, changes, problem) => {
    const problems = at(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test('is not troubled by what is past, nor by what any client may write', () => {
    expect(at(source({ faults: [fault('E_SOURCE_LOST', 9 * HOUR)] }))).toEqual([]);
    const written = ['E_SOURCE_ENCODING', 'E_SOURCE_BINARY', 'E_SOURCE_LONG_LINE', 'W_STAMP_FUTURE'];
    expect(at(source({ faults: written.map((code) => fault(code)) }))).toEqual([]);
  });
});

test('every fault that status may show has its remedy', () => {
  const folder = new URL('../../../src/daemon/', import.meta.url);
  const raised = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .flatMap((text) => [
      ...text.matchAll(/(?:raise\(\s*|(?:note|add)\(|code: |const [A-Z_]+ = )'([EW]_[A-Z_]+)'/g),
    ])
    .map(([, code]) => code!)
    // What a request is refused with is no fault that stands.
    .filter((code) => !Object.hasOwn(CATALOGUE, code) || code === 'E_INTERNAL');
  expect(raised.length).toBeGreaterThan(10);
  const known = Object.keys(REMEDIES);
  expect([...raised, ...Object.keys(SOURCE_FAULTS)].filter((code) => !known.includes(code))).toEqual([]);
});
