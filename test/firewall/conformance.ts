// What every firewall must do. One suite, run on each back end and on the real kernel.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import { answerText } from '../../src/answer.ts';
import type { Change, Firewall, FirewallPorts } from '../../src/firewall/index.ts';
import type { Block, Instant, Network, Scope } from '../../src/model.ts';

export interface World {
  readonly kind: Firewall['kind'];
  readonly ports: FirewallPorts;
  /** What is left of Bailiff on the host, for a back end that touches it. */
  leftovers(): Promise<string>;
  remove(): Promise<void>;
}

export const EVERYTHING: Scope = { protocol: 'any', ports: [] };
export const WEB: Scope = { protocol: 'tcp', ports: [80, 443] };

export const REJECT: Scope = { ...EVERYTHING, answer: { do: 'reject' } };
export const SLOW: Scope = {
  ...EVERYTHING,
  answer: { do: 'throttle', rate: { packets: 10, per: 'minute' } },
};

export function net(text: string): Network {
  return parseNetwork(text)!.network;
}

export function block(
  text: string,
  until: Instant | undefined,
  scope = EVERYTHING,
): Extract<Change, { what: 'block' }> {
  return { what: 'block', scope, network: net(text), until };
}

export function release(text: string, scope = EVERYTHING): Change {
  return { what: 'release', scope, network: net(text) };
}

/** `192.0.2.7 any: 60` (seconds left, rounded), sorted: a listing that can be compared. */
export function summary(blocks: Iterable<Block>, now: Instant): string[] {
  return [...blocks]
    .map(({ scope: { protocol, ports, answer }, network, until }) => {
      const left = until === undefined ? 'for good' : String(Math.round((until - now) / 10_000) * 10);
      const how = answer ? [answerText(answer)] : [];
      return `${network.text} ${[protocol, ...ports, ...how].join(' ')}: ${left}`;
    })
    .toSorted();
}

/** @param create makes the firewall under test for a world. */
export function describeConformance(
  name: string,
  makeWorld: () => Promise<World>,
  create: (world: World) => Firewall,
): void {
  describe(`${name} as a firewall`, () => {
    let world: World;
    let firewall: Firewall;
    let now: Instant;

    beforeEach(async () => {
      world = await makeWorld();
      firewall = create(world);
      now = world.ports.clock.now();
    });
    afterEach(async () => {
      await firewall.close();
      await world.remove();
    });

    const listed = async (): Promise<string[]> => summary(await firewall.list(), world.ports.clock.now());

    it('blocks nothing before it is told to', async () => {
      expect([...(await firewall.list())]).toEqual([]);
      await firewall.prepare([net('198.51.100.0/24')]);
      expect([...(await firewall.list())]).toEqual([]);
      expect(await firewall.dropped()).toEqual({ packets: 0, bytes: 0 });
    });

    it('lists what it blocks: each family, prefix length and scope, with its end', async () => {
      await firewall.prepare([]);
      const changes = [
        block('192.0.2.7', now + 600_000),
        block('192.0.2.8', undefined),
        block('192.0.2.9', now + 600_000, WEB),
        block('192.0.2.9', now + 60_000),
        block('203.0.113.0/24', now + 3_600_000, { protocol: 'any', ports: [22] }),
        block('203.0.112.0/21', now + 3_600_000, { protocol: 'udp', ports: [] }),
        block('2001:db8:1:2::/64', now + 600_000),
        block('2001:db8::7', now + 600_000, { protocol: 'udp', ports: [53] }),
        block('2001:db8::fffe:0:0', undefined),
      ];
      expect(await firewall.apply(changes, now)).toEqual(changes.map(() => ({ outcome: 'applied' })));
      expect(await listed()).toEqual([
        '192.0.2.7 any: 600',
        '192.0.2.8 any: for good',
        '192.0.2.9 any: 60',
        '192.0.2.9 tcp 80 443: 600',
        '2001:db8:1:2::/64 any: 600',
        '2001:db8::7 udp 53: 600',
        '2001:db8::fffe:0:0 any: for good',
        '203.0.112.0/21 udp: 3600',
        '203.0.113.0/24 any 22: 3600',
      ]);
    });

    it('lists the answers of what it blocks, and changes one without the others', async () => {
      await firewall.prepare([]);
      const ports = Array.from({ length: 40 }, (_, index) => 30_000 + index);
      const changes = [
        block('192.0.2.7', now + 600_000, SLOW),
        block('192.0.2.7', now + 60_000, REJECT),
        block('192.0.2.7', now + 3_600_000),
        block('192.0.2.7', undefined, {
          ...SLOW,
          answer: { do: 'throttle', rate: { packets: 9_999, per: 'second' } },
        }),
        block('192.0.2.0/24', now + 600_000, {
          ...WEB,
          answer: { do: 'throttle', rate: { packets: 1, per: 'day' } },
        }),
        block('2001:db8:1:2::/64', now + 600_000, { ...REJECT, protocol: 'udp', ports }),
        block('2001:db8::7', now + 600_000, { ...SLOW, ports }),
        block('2001:db8::7', undefined, SLOW),
      ];
      expect(await firewall.apply(changes, now)).toEqual(changes.map(() => ({ outcome: 'applied' })));
      const many = ports.join(' ');
      const expected = [
        '192.0.2.0/24 tcp 80 443 throttle 1/1d: 600',
        '192.0.2.7 any reject: 60',
        '192.0.2.7 any throttle 10/1m: 600',
        '192.0.2.7 any throttle 9999/1s: for good',
        '192.0.2.7 any: 3600',
        `2001:db8:1:2::/64 udp ${many} reject: 600`,
        `2001:db8::7 any ${many} throttle 10/1m: 600`,
        '2001:db8::7 any throttle 10/1m: for good',
      ];
      expect(await listed()).toEqual(expected);
      expect(await firewall.isWhole()).toBe(true);
      await firewall.apply([release('192.0.2.7', SLOW), block('192.0.2.7', now + 600_000, REJECT)], now);
      const after = [
        '192.0.2.7 any reject: 600',
        ...expected.filter((each) => !/any (?:throttle 10|reject)/.test(each) || each.startsWith('2001')),
      ];
      expect(await listed()).toEqual(after.toSorted());
      await firewall.prepare([net('198.51.100.0/24')]);
      expect(await listed()).toEqual(after.toSorted());
      await firewall.teardown();
      expect(await world.leftovers()).toBe('');
    });

    it('sets the end anew when a block is there already: later, earlier, none and one again', async () => {
      await firewall.prepare([]);
      const listedAfter = async (until: Instant | undefined): Promise<string[]> => {
        await firewall.apply([block('192.0.2.7', until)], now);
        return listed();
      };
      expect(await listedAfter(now + 600_000)).toEqual(['192.0.2.7 any: 600']);
      expect(await listedAfter(now + 3_600_000)).toEqual(['192.0.2.7 any: 3600']);
      expect(await listedAfter(now + 60_000)).toEqual(['192.0.2.7 any: 60']);
      expect(await listedAfter(undefined)).toEqual(['192.0.2.7 any: for good']);
      expect(await listedAfter(now + 120_000)).toEqual(['192.0.2.7 any: 120']);
    });

    it('keeps a sentence of a hundred years, and of more than a kernel can count', async () => {
      await firewall.prepare([]);
      const year = 365 * 86_400_000;
      const changes = [block('192.0.2.7', now + 100 * year), block('192.0.2.8', now + 1_000 * year)];
      expect(await firewall.apply(changes, now)).toEqual([{ outcome: 'applied' }, { outcome: 'applied' }]);
      const blocks = [...(await firewall.list())];
      expect(blocks).toHaveLength(2);
      for (const { until } of blocks) expect(until).toBeGreaterThan(now + 99 * year);
    });

    it('takes a block whose end has passed for a release', async () => {
      await firewall.prepare([]);
      await firewall.apply([block('192.0.2.7', now + 60_000), block('192.0.2.8', now + 60_000)], now);
      await firewall.apply([block('192.0.2.7', now), block('192.0.2.9', now - 1)], now);
      expect(await listed()).toEqual(['192.0.2.8 any: 60']);
    });

    it('releases in the scope that is named, and does not mind when there is nothing to release', async () => {
      await firewall.prepare([]);
      await firewall.apply([block('192.0.2.7', now + 60_000), block('192.0.2.7', now + 60_000, WEB)], now);
      const outcomes = await firewall.apply([release('192.0.2.7', WEB), release('192.0.2.99')], now);
      expect(outcomes).toEqual([{ outcome: 'applied' }, { outcome: 'applied' }]);
      expect(await listed()).toEqual(['192.0.2.7 any: 60']);
      await firewall.apply(
        [release('192.0.2.7'), release('192.0.2.7', { protocol: 'udp', ports: [1] })],
        now,
      );
      expect([...(await firewall.list())]).toEqual([]);
    });

    it('takes the last of several changes to one address', async () => {
      await firewall.prepare([]);
      await firewall.apply(
        [
          block('192.0.2.7', now + 60_000),
          release('192.0.2.7'),
          release('192.0.2.8'),
          block('192.0.2.8', now + 600_000),
          block('192.0.2.8', now + 60_000),
        ],
        now,
      );
      expect(await listed()).toEqual(['192.0.2.8 any: 60']);
    });

    it('tells scopes apart that differ in one of very many ports', async () => {
      await firewall.prepare([]);
      const many = Array.from({ length: 300 }, (_, index) => 1_000 + 2 * index);
      const scopes: Scope[] = [many, [...many, 9_999]].map((ports) => ({ protocol: 'any', ports }));
      const changes = scopes.map((scope) => block('192.0.2.7', undefined, scope));
      expect(await firewall.apply(changes, now)).toEqual([{ outcome: 'applied' }, { outcome: 'applied' }]);
      expect([...(await firewall.list())].map(({ scope }) => scope)).toEqual(scopes);
      await firewall.apply([release('192.0.2.7', scopes[0])], now);
      expect([...(await firewall.list())].map(({ scope }) => scope)).toEqual([scopes[1]]);
    });

    it('keeps its bans when it is prepared again, and when the allowed addresses change', async () => {
      await firewall.prepare([net('198.51.100.0/24')]);
      await firewall.apply([block('192.0.2.7', now + 600_000), block('2001:db8::/64', undefined, WEB)], now);
      const before = await listed();
      await firewall.prepare([net('198.51.100.0/25'), net('198.51.100.0/24'), net('2001:db8:a::/48')]);
      await firewall.allow([net('198.51.100.7'), net('10.0.0.0/8'), net('10.1.0.0/16')]);
      await firewall.allow([]);
      await firewall.prepare([]);
      expect(await listed()).toEqual(before);
      expect(before).toHaveLength(2);
    });

    it('takes 10 000 blocks in one call and lists them all', { timeout: 60_000 }, async () => {
      await firewall.prepare([]);
      const changes = Array.from({ length: 10_000 }, (_, index) =>
        index % 2 === 0
          ? block(`10.0.${index >> 8}.${index & 255}`, now + 600_000)
          : block(`2001:db8:${index.toString(16)}::/64`, now + 600_000, WEB),
      );
      const outcomes = await firewall.apply(changes, now);
      expect(outcomes).toHaveLength(10_000);
      expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['applied']));
      const texts = [...(await firewall.list())].map(({ network }) => network.text);
      expect(texts.toSorted()).toEqual(changes.map(({ network }) => network.text).toSorted());
      await firewall.apply(
        changes.slice(1).map(({ scope, network }) => ({ what: 'release', scope, network })),
        now,
      );
      expect([...(await firewall.list())]).toHaveLength(1);
    });

    it('is filled at once with whatever is to be blocked, and leaves out what is over', async () => {
      await firewall.prepare([net('198.51.100.0/24')]);
      const many = Array.from({ length: 2_300 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
      const blocks = [
        ...many.map((text) => block(text, now + 600_000)),
        block('192.0.2.7', undefined),
        block('192.0.2.7', now + 60_000, WEB),
        block('192.0.2.7', now + 60_000, REJECT),
        block('2001:db8:1:2::/64', now + 600_000),
        block('192.0.2.8', now - 1),
      ];
      const filling = firewall.fill(now);
      for (const { scope, network, until } of blocks) filling.add({ scope, network, until });
      expect(await filling.tell()).toEqual({ outcome: 'applied' });
      expect(await listed()).toEqual(
        [
          ...many.map((text) => `${text} any: 600`),
          '192.0.2.7 any reject: 60',
          '192.0.2.7 any: for good',
          '192.0.2.7 tcp 80 443: 60',
          '2001:db8:1:2::/64 any: 600',
        ].toSorted(),
      );
      expect(await firewall.isWhole()).toBe(true);
    });

    it('is whole as long as nobody else has had his hands in it, whatever is blocked and released', async () => {
      await firewall.prepare([net('198.51.100.0/24'), net('2001:db8:1::1')]);
      expect(await firewall.isWhole()).toBe(true);
      await firewall.apply([block('192.0.2.7', now + 60_000), block('2001:db8::/64', undefined, WEB)], now);
      expect(await firewall.isWhole()).toBe(true);
      await firewall.allow([]);
      await firewall.apply([release('192.0.2.7')], now);
      expect(await firewall.isWhole()).toBe(true);
    });

    it('answers in the order of the calls when several are under way', async () => {
      await firewall.prepare([]);
      const [, , blocks, , after] = await Promise.all([
        firewall.apply([block('192.0.2.7', now + 60_000)], now),
        firewall.allow([net('198.51.100.1')]),
        firewall.list(),
        firewall.apply([release('192.0.2.7')], now),
        firewall.list(),
      ]);
      expect(summary(blocks, now)).toEqual(['192.0.2.7 any: 60']);
      expect([...after]).toEqual([]);
    });

    it('leaves no trace when it is torn down, twice too, and can be prepared again', async () => {
      await firewall.teardown();
      await firewall.prepare([net('198.51.100.0/24')]);
      await firewall.apply([block('192.0.2.7', undefined), block('2001:db8::/64', undefined, WEB)], now);
      await firewall.teardown();
      expect([...(await firewall.list())]).toEqual([]);
      expect(await world.leftovers()).toBe('');
      await firewall.teardown();
      expect(await world.leftovers()).toBe('');
      await firewall.prepare([]);
      expect(await firewall.apply([block('192.0.2.8', now + 60_000)], now)).toEqual([{ outcome: 'applied' }]);
      expect(await listed()).toEqual(['192.0.2.8 any: 60']);
    });
  });
}
