// When the kernel is listed whole: each minute, and not while more comes than can be worked on.
import { expect, test } from 'vitest';
import { createTimekeeper } from '../../../src/daemon/service/timekeeper.ts';
import { keepUp } from '../../../src/daemon/service/upkeep.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createTestClock } from '../clock.ts';

const MINUTE = 60_000;

/** @param isAtRest has every source been read? */
function upkeep(isAtRest: () => boolean) {
  const clock = createTestClock(Date.UTC(2026, 0, 5));
  let audits = 0;
  const cancels = keepUp({
    ...{ clock, isAtRest, timekeeper: createTimekeeper(clock), faults: createFaults(clock) },
    sittings: { jails: [] } as never,
    sessions: { evicted: 0, prune() {} } as never,
    committer: {} as never,
    rearm: {
      ...{ noticedBy: undefined, count: 0, mend: async () => {}, stop() {} },
      audit: async () => void audits++,
    },
    fail(error) {
      throw error;
    },
  });
  /** Minute by minute: a look must be over before the next one. */
  async function pass(minutes: number): Promise<number> {
    for (let minute = 0; minute < minutes; minute++) {
      clock.advance(MINUTE);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return audits;
  }
  return { pass, stop: () => cancels.forEach((cancel) => cancel()) };
}

test('it is listed each minute', async () => {
  const { pass, stop } = upkeep(() => true);
  expect(await pass(5)).toBe(5);
  stop();
});

test('in a flood it is listed after ten minutes, and as soon as that is over', async () => {
  let isAtRest = false;
  const { pass, stop } = upkeep(() => isAtRest);
  expect(await pass(9)).toBe(0);
  expect(await pass(6)).toBe(1);
  isAtRest = true;
  expect(await pass(1)).toBe(2);
  stop();
});
