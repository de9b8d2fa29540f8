// The log's pipe while nobody reads it: nobody waits, and what is left out is counted.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOutlet, type Outlet } from '../../../src/daemon/telling/outlet.ts';
import { temporaryFolder, type TemporaryFolder } from '../../support/leftovers.ts';
import { createUnreadPipe, type UnreadPipe } from '../../support/unread-pipe.ts';
import { createTestClock, type TestClock } from '../clock.ts';

/** Of 1 000 characters, so that a thousand more wait than may. */
const line = (n: number): string => `${String(n).padEnd(999, '.')}\n`;
const LINES = 9_000;

let folder: TemporaryFolder;
let pipe: UnreadPipe;
let clock: TestClock;
let outlet: Outlet;
let leftOut: number[];

beforeEach(() => {
  folder = temporaryFolder('outlet');
  pipe = createUnreadPipe(folder.path);
  clock = createTestClock(0);
  leftOut = [];
  outlet = createOutlet(pipe.fd, clock, (lines) => leftOut.push(lines));
});
afterEach(() => {
  pipe.close();
  folder.remove();
});

/** Everything that comes while time goes on. */
function readAll(): string {
  let text = '';
  for (let came = pipe.read(); came !== ''; came = pipe.read()) {
    text += came;
    clock.advance(20);
  }
  return text;
}

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => line(from + n)).join('');

test('what waits comes in order when it is read, and nothing is left out of it', () => {
  for (let n = 0; n < 5_000; n++) outlet.write(line(n));
  clock.advance(10_000);
  expect(readAll()).toBe(lines(0, 5_000));
  expect(leftOut).toEqual([]);
});

test('where too much waits lines are left out, and how many is told when there is room', () => {
  for (let n = 0; n < LINES; n++) outlet.write(line(n));
  clock.advance(10_000);
  expect(leftOut).toEqual([]);
  const text = readAll();
  expect(leftOut).toEqual([LINES - text.length / 1_000]);
  expect(leftOut[0]).toBeGreaterThan(900);
  expect(text).toBe(lines(0, LINES - leftOut[0]!));
  outlet.write(line(LINES));
  outlet.flush();
  expect(readAll()).toBe(line(LINES));
});

test('whoever ends tells of them too', () => {
  let passed = 0;
  // A clock on which five seconds are over at once.
  const hurried = { ...clock, monotonic: () => (passed += 6_000) };
  const ending = createOutlet(pipe.fd, hurried, (count) => leftOut.push(count));
  for (let n = 0; n < LINES; n++) ending.write(line(n));
  ending.end();
  expect(leftOut).toEqual([expect.any(Number)]);
});
