import { describe, expect, test } from 'vitest';
import { LOG_LEVELS } from '../../../src/api/contract.ts';
import type { LogQuery } from '../../../src/api/contract.ts';
import { remember } from '../../../src/daemon/telling/recent.ts';
import { silentLog } from '../../../src/ports.ts';
import { createTestClock } from '../clock.ts';

const START = Date.parse('2026-01-05T10:00:00Z');

function setUp(limits?: { lines: number; text: number }) {
  const clock = createTestClock(START);
  const { log, recent } = remember(silentLog, clock, LOG_LEVELS, limits);
  const messages = async (query: LogQuery = {}) =>
    (await recent.read(query)).items.map(({ message }) => message);
  return { clock, log, recent, messages };
}

describe('what is kept of the daemon’s log', () => {
  test('is what was written, numbered, with its instant, level and facts', async () => {
    const written: unknown[] = [];
    const clock = createTestClock(START);
    const { log, recent } = remember(
      { ...silentLog, warn: (...said) => void written.push(said) },
      clock,
      LOG_LEVELS,
    );
    log.info({ address: '192.0.2.7', since: START, until: START + 1_000 }, 'ban');
    clock.advance(5);
    log.warn({ why: 'disk' }, 'not committed');
    expect(written).toEqual([[{ why: 'disk' }, 'not committed']]);
    expect(await recent.read({})).toEqual({
      items: [
        {
          n: 1,
          at: '2026-01-05T10:00:00.000Z',
          level: 'info',
          message: 'ban',
          facts: {
            address: '192.0.2.7',
            since: '2026-01-05T10:00:00.000Z',
            until: '2026-01-05T10:00:01.000Z',
          },
        },
        {
          n: 2,
          at: '2026-01-05T10:00:00.005Z',
          level: 'warn',
          message: 'not committed',
          facts: { why: 'disk' },
        },
      ],
      next: null,
      last: 2,
      missed: 0,
    });
  });

  test('can be narrowed by level, jail, instant and number', async () => {
    const { clock, log, messages } = setUp();
    log.debug({ jail: 'sshd' }, 'a');
    log.error({ jail: 'login' }, 'b');
    clock.advance(60_000);
    log.info({ jail: 'sshd' }, 'c');
    log.warn({ text: '"jail":"sshd"' }, 'd');
    expect(await messages({ level: 'warn' })).toEqual(['b', 'd']);
    expect(await messages({ jail: 'sshd' })).toEqual(['a', 'c']);
    expect(await messages({ since: '2026-01-05T10:00:30Z' })).toEqual(['c', 'd']);
    expect(await messages({ after: 3 })).toEqual(['d']);
    expect(await messages({ after: 99 })).toEqual([]);
  });

  test('leaves out the levels that are not written', async () => {
    const { log, recent } = remember(silentLog, createTestClock(START), ['info', 'warn', 'error']);
    log.debug({}, 'a');
    log.info({}, 'b');
    expect((await recent.read({})).items.map(({ n, message }) => [n, message])).toEqual([[1, 'b']]);
  });

  test('has a bound of lines, and tells how many are gone', async () => {
    const { log, recent } = setUp({ lines: 100, text: 1e9 });
    for (let i = 1; i <= 1_234; i++) log.info({}, `line ${i}`);
    const { items, last, missed } = await recent.read({});
    expect([items.length, items[0]!.n, items.at(-1)!.n, last, missed]).toEqual([
      100, 1_135, 1_234, 1_234, 1_134,
    ]);
    expect(items.every(({ n, message }) => message === `line ${n}`)).toBe(true);
    expect((await recent.read({ after: 1_200 })).missed).toBe(0);
  });

  test('has a bound of size, and keeps the latest line whatever its size', async () => {
    const { log, messages } = setUp({ lines: 1_000, text: 1_000 });
    for (let i = 0; i < 20; i++) log.info({ text: 'x'.repeat(300) }, String(i));
    expect(await messages()).toEqual(['17', '18', '19']);
    log.info({ text: 'x'.repeat(2_000) }, 'long');
    expect(await messages()).toEqual(['long']);
  });

  test('comes in pages', async () => {
    const { log, recent } = setUp();
    for (let i = 1; i <= 1_001; i++) log.info({}, 'x');
    const seen: number[] = [];
    let pages = 0;
    for (let after: string | null = '0'; after !== null; pages++) {
      const page = await recent.read({ after: Number(after) });
      seen.push(...page.items.map(({ n }) => n));
      after = page.next;
    }
    expect([pages, seen.length, seen[0], seen.at(-1)]).toEqual([3, 1_001, 1, 1_001]);
  });

  test('holds facts that JSON can’t, and the beginning of those that are too long', async () => {
    const { log, recent } = setUp();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    log.error({ err: new TypeError('broken'), inode: 7n }, 'a');
    log.error(circle, 'b');
    log.error({ text: 'x'.repeat(100_000) }, 'c');
    const [a, b, c] = (await recent.read({})).items.map(({ facts }) => facts);
    expect(a).toMatchObject({ err: { type: 'TypeError', message: 'broken' }, inode: '7' });
    expect(Object.keys(b!)).toEqual(['unreadable']);
    expect(c).toEqual({ cut: `{"text":"${'x'.repeat(8_192 - 9)}` });
  });
});

describe('whoever waits for a line', () => {
  test('gets it as it is written, and not one that he did not ask for', async () => {
    const { log, recent } = setUp();
    log.error({}, 'before');
    let answered = false;
    const answer = recent.read({ after: 1, level: 'warn', wait: 20 }).finally(() => (answered = true));
    log.info({}, 'quiet');
    await settled();
    expect(answered).toBe(false);
    log.warn({}, 'loud');
    expect((await answer).items.map(({ message }) => message)).toEqual(['loud']);
  });

  test('gets an empty page at the end of the time, and when the daemon ends', async () => {
    const { clock, log, recent } = setUp();
    log.info({}, 'x');
    const late = recent.read({ after: 1, wait: 20 });
    await settled();
    clock.advance(20_000);
    expect(await late).toEqual({ items: [], next: null, last: 1, missed: 0 });
    const waiting = recent.read({ after: 1, wait: 20 });
    recent.close();
    expect((await waiting).items).toEqual([]);
    expect((await recent.read({ after: 1, wait: 20 })).items).toEqual([]);
  });
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
