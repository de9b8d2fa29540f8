import { describe, expect, test } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import { answerText } from '../../src/answer.ts';
import { createBans } from '../../src/daemon/bans.ts';
import type { Bans, NewBan } from '../../src/daemon/bans.ts';
import { createEnforcer } from '../../src/daemon/enforcer.ts';
import { passBy } from '../../src/daemon/fault-points.ts';
import { BailiffError } from '../../src/errors.ts';
import type { Firewall } from '../../src/firewall/contract.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import type { Ban, Network, Scope } from '../../src/model.ts';
import { silentLog } from '../../src/ports.ts';
import type { Exec } from '../../src/ports.ts';
import { createTestClock } from './clock.ts';

const net = (text: string): Network => parseNetwork(text)!.network;
const ALL: Scope = { protocol: 'any', ports: [] };
const WEB: Scope = { protocol: 'tcp', ports: [80, 443] };
const noExec: Exec = {
  run: () => Promise.reject(new Error('no program is started here')),
  spawn: () => undefined,
  find: () => undefined,
};

function world() {
  const clock = createTestClock(1_000_000);
  const firewall = createFirewall('memory', { exec: noExec, clock, log: silentLog });
  const scopes: Record<string, Scope | undefined> = { sshd: ALL, manual: ALL, web: WEB, quiet: undefined };
  const scopeOf = (ban: Ban): Scope | undefined => scopes[ban.jail];
  const enforcerOf = (bans: Bans, through: Firewall = firewall, detectOnly = false) =>
    createEnforcer(through, bans, scopeOf, { detectOnly }, { clock, log: silentLog, at: passBy });
  return { clock, firewall, enforcerOf };
}

function wanted(over: Partial<NewBan> = {}): NewBan {
  const ban = {
    scope: ALL,
    jail: 'sshd',
    since: 1_000_000,
    until: 1_600_000,
    nth: 1,
    reason: 'why',
    by: 'jail',
    evidence: [],
  };
  return { ...ban, address: net('192.0.2.7'), ...over };
}

const blocked = async (firewall: Firewall) =>
  [...(await firewall.list())]
    .map(({ scope, network, until }) => `${network.text} ${scope.ports.join(',')} ${until ?? 'ever'}`)
    .toSorted();

describe('the kernel is a function of the open bans', () => {
  test('two jails on one address: the longest wins, and what is left of the other stays when one is lifted', async () => {
    const { firewall, enforcerOf } = world();
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans);
    await enforcer.boot([]);
    await enforcer.settle();
    const long = bans.impose(wanted({ until: 1_900_000 }), 1_000_000);
    bans.impose(wanted({ jail: 'manual', until: 1_300_000 }), 1_000_000);
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1900000']);
    bans.end(long, 1_000_500, 'admin', 'lifted');
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1300000']);
  });

  test('what somebody else takes out of it is put back by the next look, and never shown as gone meanwhile', async () => {
    const { firewall, enforcerOf } = world();
    const bans = createBans([], 1);
    const looking = Promise.withResolvers<void>();
    const ask = Promise.withResolvers<void>();
    let isSlow = false;
    const enforcer = enforcerOf(bans, {
      ...firewall,
      async list() {
        looking.resolve();
        if (isSlow) await ask.promise;
        return firewall.list();
      },
    });
    await enforcer.boot([]);
    const ban = bans.impose(wanted(), 1_000_000);
    await enforcer.sync();
    await firewall.teardown();
    // What is in the kernel at the start may be wanted by lines that are still to be read.
    await enforcer.audit();
    expect(await blocked(firewall)).toEqual([]);
    await enforcer.settle();
    isSlow = true;
    const audit = enforcer.audit();
    await looking.promise;
    expect(enforcer.standingOf(ban)).toEqual({ state: 'blocked' });
    ask.resolve();
    await audit;
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000']);
    await enforcer.standDown();
    await enforcer.audit();
    expect(await blocked(firewall)).toEqual([]);
  });

  test('answers that differ have blocks of their own, the longest of each; what is over leaves the others', async () => {
    const { clock, firewall } = world();
    const bans = createBans([], 1);
    const slow = { ...ALL, answer: { do: 'throttle', rate: { packets: 10, per: 'minute' } } } as const;
    const scopeOf = (ban: Ban) => (ban.jail === 'slow' || ban.jail === 'slower' ? slow : ALL);
    const ports = { clock, log: silentLog, at: passBy };
    const enforcer = createEnforcer(firewall, bans, scopeOf, { detectOnly: false }, ports);
    await enforcer.boot([]);
    await enforcer.settle();
    bans.impose(wanted({ jail: 'slow', until: 1_300_000 }), 1_000_000);
    const slower = bans.impose(wanted({ jail: 'slower', until: 1_900_000 }), 1_000_000);
    const shut = bans.impose(wanted({ until: 1_600_000 }), 1_000_000);
    await enforcer.sync();
    const held = async () =>
      [...(await firewall.list())]
        .map(({ scope, until }) => `${answerText(scope.answer)} ${until}`)
        .toSorted();
    expect(await held()).toEqual(['drop 1600000', 'throttle 10/1m 1900000']);
    expect([slower, shut].map((ban) => enforcer.standingOf(ban).state)).toEqual(['blocked', 'blocked']);
    bans.end(shut, 1_000_500, 'admin', 'lifted');
    await enforcer.sync();
    expect(await held()).toEqual(['throttle 10/1m 1900000']);
    bans.end(slower, 1_000_500, 'admin', 'lifted');
    await enforcer.sync();
    expect(await held()).toEqual(['throttle 10/1m 1300000']);
  });

  test('jails with other ports have blocks of their own; a jail that only detects has none', async () => {
    const { firewall, enforcerOf } = world();
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans);
    await enforcer.boot([]);
    bans.impose(wanted(), 1_000_000);
    bans.impose(wanted({ jail: 'web', until: undefined }), 1_000_000);
    bans.impose(wanted({ jail: 'quiet', address: net('192.0.2.8') }), 1_000_000);
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000', '192.0.2.7 80,443 ever']);
  });

  test('boot puts in what is missing at once, and takes out what is no longer wanted only once the backlog is read', async () => {
    const { firewall, enforcerOf } = world();
    await firewall.apply(
      [{ what: 'block', scope: ALL, network: net('203.0.113.1'), until: undefined }],
      1_000_000,
    );
    const source = createBans([], 1);
    const bans = createBans([source.impose(wanted(), 1_000_000)], 2);
    const enforcer = enforcerOf(bans);
    await enforcer.boot([]);
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000', '203.0.113.1  ever']);
    await enforcer.settle();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000']);
  });

  test('an allow list that changes while the table is being laid comes into force as well', async () => {
    const { firewall, enforcerOf } = world();
    const laid: string[][] = [];
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const lay = (networks: readonly Network[]): void => void laid.push(networks.map(({ text }) => text));
    const slow: Firewall = {
      ...firewall,
      async prepare(networks) {
        await goOn;
        lay(networks);
      },
      async allow(networks) {
        lay(networks);
      },
    };
    const enforcer = enforcerOf(createBans([], 1), slow);
    const booting = enforcer.boot([net('192.0.2.1')]);
    // The table is on its way with the list of before.
    await new Promise((done) => setImmediate(done));
    const allowing = enforcer.allow([net('192.0.2.2')]);
    resolve();
    await Promise.all([booting, allowing]);
    expect(laid).toEqual([['192.0.2.1'], ['192.0.2.2']]);
  });

  test('a ban is pending until the kernel has it', async () => {
    const { enforcerOf } = world();
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans);
    await enforcer.boot([]);
    const ban = bans.impose(wanted(), 1_000_000);
    expect(enforcer.standingOf(ban)).toEqual({ state: 'pending' });
    await enforcer.sync();
    expect(enforcer.standingOf(ban)).toEqual({ state: 'blocked' });
  });

  test('while the firewall is out of reach bans stay pending, and go in by themselves once it answers', async () => {
    const { clock, firewall, enforcerOf } = world();
    let isUp = false;
    const shaky: Firewall = {
      ...firewall,
      prepare: (allow) =>
        isUp
          ? firewall.prepare(allow)
          : Promise.reject(new BailiffError('E_FIREWALL_UNAVAILABLE', 'nft is missing.')),
    };
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans, shaky);
    await enforcer.boot([]);
    expect(enforcer.fault).toBe('nft is missing.');
    const ban = bans.impose(wanted(), 1_000_000);
    await enforcer.sync();
    expect(enforcer.standingOf(ban).state).toBe('pending');
    isUp = true;
    clock.advance(60_000);
    await enforcer.sync();
    expect(enforcer.fault).toBeUndefined();
    expect(enforcer.standingOf(ban).state).toBe('blocked');
  });

  test('a change that the kernel refuses makes that ban unenforceable, with the reason, and sinks no other', async () => {
    const { firewall, enforcerOf } = world();
    const picky: Firewall = {
      ...firewall,
      async apply(changes, now) {
        const outcomes = await firewall.apply(
          changes.filter((change) => change.network.text !== '192.0.2.7'),
          now,
        );
        return changes.map((change) =>
          change.network.text === '192.0.2.7'
            ? { outcome: 'refused', why: 'the set is full' }
            : outcomes.shift()!,
        );
      },
    };
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans, picky);
    await enforcer.boot([]);
    const refused = bans.impose(wanted(), 1_000_000);
    const fine = bans.impose(wanted({ address: net('192.0.2.8') }), 1_000_000);
    await enforcer.sync();
    expect(enforcer.standingOf(refused)).toEqual({ state: 'unenforceable', why: 'the set is full' });
    expect(enforcer.standingOf(fine)).toEqual({ state: 'blocked' });
  });

  test('standing down empties the kernel and lets no ban in; arming puts them all back', async () => {
    const { firewall, enforcerOf } = world();
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans);
    await enforcer.boot([]);
    bans.impose(wanted(), 1_000_000);
    await enforcer.standDown();
    bans.impose(wanted({ address: net('192.0.2.8') }), 1_000_000);
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual([]);
    await enforcer.arm();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000', '192.0.2.8  1600000']);
  });

  test('when the sets vanished under an apply, every other ban is put back as well', async () => {
    const { firewall, enforcerOf } = world();
    let vanish = false;
    const flushed: Firewall = {
      ...firewall,
      async apply(changes, now) {
        if (!vanish) return firewall.apply(changes, now);
        vanish = false;
        await firewall.teardown();
        await firewall.apply(changes, now);
        return changes.map(() => ({ outcome: 'applied', rebuilt: true }));
      },
    };
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans, flushed);
    await enforcer.boot([]);
    bans.impose(wanted(), 1_000_000);
    await enforcer.sync();
    vanish = true;
    bans.impose(wanted({ address: net('192.0.2.8') }), 1_000_000);
    await enforcer.sync();
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000', '192.0.2.8  1600000']);
  });

  test('what somebody else took out of the kernel is put back at the next look, and not while it stands down', async () => {
    const { firewall, enforcerOf } = world();
    const bans = createBans([], 1);
    let isWhole = true;
    const enforcer = enforcerOf(bans, { ...firewall, isWhole: async () => isWhole });
    await enforcer.boot([]);
    bans.impose(wanted(), 1_000_000);
    await enforcer.sync();

    await firewall.teardown();
    await enforcer.mend();
    expect(await blocked(firewall)).toEqual([]);
    isWhole = false;
    await enforcer.mend();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000']);

    await enforcer.standDown();
    await enforcer.mend();
    expect(await blocked(firewall)).toEqual([]);
  });

  test('what was lifted by hand goes out at once, also while a backlog is read', async () => {
    const { firewall, enforcerOf } = world();
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans);
    await enforcer.boot([]);
    const ban = bans.impose(wanted(), 1_000_000);
    await enforcer.sync();
    bans.end(ban, 1_000_100, 'admin', 'lifted');
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual([]);
  });

  test('where it only detects, nothing new goes in, and what an earlier run left can be lifted', async () => {
    const { firewall, enforcerOf } = world();
    const earlier = createBans([], 1).impose(wanted(), 1_000_000);
    await firewall.apply(
      [{ what: 'block', scope: ALL, network: earlier.address, until: earlier.until }],
      1_000_000,
    );
    const bans = createBans([earlier], 2);
    const enforcer = enforcerOf(bans, firewall, true);
    await enforcer.boot([]);
    bans.impose(wanted({ address: net('192.0.2.8') }), 1_000_000);
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual(['192.0.2.7  1600000']);
    expect(enforcer.standingOf(earlier).state).toBe('blocked');
    bans.end(earlier, 1_000_100, 'admin', 'lifted');
    await enforcer.sync();
    expect(await blocked(firewall)).toEqual([]);
  });

  test('what the kernel refused is tried again, and status says so meanwhile', async () => {
    const { clock, firewall, enforcerOf } = world();
    let isShort = true;
    const short: Firewall = {
      ...firewall,
      apply: (changes, now) =>
        isShort
          ? Promise.resolve(changes.map(() => ({ outcome: 'refused', why: 'Cannot allocate memory' })))
          : firewall.apply(changes, now),
    };
    const bans = createBans([], 1);
    const enforcer = enforcerOf(bans, short);
    await enforcer.boot([]);
    const ban = bans.impose(wanted(), 1_000_000);
    await enforcer.sync();
    expect(enforcer.refusal).toMatch(/Cannot allocate memory/);
    isShort = false;
    clock.advance(2_000);
    await enforcer.sync();
    expect(enforcer.standingOf(ban)).toEqual({ state: 'blocked' });
    expect(enforcer.refusal).toBeUndefined();
  });
});

test('bans by the hundred are a flood, and it is one for some seconds after the last of them', async () => {
  const { clock, enforcerOf } = world();
  const bans = createBans([], 1);
  const enforcer = enforcerOf(bans);
  await enforcer.boot([]);
  bans.impose(wanted(), 1_000_000);
  await enforcer.sync();
  expect(enforcer.isFlooded).toBe(false);
  for (let i = 0; i < 12_000; i++)
    bans.impose(wanted({ address: net(`10.0.${i >> 8}.${i & 255}`) }), 1_000_000);
  expect(enforcer.isFlooded).toBe(true);
  await enforcer.sync();
  expect([enforcer.heldCount, enforcer.isFlooded]).toEqual([12_001, true]);
  clock.advance(10_000);
  expect(enforcer.isFlooded).toBe(false);
});

test('in a flood the next hundreds wait a moment, unless no more come: a burst is in the kernel as soon as it is read', async () => {
  const { clock, firewall, enforcerOf } = world();
  const bans = createBans([], 1);
  const slow: Firewall = {
    ...firewall,
    async apply(changes, now) {
      clock.advance(10);
      return firewall.apply(changes, now);
    },
  };
  const enforcer = enforcerOf(bans, slow);
  await enforcer.boot([]);
  let last = 0;
  const impose = (): void => {
    for (let n = 0; n < 200; n++, last++)
      bans.impose(wanted({ address: net(`10.0.${last >> 8}.${last & 255}`) }), 1_000_000);
  };
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let batch = 0; batch < 3; batch++) {
    impose();
    await enforcer.sync(true);
  }
  expect(enforcer.heldCount).toBe(600);
  impose();
  const told = enforcer.sync();
  await turns();
  expect(enforcer.heldCount).toBe(600);
  clock.advance(10);
  await told;
  expect(enforcer.heldCount).toBe(800);
  impose();
  const waiting = enforcer.sync();
  await turns();
  expect(enforcer.heldCount).toBe(800);
  await Promise.all([waiting, enforcer.sync(true)]);
  expect(enforcer.heldCount).toBe(1_000);
});

test('hundreds of bans that are put back are no flood of new ones: the next flush is to be heard', async () => {
  const { clock, firewall, enforcerOf } = world();
  const bans = createBans([], 1);
  let isWhole = true;
  const enforcer = enforcerOf(bans, { ...firewall, isWhole: async () => isWhole });
  await enforcer.boot([]);
  for (let n = 0; n < 500; n++)
    bans.impose(wanted({ address: net(`198.51.${100 + (n >> 8)}.${n & 255}`) }), 1_000_000);
  await enforcer.sync();
  expect(enforcer.isSwamped).toBe(true);
  clock.advance(10_000);
  expect(enforcer.isSwamped).toBe(false);
  await firewall.teardown();
  isWhole = false;
  expect(await enforcer.mend()).toBe(true);
  expect(await blocked(firewall)).toHaveLength(500);
  expect([enforcer.isFlooded, enforcer.isSwamped]).toEqual([true, false]);
});

test("what a start can't put in together it puts in one by one, and what is refused is said of the one alone", async () => {
  const { firewall, enforcerOf } = world();
  const told: number[] = [];
  const picky: Firewall = {
    ...firewall,
    fill(now) {
      const { add, tell } = firewall.fill(now);
      let count = 0;
      let isBad = false;
      return {
        add(block) {
          count++;
          isBad ||= block.network.text === '10.0.0.7';
          add(block);
        },
        async tell() {
          told.push(count);
          return isBad ? { outcome: 'refused', why: 'the set is full' } : tell();
        },
      };
    },
    apply: async (changes, now) =>
      (await firewall.apply(changes, now)).map((outcome, index) =>
        changes[index]!.network.text === '10.0.0.7'
          ? { outcome: 'refused', why: 'the set is full' }
          : outcome,
      ),
  };
  const source = createBans([], 1);
  const all = Array.from({ length: 17_000 }, (_, n) =>
    source.impose(wanted({ address: net(`10.0.${n >> 8}.${n & 255}`) }), 1_000_000),
  );
  const bans = createBans(
    [...all, source.impose(wanted({ address: all[3]!.address, jail: 'web' }), 1_000_000)],
    17_002,
  );
  const enforcer = enforcerOf(bans, picky);
  const boot = enforcer.boot([]);
  expect([enforcer.heldCount, enforcer.standingOf(all[8]!).state]).toEqual([0, 'pending']);
  await boot;
  expect(told).toHaveLength(3);
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(17_001);
  expect(enforcer.heldCount).toBe(16_999);
  expect(all.filter((ban) => enforcer.standingOf(ban).state !== 'blocked')).toEqual([all[7]]);
  expect(enforcer.standingOf(all[7]!)).toEqual({ state: 'unenforceable', why: 'the set is full' });
  expect([...(await firewall.list())].length).toBeGreaterThanOrEqual(17_000);
});

test('where the firewall fails in the middle of a start nothing counts as blocked, and the next try puts all in', async () => {
  const { firewall, enforcerOf, clock } = world();
  let tries = 0;
  const shaky: Firewall = {
    ...firewall,
    fill(now) {
      const { add, tell } = firewall.fill(now);
      const fail = () => Promise.reject(new BailiffError('E_FIREWALL_UNAVAILABLE', 'no answer'));
      return { add, tell: () => (++tries === 2 ? fail() : tell()) };
    },
  };
  const source = createBans([], 1);
  const all = Array.from({ length: 6_000 }, (_, n) =>
    source.impose(wanted({ address: net(`10.0.${n >> 8}.${n & 255}`) }), 1_000_000),
  );
  const enforcer = enforcerOf(createBans(all, 6_001), shaky);
  await enforcer.boot([]);
  expect(enforcer.fault).toBe('no answer');
  expect(enforcer.heldCount).toBe(5_000);
  clock.advance(60_000);
  await enforcer.sync();
  expect([enforcer.fault, enforcer.heldCount]).toEqual([undefined, 6_000]);
  expect([...(await firewall.list())]).toHaveLength(6_000);
});

test('what changes while twelve thousand blocks are compared with a listing is in the kernel at the end', async () => {
  const { firewall, enforcerOf } = world();
  const bans = createBans([], 1);
  const enforcer = enforcerOf(bans);
  await enforcer.boot([]);
  await enforcer.settle();
  const passed = Array.from({ length: 12_000 }, (_, i) =>
    bans.impose(wanted({ address: net(`10.0.${i >> 8}.${i & 255}`) }), 1_000_000),
  );
  await enforcer.sync();
  const taken = passed.filter((_, i) => i % 1_000 === 7);
  const release = taken.map(({ address: network }) => ({ what: 'release', scope: ALL, network }) as const);
  await firewall.apply(release, 1_000_000);
  const audit = enforcer.audit();
  await new Promise((resolve) => setImmediate(resolve));
  const [lifted] = passed;
  bans.end(lifted!, 1_000_500, 'admin', 'lifted');
  const late = bans.impose(wanted({ address: net('192.0.2.99') }), 1_000_500);
  expect(await audit).toBe(12);
  await enforcer.sync();
  const texts = new Set([...(await firewall.list())].map(({ network }) => network.text));
  expect([texts.size, texts.has(lifted!.address.text), texts.has(late.address.text)]).toEqual([
    12_000,
    false,
    true,
  ]);
  expect(taken.every(({ address }) => texts.has(address.text))).toBe(true);
});
