import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import type { Faults } from '../../../src/daemon/telling/faults.ts';
import { followNames } from '../../../src/daemon/host/names.ts';
import type { Names } from '../../../src/daemon/host/names.ts';
import { createProtection } from '../../../src/daemon/host/protection.ts';
import type { Protection } from '../../../src/daemon/host/protection.ts';
import { createResolver } from '../../../src/daemon/host/resolver.ts';
import type { Resolver } from '../../../src/daemon/host/resolver.ts';
import { silentLog } from '../../../src/ports.ts';
import { startNameServer } from '../../support/dns-server.ts';
import type { NameServer } from '../../support/dns-server.ts';
import { lonelyHost } from '../../support/lonely-host.ts';
import { eventually } from '../../support/run.ts';
import { createTestClock } from '../clock.ts';
import type { TestClock } from '../clock.ts';

const NAME = 'office.example.net';
const a = (address: string, ttl: number) => [{ type: 'A', ttl, address }] as const;

let server: NameServer;
let clock: TestClock;
let protection: Protection;
let faults: Faults;
let names: Names | undefined;
/** How often a name was looked up, and how often that was answered. */
let looks: number;
let answers: number;
const onChange = vi.fn<() => void>();

beforeEach(async () => {
  server = await startNameServer({});
  clock = createTestClock(Date.UTC(2026, 0, 2));
  faults = createFaults(clock);
  looks = answers = 0;
  onChange.mockClear();
});
afterEach(async () => {
  names?.stop();
  await server.close();
});

const listOf = (...entries: string[]) => ({ networks: [], names: entries });

async function follow(...entries: string[]): Promise<void> {
  protection = createProtection(listOf(...entries), [], lonelyHost);
  const resolver = createResolver({
    servers: [server.address],
    hosts: '/nonexistent',
    lookup: () => Promise.reject(new Error('none')),
  });
  const counting: Resolver = {
    async resolve(name, signal) {
      looks++;
      const answer = await resolver.resolve(name, signal);
      answers++;
      return answer;
    },
  };
  names = followNames({ protection, resolver: counting, clock, log: silentLog, faults }, onChange);
  await names.ready;
}

const allowed = (): string[] => protection.allowed().map(({ text }) => text);
/** Lets time pass, of which the last millisecond makes the name due; waits for the answer. */
async function askedAfter(milliseconds: number): Promise<void> {
  const before = looks;
  clock.advance(milliseconds - 1);
  expect(looks).toBe(before);
  clock.advance(1);
  expect(looks).toBe(before + 1);
  await eventually('the answer is there', () => answers === looks);
}

test('a name is asked for again when its time to live ends, and whoever it stands for then is allowed', async () => {
  server.zone = { [NAME]: a('192.0.2.10', 60) };
  await follow(NAME);
  expect(allowed()).toEqual(['192.0.2.10']);
  expect(onChange).not.toHaveBeenCalled();
  server.zone = { [NAME]: [...a('192.0.2.11', 90), { type: 'AAAA', ttl: 90, address: '2001:db8::11' }] };
  await askedAfter(60_000);
  await eventually('the change is told', () => onChange.mock.calls.length === 1);
  expect(allowed().toSorted()).toEqual(['192.0.2.11', '2001:db8::11']);
  await askedAfter(90_000);
  await askedAfter(90_000);
  expect(onChange).toHaveBeenCalledTimes(1);
});

test('a very short time to live is stretched to half a minute, a very long one cut to an hour', async () => {
  server.zone = { [NAME]: a('192.0.2.10', 0) };
  await follow(NAME);
  server.zone = { [NAME]: a('192.0.2.10', 86_400) };
  await askedAfter(30_000);
  await askedAfter(3_600_000);
});

test('a name that fails keeps its addresses, is a fault, and is asked for ever less often until it is mended', async () => {
  server.zone = { [NAME]: a('192.0.2.10', 3_600) };
  await follow(NAME);
  server.zone = {};
  await askedAfter(3_600_000);
  for (const [index, pause] of [30_000, 60_000, 120_000, 240_000, 300_000, 300_000].entries()) {
    await eventually('the failure is told', () => faults.list()[0]?.count === index + 1);
    expect(faults.list()).toMatchObject([
      { code: 'W_NAME_UNRESOLVED', message: expect.stringContaining(`${NAME} (ENOTFOUND)`) },
    ]);
    expect(allowed()).toEqual(['192.0.2.10']);
    await askedAfter(pause);
  }
  server.zone = { [NAME]: a('192.0.2.12', 60) };
  await eventually('the last failure is told', () => faults.list()[0]?.count === 7);
  await askedAfter(300_000);
  await eventually('it is mended', () => faults.list().length === 0);
  expect(allowed()).toEqual(['192.0.2.12']);
});

test('of a family that can not be told what was known holds on', async () => {
  server.zone = { [NAME]: [...a('192.0.2.10', 60), { type: 'AAAA', ttl: 60, address: '2001:db8::10' }] };
  await follow(NAME);
  server.zone = { [NAME]: a('192.0.2.11', 60) };
  server.failing.add(`AAAA ${NAME}`);
  clock.advance(60_000);
  await eventually('the change is told', () => onChange.mock.calls.length === 1);
  expect(allowed().toSorted()).toEqual(['192.0.2.11', '2001:db8::10']);
  expect(faults.list()).toMatchObject([{ message: expect.stringContaining('ESERVFAIL') }]);
});

test('a reload learns the names that are new before they are needed, and forgets those that are gone', async () => {
  server.zone = { [NAME]: a('192.0.2.10', 60), 'home.example.net': a('192.0.2.20', 60) };
  await follow(NAME, 'gone.example.net');
  expect(faults.list()).toHaveLength(1);
  await names!.learn([NAME, 'home.example.net']);
  expect(server.asked.filter((question) => question.endsWith(NAME))).toHaveLength(2);
  protection.replace(listOf('home.example.net'), []);
  expect(allowed()).toEqual(['192.0.2.20']);
  names!.restart();
  expect(faults.list()).toEqual([]);
  await eventually('it is looked up anew', () => answers === looks);
  server.asked.length = 0;
  clock.advance(600_000);
  await eventually('what is left is asked for', () => server.asked.length >= 2);
  expect(server.asked.toSorted()).toEqual(['A home.example.net', 'AAAA home.example.net']);
});

test('of hundreds of names each is asked for, a few at a time', async () => {
  const many = Array.from({ length: 300 }, (_, n) => `n${n}.example.net`);
  server.zone = Object.fromEntries(many.map((name, n) => [name, a(`198.51.${n >> 8}.${n & 255}`, 60)]));
  await follow(...many);
  expect(server.asked).toHaveLength(600);
  expect(allowed()).toHaveLength(300);
});
