// Who acts by hand while the firewall hangs is answered all the same. `bailiff ban` once told him to restart the daemon.
import { expect, test } from 'vitest';
import { createPatience } from '../../src/daemon/patience.ts';
import { createTestClock } from './clock.ts';

/** A firewall that answers when it is let. */
function createFirewall() {
  const waiting: PromiseWithResolvers<void>[] = [];
  return {
    enforce(): Promise<void> {
      const answer = Promise.withResolvers<void>();
      waiting.push(answer);
      return answer.promise;
    },
    get waiting() {
      return waiting.length;
    },
    answer: () => waiting.splice(0).forEach(({ resolve }) => resolve()),
    breakDown: (why: Error) => waiting.splice(0).forEach(({ reject }) => reject(why)),
  };
}

const clock = createTestClock(0);

test('an answer in time is waited for', async () => {
  const firewall = createFirewall();
  const told = createPatience(firewall.enforce, clock)();
  clock.advance(11_999);
  firewall.answer();
  expect(await told).toBe(true);
});

test('one that hangs is waited for once, and goes on being asked, until it answers', async () => {
  const firewall = createFirewall();
  const enforce = createPatience(firewall.enforce, clock);
  const first = enforce();
  clock.advance(12_000);
  expect(await first).toBe(false);
  // A long list by hand: its later parts don't wait, and are not forgotten.
  expect(await enforce()).toBe(false);
  expect(firewall.waiting).toBe(2);
  firewall.answer();
  await Promise.resolve();
  const after = enforce();
  firewall.answer();
  expect(await after).toBe(true);
});

test('what breaks in time is told', async () => {
  const firewall = createFirewall();
  const enforce = createPatience(firewall.enforce, clock);
  const told = enforce();
  firewall.breakDown(new Error('broken'));
  await expect(told).rejects.toThrow('broken');
});
