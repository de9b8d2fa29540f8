// How bans without effect are told: once each, as one fault that names the newest, and with the ban itself.
import { expect, test } from 'vitest';
import { createAlarms, INEFFECTIVE } from '../../../src/daemon/effect/alarms.ts';
import type { Finding } from '../../../src/daemon/effect/causes.ts';
import { createEvents } from '../../../src/daemon/telling/events.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { silentLog } from '../../../src/ports.ts';
import { net, T0 } from '../../jails/support.ts';
import { createTestClock } from '../clock.ts';

const PORTS: Finding = { cause: 'ports', seen: 'its packets come to port 80, and the ban covers 443' };
const PROXY: Finding = { cause: 'proxy', seen: 'it comes through a proxy' };

function watch() {
  const clock = createTestClock(T0);
  const faults = createFaults(clock);
  const warned: unknown[] = [];
  const told: string[] = [];
  const events = createEvents(clock, 'boot');
  events.subscribe({}, (event) => void told.push('message' in event ? event.message : event.kind));
  const log = { ...silentLog, warn: (facts: object) => void warned.push(facts) };
  const alarms = createAlarms({ faults, log, events });
  const raise = (address: string, finding = PORTS, lines = 3): void =>
    alarms.raise({ jail: 'web', network: net(address), lines }, finding, T0);
  const standing = (): string | undefined => faults.list().find(({ code }) => code === INEFFECTIVE)?.message;
  return { alarms, raise, standing, warned, told, faults };
}

test('the newest is named, the others are counted, and each is told once', () => {
  const { raise, standing, warned, told, faults } = watch();
  raise('198.51.100.1');
  expect(standing()).toMatch(/^198\.51\.100\.1 is banned in web, and lines .*: its packets come to port 80/);
  raise('198.51.100.2');
  expect(standing()).toMatch(/^198\.51\.100\.2 .* 1 more bans have no effect\.$/);
  // The same again is nothing new.
  raise('198.51.100.1');
  expect(warned).toHaveLength(2);
  expect(faults.list()).toMatchObject([{ count: 2 }]);
  // The first is told as the fault that it raises, so only the second is told here.
  expect(told).toEqual([expect.stringContaining('198.51.100.2')]);
  // Another cause is.
  raise('198.51.100.1', PROXY);
  expect(standing()).toMatch(/^198\.51\.100\.1 .*through a proxy/);
  expect(warned).toHaveLength(3);
});

test('lines are counted for the ban that they are about, and shown with it', () => {
  const { alarms, raise } = watch();
  raise('198.51.100.1');
  expect(alarms.count('web', net('198.51.100.1'), T0 + 9_000)).toBe(true);
  expect(alarms.count('web', net('198.51.100.1'), T0 + 4_000)).toBe(true);
  expect(alarms.count('mail', net('198.51.100.1'), T0)).toBe(false);
  expect(alarms.of({ jail: 'web', address: net('198.51.100.1') })).toMatchObject({
    ...{ cause: 'ports', lines: 5, since: '2026-01-05T00:00:00.000Z' },
    last: '2026-01-05T00:00:09.000Z',
    mend: expect.stringContaining('"ports" of the jail'),
  });
  expect(alarms.of({ jail: 'mail', address: net('198.51.100.1') })).toBeUndefined();
});

test('what is over is dropped, and with the last one the fault is cleared', () => {
  const { alarms, raise, standing } = watch();
  raise('198.51.100.1');
  raise('198.51.100.2');
  alarms.drop(({ network }) => network.text === '198.51.100.2');
  expect(standing()).toMatch(/^198\.51\.100\.1 .*[^t]\.$/);
  alarms.drop(() => true);
  expect(standing()).toBeUndefined();
  raise('198.51.100.1');
  expect(standing()).toBeDefined();
});

test('a thousand are told one by one: more tell nobody anything', () => {
  const { alarms, raise, standing, warned } = watch();
  for (let i = 0; i < 1_010; i++) raise(`10.0.${i >> 8}.${i & 255}`);
  expect(warned).toHaveLength(1_000);
  expect(standing()).toContain('999 more bans');
  expect(alarms.count('web', net('10.0.3.240'), T0)).toBe(false);
  // One that is known may have another cause all the same.
  raise('10.0.0.0', PROXY);
  expect(standing()).toMatch(/^10\.0\.0\.0 /);
});
