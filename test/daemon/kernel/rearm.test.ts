// What the daemon makes of announcements: with a child that says what the test has it say, and a kernel of the test's own.
import { expect, test, vi } from 'vitest';
import type { Enforcer } from '../../../src/daemon/enforcer.ts';
import { createRearm, hearsLater } from '../../../src/daemon/kernel/rearm.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createFirewall } from '../../../src/firewall/index.ts';
import { silentLog, type Exec } from '../../../src/ports.ts';
import { createRecordingLog } from '../../firewall/worlds.ts';
import { createTestClock } from '../clock.ts';

/** No process has so high a pid: nobody listens under it. */
const NOBODY = 2 ** 22 + 1;

/** @param missing what isn't installed: as a rule nft is heard. */
function world(missing = 'perl') {
  const clock = createTestClock(0);
  let say: (text: string) => void = () => {};
  let end: (why: string) => void = () => {};
  let started = 0;
  const exec: Exec = {
    find: (program) => (program === missing ? undefined : `/usr/sbin/${program}`),
    run: () => Promise.reject(new Error('not asked for')),
    spawn() {
      started++;
      return {
        pid: NOBODY,
        write: () => {},
        onOutput: (hear) => void (say = hear),
        onExit: (hear) => void (end = hear),
        hold: (isHeld) => void holds.push(isHeld),
        kill: () => {},
      };
    },
  };
  const asked: string[] = [];
  const holds: boolean[] = [];
  const state = { isStanding: true, isSettled: true, gone: true, isFlooded: false };
  const enforcer = {
    get isStanding() {
      return state.isStanding;
    },
    get isFlooded() {
      return state.isFlooded;
    },
    get isSwamped() {
      return state.isFlooded;
    },
    async mend() {
      asked.push('mend');
      return state.gone;
    },
    async audit() {
      asked.push('audit');
      if (!state.isSettled) return undefined;
      return state.gone ? 1 : 0;
    },
    async putBack(released) {
      asked.push(`put back ${released.map(({ network }) => network.text).join(' ')}`);
      return state.gone ? released.length : 0;
    },
  } as Partial<Enforcer> as Enforcer;
  const faults = createFaults(clock);
  const log = createRecordingLog();
  const firewall = createFirewall('nftables', { exec, clock, log: silentLog });
  const fail = vi.fn<(error: unknown) => void>();
  const rearm = createRearm({ firewall, enforcer, neverEnforce: false, exec, clock, log, faults, fail });
  rearm.hear();
  let generation = 0;
  /** A transaction by another program, and what was asked of the enforcer because of it. */
  async function transaction(...lines: string[]): Promise<string[]> {
    asked.length = 0;
    say(
      [...lines, `# new generation ${++generation} by process ${NOBODY + 1} (\u001b[31mnft)`, ''].join('\n'),
    );
    await settle();
    return [...asked];
  }
  async function settle(by = 0): Promise<void> {
    clock.advance(by);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    ...{ rearm, transaction, settle, faults, log, state, asked, holds, fail, clock },
    say: (text: string) => say(text),
    end: (why: string) => end(why),
    startedCount: () => started,
  };
}

const DELETED = 'delete element inet bailiff ban4_32_any { 192.0.2.7 timeout 10m30s expires 9m12s448ms }';

test('what is announced is read as what it means, and whatever is not ours means nothing', async () => {
  const { transaction, settle, fail } = world();
  const added = DELETED.replace('delete', 'add');
  expect(await transaction('delete set inet bailiff ban4_32_any', 'delete table inet bailiff')).toEqual([
    'mend',
  ]);
  expect(await transaction('delete rule inet bailiff prerouting handle 3')).toEqual(['mend']);
  expect(await transaction('insert rule inet bailiff prerouting accept')).toEqual(['mend']);
  await settle(60_000);
  expect(await transaction(added, DELETED)).toEqual(['put back 192.0.2.7']);
  expect(await transaction(DELETED, DELETED.replace('192.0.2.7', '192.0.2.8'))).toEqual([
    'put back 192.0.2.7 192.0.2.8',
  ]);
  expect(await transaction('delete element inet bailiff ban6_64_tcp_22 { 2001:db8:: timeout 1m }')).toEqual([
    'put back 2001:db8::/64',
  ]);
  // A name that holds a hash of its ports, of a set that isn't known.
  expect(await transaction('delete element inet bailiff ban4_32_tcp_x0123456789 { 192.0.2.7 }')).toEqual([
    'audit',
  ]);
  expect(await transaction('add element inet bailiff allow4_32 { 192.0.2.7 }')).toEqual(['audit']);
  // An end that is set anew.
  expect(await transaction(DELETED, added)).toEqual([]);
  expect(await transaction(added)).toEqual([]);
  expect(await transaction('delete table ip raw', 'delete rule inet filter input handle 3')).toEqual([]);
  expect(await transaction('add table inet bailiff-other', DELETED.replace('bailiff', 'theirs'))).toEqual([]);
  expect(fail).not.toHaveBeenCalled();
});

test('what a listing has put back already, is listed once more and not put back when its announcement comes late', async () => {
  const { rearm, transaction, settle, state } = world();
  await rearm.audit();
  state.gone = false;
  await settle(9_000);
  expect(await transaction(DELETED)).toEqual(['audit']);
  expect(rearm.count).toBe(1);
  // What is gone all the same is put back, and makes no further listing: another tool may go on for hours.
  state.gone = true;
  await settle(900);
  expect(await transaction(DELETED)).toEqual(['audit']);
  await settle(5_000);
  expect(await transaction(DELETED)).toEqual(['put back 192.0.2.7']);
  expect(rearm.count).toBe(3);
});

test('so is what is announced while a look by the clock is still under way', async () => {
  const { rearm, transaction, settle, state } = world();
  state.gone = false;
  const look = rearm.audit();
  expect(await transaction(DELETED)).toEqual(['audit']);
  await look;
  await settle(500);
  expect(await transaction(DELETED)).toEqual(['put back 192.0.2.7']);
});

test('as long as nothing may be listed, what is known to be gone is put back all the same', async () => {
  const { rearm, transaction, state } = world();
  await rearm.audit();
  state.isSettled = false;
  expect(await transaction(DELETED)).toEqual(['audit', 'put back 192.0.2.7']);
  expect(rearm.count).toBe(2);
});

test('announcements that the kernel had no room for are made up for by a listing', async () => {
  const { say, settle, asked, state } = world();
  state.gone = false;
  say('# ERROR: We lost some netlink events!\n');
  await settle();
  expect(asked).toEqual(['mend', 'audit']);
});

test('in a flood of bans whoever announces them is held back, and heard again each second', async () => {
  const { transaction, settle, state, holds } = world();
  await transaction(DELETED);
  expect(holds).toEqual([]);
  state.isFlooded = true;
  await transaction(DELETED);
  expect(holds).toEqual([true]);
  await settle(1_000);
  expect(holds).toEqual([true, false]);
  await transaction(DELETED);
  expect(holds).toEqual([true, false, true]);
  state.isFlooded = false;
  await settle(1_000);
  // What it could not hand over meanwhile is read as ever.
  expect(await transaction(DELETED)).toEqual(['put back 192.0.2.7']);
  expect(holds).toEqual([true, false, true, false]);
});

test('who tells nothing of what is our own doing is heard in a flood too', async () => {
  const { transaction, state, holds } = world('nft');
  state.isFlooded = true;
  expect(await transaction(DELETED)).toEqual(['put back 192.0.2.7']);
  expect(holds).toEqual([]);
});

test('ten thousand elements at once are compared with a listing, not told one by one', async () => {
  const { transaction } = world();
  const lines = Array.from({ length: 10_000 }, (_, index) =>
    DELETED.replace('192.0.2.7', `10.0.${index >> 8}.${index & 255}`),
  );
  expect(await transaction(...lines)).toEqual(['audit']);
});

test('who flushes in a loop is answered ever more slowly, is an alarm with the name of the program, and is none when it is over', async () => {
  const { transaction, faults, rearm, settle, state, clock, asked } = world();
  const flush = 'delete table inet bailiff';
  for (let count = 0; count < 9; count++) expect(await transaction(flush)).toEqual(['mend']);
  expect(faults.list().filter(({ code }) => code === 'W_FIREWALL_CONTESTED')).toEqual([]);
  expect(await transaction(flush)).toEqual(['mend']);
  expect(faults.list()).toContainEqual(
    expect.objectContaining({
      code: 'W_FIREWALL_CONTESTED',
      message: expect.stringMatching(/10 times in ten minutes, lately by the program "[ -~]*nft"/),
    }),
  );
  expect(rearm.count).toBe(10);
  // Three hundred flushes within twenty seconds.
  for (let count = 0; count < 300; count++) {
    await transaction(flush);
    await settle(60);
  }
  expect(rearm.count).toBeGreaterThan(20);
  expect(rearm.count).toBeLessThan(100);
  await settle(5_000);
  asked.length = 0;
  state.gone = false;
  for (let minutes = 0; minutes < 12; minutes++) await settle(60_000);
  expect(faults.list().filter(({ code }) => code === 'W_FIREWALL_CONTESTED')).toEqual([]);
  expect(clock.now()).toBeGreaterThan(700_000);
});

test('where nothing is heard status says so, and it is tried again; stood down nothing is put back', async () => {
  const { transaction, end, rearm, faults, settle, startedCount, state } = world();
  state.isStanding = false;
  expect(await transaction('delete table inet bailiff')).toEqual([]);
  // The first child ran on a leash, which may be what ended it.
  end('exit 1');
  end('exit 1');
  expect(rearm.noticedBy).toBe('poll');
  expect(faults.list()).toMatchObject([
    { code: 'W_FIREWALL_POLLED', message: expect.stringContaining('exit 1') },
  ]);
  const before = startedCount();
  await settle(1_000);
  expect(startedCount()).toBe(before + 1);
  rearm.stop();
  end('killed');
  await settle(60_000);
  expect(startedCount()).toBe(before + 1);
});

test('in a flood of bans a listing is put off until there is time, and a flush is not', async () => {
  const { rearm, say, settle, asked, state, transaction } = world();
  state.gone = false;
  await settle(20);
  asked.length = 0;
  state.isFlooded = true;
  say('# ERROR: We lost some netlink events!\n');
  await settle();
  expect(asked).toEqual(['mend']);
  // The one of each minute too.
  await rearm.audit();
  await settle(1_000);
  expect(asked).toEqual(['mend']);
  state.gone = true;
  await transaction('delete table inet bailiff');
  await settle(200);
  expect(asked).toEqual(['mend']);
  state.gone = false;
  state.isFlooded = false;
  say('# ERROR: We lost some netlink events!\n');
  await settle(5_000);
  expect(asked).toContain('audit');
});

test('a start with many bans is not listened to, for each would be announced; one with too many for a late listener is', () => {
  expect([0, 5_000, 5_001, 150_000, 150_001].map(hearsLater)).toEqual([false, false, true, true, false]);
});
