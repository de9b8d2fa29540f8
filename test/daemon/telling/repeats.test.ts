import { beforeEach, expect, test } from 'vitest';
import { coalesce, type CoalescingLog } from '../../../src/daemon/telling/repeats.ts';
import { createTestClock, type TestClock } from '../clock.ts';

let clock: TestClock;
let lines: string[];
let log: CoalescingLog;

beforeEach(() => {
  clock = createTestClock(0);
  lines = [];
  const write = (level: string) => (facts: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
  log = coalesce(
    { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    clock,
  );
});

const FULL = { why: 'the disk is full' };

test('a complaint once a second stands there once at first, and once a minute with its count', () => {
  for (let second = 0; second < 180; second++) {
    log.error(FULL, 'commit failed');
    clock.advance(1_000);
  }
  const counted = (count: number) =>
    `error commit failed (repeated ${count} times) {"why":"the disk is full","repeated":${count}}`;
  expect(lines).toEqual([
    'error commit failed {"why":"the disk is full"}',
    counted(59),
    counted(60),
    counted(60),
  ]);
});

test('after a minute without it, it is news again', () => {
  log.warn(FULL, 'x');
  log.warn(FULL, 'x');
  clock.advance(60_000);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('(repeated once)');
  clock.advance(60_000);
  log.warn(FULL, 'x');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toBe(lines[0]);
});

test('other facts, another message or another level are another line', () => {
  log.warn({ a: 1 }, 'x');
  log.warn({ a: 2 }, 'x');
  log.warn({ a: 1 }, 'y');
  log.error({ a: 1 }, 'x');
  log.debug({ a: 1 }, 'x');
  expect(lines).toHaveLength(5);
});

test('what happened to an address, and whatever is no complaint, is never counted away', () => {
  for (let time = 0; time < 3; time++) {
    log.info({ address: '192.0.2.7', jail: 'sshd' }, 'ban');
    log.info({ jails: 2 }, 'reloaded');
    log.warn({ address: '192.0.2.7' }, 'unenforceable');
  }
  expect(lines).toHaveLength(9);
  clock.advance(600_000);
  expect(lines).toHaveLength(9);
});

test('a flood of different complaints keeps two hundred of them, and loses no count', () => {
  for (let time = 0; time < 2; time++) log.error({ n: 0 }, 'x');
  for (let n = 1; n <= 1_000; n++) log.error({ n }, 'x');
  // The first one had to make room, and told its count.
  expect(lines.filter((line) => line.includes('repeated'))).toEqual([
    'error x (repeated once) {"n":0,"repeated":1}',
  ]);
  log.error({ n: 900 }, 'x');
  log.error({ n: 800 }, 'x');
  expect(lines).toHaveLength(1 + 1 + 1_000 + 1);
  log.error({ long: 'x'.repeat(3_000) }, 'x');
  log.error({ long: 'x'.repeat(3_000) }, 'x');
  expect(lines).toHaveLength(1_003 + 2);
});

test('what was counted is told at the end', () => {
  log.error(FULL, 'x');
  log.error(FULL, 'x');
  log.flush();
  log.flush();
  expect(lines).toHaveLength(2);
  clock.advance(600_000);
  expect(lines).toHaveLength(2);
});
