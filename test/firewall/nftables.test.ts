// What only nftables has to cope with: a kernel that forgets, a child that dies, a program that isn't there.
// The kernel is the old one (before Linux 6.12), in memory, where nothing else is said.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFirewall, type Firewall } from '../../src/firewall/index.ts';
import { chunksOf } from '../../src/firewall/nft-plan.ts';
import type { Exec } from '../../src/ports.ts';
import { needs } from '../support/programs.ts';
import { block, net, release, summary, WEB, type World } from './conformance.ts';
import { createOldKernel, type OldKernel } from './old-kernel.ts';
import { createRecordingLog, createStandingClock, onThisKernel, type StandingClock } from './worlds.ts';

let clock: StandingClock;
let kernel: OldKernel;
let log: ReturnType<typeof createRecordingLog>;
let firewall: Firewall;
let now: number;

beforeEach(async () => {
  clock = createStandingClock();
  now = clock.now();
  kernel = createOldKernel(clock);
  log = createRecordingLog();
  firewall = createFirewall('nftables', { exec: kernel, clock, log });
  await firewall.prepare([net('198.51.100.0/24')]);
});

const APPLIED = { outcome: 'applied' };
const REBUILT = { outcome: 'applied', rebuilt: true };
const listed = async (): Promise<string[]> => summary(await firewall.list(), clock.now());

describe('the kernel before Linux 6.12, as the tests imitate it', () => {
  const run = (input: string) => kernel.run({ file: 'nft', args: ['-f', '-'], input, timeout: 1 });
  const set = 'inet bailiff ban4_32_any';

  it('keeps the old end when an element is added again', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    expect(await run(`add element ${set} { 192.0.2.7 timeout 9000s }`)).toMatchObject({ code: 0 });
    expect(await listed()).toEqual(['192.0.2.7 any: 60']);
  });

  it('refuses a whole batch for the deletion of what is not there, or has run out', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    const batch = `add element ${set} { 192.0.2.8 }\ndelete element ${set} { 192.0.2.7 }\n`;
    clock.move(90_001);
    expect(await run(batch)).toMatchObject({ code: 1, stderr: expect.stringContaining('No such file') });
    expect([...(await firewall.list())]).toEqual([]);
  });
});

describe('transactions on an old kernel', () => {
  it('release an address whose element ran out long ago, with others in the same batch', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000), block('192.0.2.8', now + 600_000)], now);
    clock.move(120_000);
    const changes = [release('192.0.2.7'), release('192.0.2.8'), block('192.0.2.9', now + 600_000)];
    expect(await firewall.apply(changes, clock.now())).toEqual([APPLIED, APPLIED, APPLIED]);
    expect(await listed()).toEqual(['192.0.2.9 any: 480']);
    expect(kernel.transactions.at(-1)).toBe(
      'add element inet bailiff ban4_32_any { 192.0.2.7, 192.0.2.8, 192.0.2.9 }; ' +
        'delete element inet bailiff ban4_32_any { 192.0.2.7, 192.0.2.8, 192.0.2.9 }; ' +
        'add element inet bailiff ban4_32_any { 192.0.2.9 timeout 510s }',
    );
  });

  it('add what is new, and no more: unless it was named before in the same batch', async () => {
    const isNew = true as const;
    await firewall.apply(
      [{ ...block('192.0.2.7', now + 60_000), isNew }, block('192.0.2.8', now + 60_000)],
      now,
    );
    expect(kernel.transactions.at(-1)?.split('; ').slice(-3)).toEqual([
      'add element inet bailiff ban4_32_any { 192.0.2.8 }',
      'delete element inet bailiff ban4_32_any { 192.0.2.8 }',
      'add element inet bailiff ban4_32_any { 192.0.2.7 timeout 90s, 192.0.2.8 timeout 90s }',
    ]);
    const twice = [
      block('192.0.2.7', now + 600_000),
      { ...block('192.0.2.7', now + 900_000), isNew },
    ] as const;
    await firewall.apply(twice, now);
    expect(await listed()).toEqual(['192.0.2.7 any: 900', '192.0.2.8 any: 60']);
  });

  it('stay in the kernel thirty seconds longer than the sentence', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    clock.move(89_000);
    expect([...(await firewall.list())]).toMatchObject([{ until: now + 60_000 }]);
    clock.move(1_000);
    expect([...(await firewall.list())]).toEqual([]);
  });
});

describe('a chunk', () => {
  it('goes through the session when it is short and to a program of its own when it is long', async () => {
    const routes = kernel.routes.length;
    await firewall.apply([block('192.0.2.7', undefined)], now);
    await firewall.apply(
      Array.from({ length: 500 }, (_, index) => block(`10.0.${index >> 8}.${index & 255}`, now + 60_000)),
      now,
    );
    expect(kernel.routes.slice(routes)).toEqual(['session', 'file']);
  });

  it('holds at most ten thousand changes, and a command of it a thousand', async () => {
    const sizes = [...chunksOf(Array.from({ length: 20_001 }, (_, index) => index))].map(
      (some) => some.length,
    );
    expect(sizes).toEqual([10_000, 10_000, 1]);
    await firewall.apply(
      Array.from({ length: 2_500 }, (_, index) => ({
        ...block(`10.1.${index >> 8}.${index & 255}`, now + 60_000),
        isNew: true as const,
      })),
      now,
    );
    const commands = kernel.transactions
      .at(-1)!
      .split('; ')
      .filter((each) => each.startsWith('add element'));
    expect(commands.map((each) => each.split(', ').length)).toEqual([1_000, 1_000, 500]);
  });

  it('with a change that the kernel refuses is tried in parts, so that only this one fails', async () => {
    kernel.refuse('192.0.2.77');
    const changes = [70, 77, 79].map((last) => block(`192.0.2.${last}`, now + 60_000));
    changes.push(block('2001:db8::/64', undefined, WEB));
    expect(await firewall.apply(changes, now)).toEqual([
      APPLIED,
      { outcome: 'refused', why: 'Could not process rule: Invalid argument' },
      APPLIED,
      APPLIED,
    ]);
    expect(await listed()).toEqual([
      '192.0.2.70 any: 60',
      '192.0.2.79 any: 60',
      '2001:db8::/64 tcp 80 443: for good',
    ]);
  });
});

describe('a table that vanishes', () => {
  it('is made anew by the next change, allowed addresses included, and the outcome says so', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    expect(await firewall.isWhole()).toBe(true);
    kernel.flushRuleset();
    expect(await firewall.isWhole()).toBe(false);
    expect(await firewall.apply([block('192.0.2.8', now + 60_000), release('192.0.2.7')], now)).toEqual([
      REBUILT,
      REBUILT,
    ]);
    expect(await listed()).toEqual(['192.0.2.8 any: 60']);
    expect(kernel.transactions.at(-1)).toContain('add element inet bailiff allow4_24 { 198.51.100.0 }');
    expect(log.entries.map(({ message }) => message)).toContain(
      'sets had vanished from the kernel and were made anew',
    );
    expect(await firewall.apply([block('192.0.2.9', now + 60_000)], now)).toEqual([APPLIED]);
    // Told once.
    expect(await firewall.isWhole()).toBe(false);
    expect(await firewall.isWhole()).toBe(true);
  });

  it('is made anew when the allowed addresses change', async () => {
    kernel.flushRuleset();
    await firewall.allow([net('198.51.100.7')]);
    expect(kernel.transactions.at(-1)).toContain('add element inet bailiff allow4_32 { 198.51.100.7 }');
    // What was blocked in it is not, which nothing has told yet.
    expect(await firewall.isWhole()).toBe(false);
    expect(await firewall.apply([block('192.0.2.7', now + 60_000)], now)).toEqual([APPLIED]);
  });

  it('blocks nothing, and is no reason to release', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    kernel.flushRuleset();
    expect([...(await firewall.list())]).toEqual([]);
    const before = kernel.transactions.length;
    expect(await firewall.apply([release('192.0.2.7')], now)).toEqual([APPLIED]);
    expect(kernel.transactions.length).toBe(before);
  });
});

describe('rules that were changed by hand', () => {
  const run = (input: string) => kernel.run({ file: 'nft', args: ['-f', '-'], input, timeout: 1 });

  it('that are gone leave nothing blocked: the listing says so, and the next change brings them back', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000), block('2001:db8::/64', undefined, WEB)], now);
    await run('flush chain inet bailiff prerouting');
    expect([...(await firewall.list())]).toEqual([]);
    await firewall.apply([block('192.0.2.8', now + 60_000)], now);
    expect(await listed()).toEqual([
      '192.0.2.7 any: 60',
      '192.0.2.8 any: 60',
      '2001:db8::/64 tcp 80 443: for good',
    ]);
  });

  it('that drop ahead of allow are put in order by prepare, with their counts and without losing a ban', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    await run('flush chain inet bailiff prerouting');
    await run('add rule inet bailiff prerouting ip saddr @ban4_32_any counter packets 5 bytes 300 drop');
    await run('add rule inet bailiff prerouting ip saddr & 255.255.255.0 @allow4_24 accept');
    await firewall.prepare([net('198.51.100.0/24')]);
    expect(kernel.transactions.at(-1)).toMatch(
      /^flush chain .*; add rule .* @allow4_24 accept; add rule .* @ban4_32_any counter packets 5 bytes 300 drop; /,
    );
    expect(await listed()).toEqual(['192.0.2.7 any: 60']);
    expect(await firewall.dropped()).toEqual({ packets: 5, bytes: 300 });
  });

  it('in a chain hooked elsewhere are moved to the right one in one transaction', async () => {
    await firewall.apply([block('192.0.2.7', now + 60_000)], now);
    await run(
      'flush chain inet bailiff prerouting\ndelete chain inet bailiff prerouting\n' +
        'add chain inet bailiff prerouting { type filter hook input priority 0; policy accept; }\n' +
        'add rule inet bailiff prerouting ip saddr @ban4_32_any counter packets 5 bytes 300 drop',
    );
    expect([...(await firewall.list())]).toEqual([]);
    await firewall.prepare([]);
    expect(await listed()).toEqual(['192.0.2.7 any: 60']);
    expect(await firewall.dropped()).toEqual({ packets: 5, bytes: 300 });
  });
});

describe('a session that dies', () => {
  it.each(['before', 'after'] as const)(
    '%s a transaction costs nothing: it is sent again',
    async (moment) => {
      await firewall.apply([block('192.0.2.7', now + 60_000)], now);
      kernel.endSessionAt(moment);
      // A new set: its rule must not be there twice.
      expect(await firewall.apply([block('192.0.2.8', now + 60_000, WEB)], now)).toEqual([APPLIED]);
      expect(await listed()).toEqual(['192.0.2.7 any: 60', '192.0.2.8 tcp 80 443: 60']);
      const sent = kernel.transactions.length;
      await firewall.prepare([net('198.51.100.0/24')]);
      expect(kernel.transactions[sent]).not.toContain('rule');
      const routes = kernel.routes.length;
      await firewall.apply([release('192.0.2.7')], now);
      expect(kernel.routes.slice(routes)).toEqual(['session']);
    },
  );

  it('at every line leaves nothing undone: the work goes the other way', async () => {
    kernel.endSessionAt('always');
    expect(await firewall.apply([block('192.0.2.7', now + 60_000)], now)).toEqual([APPLIED]);
    expect(await firewall.apply([block('192.0.2.8', now + 60_000)], now)).toEqual([APPLIED]);
    expect(await listed()).toEqual(['192.0.2.7 any: 60', '192.0.2.8 any: 60']);
  });

  it('is survived by a teardown', async () => {
    kernel.endSessionAt('before');
    await firewall.teardown();
    expect(kernel.transactions.at(-1)).toBe('add table inet bailiff; delete table inet bailiff');
    expect([...(await firewall.list())]).toEqual([]);
  });
});

describe('nft', () => {
  it.each(['prepare', 'list', 'apply', 'dropped', 'teardown'] as const)(
    'that is missing or not permitted is told as such by %s',
    async (call) => {
      const calls = {
        prepare: () => firewall.prepare([]),
        list: () => firewall.list(),
        apply: () => firewall.apply([block('192.0.2.7', undefined)], now),
        dropped: () => firewall.dropped(),
        teardown: () => firewall.teardown(),
      };
      await firewall.close();
      kernel.setProgram('missing');
      await expect(calls[call]()).rejects.toMatchObject({
        code: 'E_FIREWALL_UNAVAILABLE',
        message: expect.stringContaining('install the package nftables'),
      });
      kernel.setProgram('not-permitted');
      await expect(calls[call]()).rejects.toMatchObject({
        code: 'E_FIREWALL_UNAVAILABLE',
        message: expect.stringContaining('CAP_NET_ADMIN'),
      });
      kernel.setProgram('there');
      await calls[call]();
    },
  );
});

it('nft that crashes is told as such: it says nothing itself', async () => {
  kernel.setProgram('crashing');
  await expect(firewall.list()).rejects.toMatchObject({
    code: 'E_FIREWALL_UNAVAILABLE',
    message: 'nft could not list its table: it failed without a word',
  });
});

describe('the other kinds', () => {
  it('dry-run says what it would run, and runs nothing', async () => {
    const dry = createFirewall('dry-run', {
      exec: { ...kernel, run: () => Promise.reject(new Error()) },
      clock,
      log,
    });
    await dry.prepare([net('198.51.100.0/24')]);
    await dry.apply([block('203.0.113.0/24', now + 60_000, { protocol: 'any', ports: [22] })], now);
    await dry.teardown();
    expect(log.entries).toEqual([
      {
        message: 'would run nft',
        facts: {
          statements: [
            'add table inet bailiff',
            'add chain inet bailiff prerouting { type filter hook prerouting priority -300; policy accept; }',
            'add set inet bailiff allow4_24 { type ipv4_addr; }',
            'add rule inet bailiff prerouting ip saddr & 255.255.255.0 @allow4_24 accept',
            'add element inet bailiff allow4_24 { 198.51.100.0 }',
          ],
        },
      },
      {
        message: 'would run nft',
        facts: {
          statements: [
            'add set inet bailiff ban4_24_any_22 { type ipv4_addr; flags timeout; }',
            'add rule inet bailiff prerouting ip saddr & 255.255.255.0 @ban4_24_any_22 ' +
              'meta l4proto { tcp, udp } th dport { 22 } counter packets 0 bytes 0 drop',
            'add element inet bailiff ban4_24_any_22 { 203.0.113.0 }',
            'delete element inet bailiff ban4_24_any_22 { 203.0.113.0 }',
            'add element inet bailiff ban4_24_any_22 { 203.0.113.0 timeout 90s }',
          ],
        },
      },
      {
        message: 'would run nft',
        facts: { statements: ['add table inet bailiff', 'delete table inet bailiff'] },
      },
    ]);
  });
});

needs(
  'root',
  'ip',
  'nft',
)('what is begun ahead of the first prepare', () => {
  let world: World;
  beforeEach(async () => {
    world = await onThisKernel('nftables');
  });
  afterEach(() => world.remove());

  const owned = (id: string, ...alive: string[]) => {
    const asked: string[] = [];
    const { exec } = world.ports;
    const watched: Exec = {
      ...exec,
      run(request) {
        asked.push(request.args.join(' '));
        return exec.run(request);
      },
    };
    const owner = { id, isAlive: (other: string) => alive.includes(other) };
    return { asked, firewall: createFirewall('nftables', { ...world.ports, exec: watched, owner }) };
  };
  const listings = (asked: readonly string[]): number => asked.filter((args) => args.includes('list')).length;

  it('is not done again, and the table is there for prepare to complete', async () => {
    const [plain, ahead] = [owned('1_1'), owned('2_2')];
    await plain.firewall.prepare([net('198.51.100.1')]);
    await plain.firewall.close();
    ahead.firewall.begin!();
    await ahead.firewall.prepare([net('198.51.100.1')]);
    expect(listings(ahead.asked)).toBe(listings(plain.asked));
    expect(await ahead.firewall.isWhole()).toBe(true);
    expect(await world.leftovers()).toMatch(/198\.51\.100\.1 [^]*set owner_2_2/);
    await ahead.firewall.prepare([]);
    expect(await world.leftovers()).not.toContain('198.51.100.1');
    await ahead.firewall.close();
  });

  it('says by prepare that another daemon enforces there', async () => {
    const [first, second] = [owned('1_1'), owned('2_2', '1_1')];
    first.firewall.begin!();
    await first.firewall.prepare([]);
    second.firewall.begin!();
    await expect(second.firewall.prepare([])).rejects.toMatchObject({ code: 'E_ALREADY_RUNNING' });
    await Promise.all([first, second].map(({ firewall: each }) => each.close()));
  });
});
