import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, T0, jailWith, match, net, offend, outcomes } from './support.ts';

const A = '192.0.2.7';
const bounded = (offenders: number) => ({ bounds: () => ({ offenders, evidence: Infinity }) });
const address = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;

describe('what is to be written', () => {
  it('is each changed offender once, as he is when it is taken', () => {
    const jail = jailWith();
    outcomes(jail, A, [0, 1]);
    outcomes(jail, '192.0.2.8', [0]);
    expect(jail.dirty).toBe(2);
    expect(jail.takeDirty().map(({ address, stamps }) => [address.text, stamps.length])).toEqual([
      [A, 2],
      ['192.0.2.8', 1],
    ]);
    expect([jail.dirty, jail.takeDirty()]).toEqual([0, []]);
  });

  it('stays to be written after a commit that failed, with what has happened since', () => {
    const jail = jailWith();
    outcomes(jail, A, [0]);
    const taken = jail.takeDirty();
    outcomes(jail, A, [1]);
    jail.restore(taken);
    expect(jail.takeDirty().map(({ stamps }) => stamps.length)).toEqual([2]);
  });

  it('goes on after a restart as if there had been none', () => {
    const jail = jailWith();
    offend(jail, A, T0);
    jail.forgive(net(A), T0 + 5);
    outcomes(jail, A, [10, 20, 10]);
    const taken = jail.takeDirty();
    const again = jailWith({ remembered: taken });
    expect(again.offender(net(A))).toEqual(jail.offender(net(A)));
    expect(again.decide(match(A, T0 + 30))).toEqual(jail.decide(match(A, T0 + 30)));
    expect(again.decide(match(A, T0 + 31))).toEqual(jail.decide(match(A, T0 + 31)));
    expect(again.takeDirty()).toEqual(jail.takeDirty());
  });

  it('takes only its own offenders', () => {
    const [foreign] = ((other) => (outcomes(other, A, [0]), other.takeDirty()))(
      jailWith({ rules: { name: 'other' } }),
    );
    expect(jailWith({ remembered: [foreign!] }).size).toBe(0);
  });
});

describe('too many offenders', () => {
  it('lets the least missed go: never a banned one, and nobody who is near a ban', () => {
    const jail = jailWith({ options: bounded(10) });
    offend(jail, A, T0);
    outcomes(jail, '192.0.2.8', [0, 1, 2, 3]);
    for (let i = 0; i < 100; i++) jail.decide(match(address(i), T0 + MINUTE));
    expect(jail.size).toBe(10);
    expect(jail.stats.evicted).toBe(92);
    expect(jail.decide(match(A, T0 + MINUTE)).outcome).toBe('recorded');
    expect(jail.decide(match('192.0.2.8', T0 + MINUTE)).outcome).toBe('ban');
  });

  it('keeps the one who has just come', () => {
    const jail = jailWith({ options: bounded(10) });
    for (let i = 0; i < 30; i++) outcomes(jail, address(i), [0, 1, 2]);
    expect(outcomes(jail, address(99), [3, 4, 5, 6, 7]).at(-1)).toBe('ban');
  });

  it('holds more than the limit where all are banned', () => {
    const jail = jailWith({ options: bounded(10) });
    for (let i = 0; i < 12; i++) offend(jail, address(i), T0);
    expect([jail.size, jail.stats.evicted]).toEqual([12, 0]);
  });

  it('names who is to be deleted, except who has come back', () => {
    const jail = jailWith({ options: bounded(2) });
    for (const text of [A, '192.0.2.8', '192.0.2.9', A]) outcomes(jail, text, [0]);
    const forgotten = jail.takeForgotten().map((network) => network.text);
    const written = jail.takeDirty().map((offender) => offender.address.text);
    expect(forgotten).toHaveLength(1);
    expect(written).toHaveLength(2);
    expect([...forgotten, ...written].toSorted()).toEqual([A, '192.0.2.8', '192.0.2.9']);
    expect(jail.takeForgotten()).toEqual([]);
  });

  it('an evicted one who could not be written is not written later', () => {
    const jail = jailWith({ options: bounded(1) });
    outcomes(jail, A, [0]);
    const taken = jail.takeDirty();
    outcomes(jail, '192.0.2.8', [0]);
    jail.restore(taken);
    expect(jail.takeDirty().map((offender) => offender.address.text)).toEqual(['192.0.2.8']);
  });
});

describe('prune', () => {
  const prune = (jail: ReturnType<typeof jailWith>, now: number): string[] =>
    jail.prune(now).map(({ text }) => text);

  it('forgets who was idle for findTime, told by arrival', () => {
    const jail = jailWith();
    outcomes(jail, A, [0]);
    expect(prune(jail, T0 + MINUTE)).toEqual([]);
    expect(prune(jail, T0 + 11 * MINUTE)).toEqual([]);
    expect(prune(jail, T0 + 11 * MINUTE + 1)).toEqual([A]);
    expect([jail.size, jail.dirty]).toEqual([0, 0]);
  });

  it('keeps whoever still arrives, although his stamps lag behind the clock by hours', () => {
    const jail = jailWith();
    for (let i = 0; i < 4; i++) {
      jail.decide(match(A, T0 + i * MINUTE));
      expect(prune(jail, T0 + 5 * HOUR + i * MINUTE)).toEqual([]);
    }
    expect(jail.decide(match(A, T0 + 4 * MINUTE)).outcome).toBe('ban');
  });

  it('keeps whoever comes back between two prunes', () => {
    const jail = jailWith();
    outcomes(jail, A, [0]);
    prune(jail, T0);
    outcomes(jail, A, [1]);
    expect(prune(jail, T0 + HOUR)).toEqual([]);
    expect(prune(jail, T0 + 2 * HOUR)).toEqual([A]);
  });

  it('keeps a sentence until forget has passed since its end, one for good always', () => {
    const jail = jailWith();
    offend(jail, A, T0);
    jail.convict(net('192.0.2.8'), T0, Infinity);
    const end = T0 + 10 * MINUTE;
    prune(jail, T0);
    expect(prune(jail, end + 30 * DAY)).toEqual([]);
    expect(prune(jail, end + 30 * DAY + 1)).toEqual([A]);
    expect(prune(jail, end + 900 * DAY)).toEqual([]);
  });

  it('keeps a pardon as long: its lines may still turn up', () => {
    const jail = jailWith();
    jail.forgive(net(A), T0);
    prune(jail, T0);
    expect(prune(jail, T0 + 30 * DAY)).toEqual([]);
    expect(prune(jail, T0 + 30 * DAY + 1)).toEqual([A]);
  });

  it('forgets a crowd over several calls, and everyone in the end', () => {
    const jail = jailWith({ rules: { maxRetry: 9 } });
    for (let i = 0; i < 12_000; i++) jail.decide(match(address(i), T0));
    prune(jail, T0);
    const gone = [1, 2, 3, 4].map((hour) => prune(jail, T0 + hour * HOUR));
    expect(gone.map((each) => each.length)).toEqual([5_000, 5_000, 2_000, 0]);
    expect(new Set(gone.flat()).size).toBe(12_000);
  });

  it('forgets whom a restart brought back, and who was never heard of again', () => {
    const before = jailWith();
    outcomes(before, A, [0]);
    const jail = jailWith({ remembered: before.takeDirty() });
    expect(prune(jail, T0 + 10 * MINUTE)).toEqual([]);
    expect(prune(jail, T0 + 11 * MINUTE)).toEqual([A]);
  });
});
