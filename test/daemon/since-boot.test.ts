// The time since boot is asked for seldom, and a sleep is seen at once.
import { expect, test } from 'vitest';
import { createSinceBoot } from '../../src/daemon/since-boot.ts';

function machine() {
  const time = { asked: 0, boot: 5_000, monotonic: 100, wall: 1_000_000 };
  const ask = (): number => {
    time.asked++;
    return Math.floor(time.boot / 10) * 10;
  };
  const sinceBoot = createSinceBoot(ask, { monotonic: () => time.monotonic, wall: () => time.wall });
  const pass = (by: number): void => {
    time.boot += by;
    time.monotonic += by;
    time.wall += by;
  };
  return { time, sinceBoot, pass };
}

test('within two seconds it goes on by itself, then it is asked for again', () => {
  const { time, sinceBoot, pass } = machine();
  pass(4);
  expect(sinceBoot()).toBe(5_004);
  pass(1_995);
  expect(sinceBoot()).toBe(6_999);
  expect(time.asked).toBe(1);
  pass(3);
  expect(sinceBoot()).toBe(7_000);
  expect(time.asked).toBe(2);
});

test('after a sleep, or when somebody sets the clock, it is asked for at once', () => {
  const { time, sinceBoot, pass } = machine();
  pass(1);
  time.boot += 3_600_000;
  time.wall += 3_600_000;
  expect(sinceBoot()).toBe(3_605_000);
  pass(1);
  time.wall -= 86_400_000;
  expect(sinceBoot()).toBe(3_605_000);
  expect(time.asked).toBe(3);
});
