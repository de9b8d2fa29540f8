// An address from which someone logged in of late is protected, but not so that its owner may guess for ever.
import { describe, expect, it } from 'vitest';
import type { Jail } from '../../src/jails/contract.ts';
import type { Welcome } from '../../src/model.ts';
import { DAY, HOUR, MINUTE, T0, jailWith, match, net, outcomes } from './support.ts';

const A = '192.0.2.7';
/** One after the other, a second apart. */
const seconds = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index * 1_000);

/** What the jail would hand to the ledger, to the next one. */
function reborn(jail: Jail): Jail {
  return jailWith({
    remembered: jail.takeDirty(),
    options: { welcomes: jail.welcomes.all() },
  });
}

describe('a log-in', () => {
  it('protects its address: what would ban is ignored, and says why', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    expect(new Set(outcomes(jail, A, seconds(1_000, 20)))).toEqual(new Set(['ignored']));
    expect(jail.decide(match(A, T0 + 30_000))).toEqual({
      outcome: 'ignored',
      why: 'protected: someone logged in from 192.0.2.7 at 2026-01-05T00:00:00.000Z; number 50 would ban all the same',
    });
    expect(jail.stats).toMatchObject({ matches: 21, ignored: 21, bans: 0 });
    expect(outcomes(jail, '192.0.2.8', seconds(0, 5)).at(-1)).toBe('ban');
  });

  it('protects from its own instant on, and until protectAfterSuccess is over, by the instants of the lines', () => {
    const jail = jailWith({ rules: { protectAfterSuccess: HOUR, maxRetry: 1 } });
    const verdictAt = (offset: number) => {
      jail.welcome(net(A), T0 + HOUR);
      return jail.decide(match(A, T0 + offset)).outcome;
    };
    expect(verdictAt(2 * HOUR)).toBe('ignored');
    expect(verdictAt(HOUR)).not.toBe('ban');
    expect(verdictAt(2 * HOUR + 1)).toBe('ban');
    expect(jailWith({ rules: { maxRetry: 1 } }).decide(match(A, T0)).outcome).toBe('ban');
    const early = jailWith({ rules: { maxRetry: 1 } });
    early.welcome(net(A), T0 + 1);
    expect(early.decide(match(A, T0)).outcome).toBe('ban');
  });

  it('after log-in makes one span of protection, in whatever order the lines come', () => {
    for (const order of [
      [0, 20, 40],
      [40, 20, 0],
      [20, 0, 40],
    ]) {
      const jail = jailWith({ rules: { protectAfterSuccess: 24 * HOUR } });
      for (const hour of order) jail.welcome(net(A), T0 + hour * HOUR);
      expect(jail.welcomed(net(A), T0 + 30 * HOUR)).toMatchObject({
        since: T0,
        last: T0 + 40 * HOUR,
        until: T0 + 64 * HOUR,
      });
    }
    // Not where the span was over: then the later one is kept.
    const jail = jailWith({ rules: { protectAfterSuccess: HOUR } });
    for (const hour of [9, 0]) jail.welcome(net(A), T0 + hour * HOUR);
    expect(jail.welcomed(net(A), T0 + HOUR / 2)).toBeUndefined();
    expect(jail.welcomed(net(A), T0 + 9.5 * HOUR)).toBeDefined();
  });

  it('protects nobody where protectAfterSuccess is 0', () => {
    const jail = jailWith({ rules: { protectAfterSuccess: 0 } });
    jail.welcome(net(A), T0);
    expect(outcomes(jail, A, seconds(0, 5)).at(-1)).toBe('ban');
    expect(jail.welcomes.dirty).toBe(0);
  });

  it('protects as offenders are counted: the /64 in IPv6, the address itself behind a translator', () => {
    const jail = jailWith();
    jail.welcome(net('2001:db8:7::1'), T0);
    jail.welcome(net('64:ff9b::c000:207'), T0);
    expect(outcomes(jail, '2001:db8:7::2', seconds(1, 5)).at(-1)).toBe('ignored');
    expect(outcomes(jail, '2001:db8:8::1', seconds(1, 5)).at(-1)).toBe('ban');
    expect(outcomes(jail, '64:ff9b::c000:208', seconds(1, 5)).at(-1)).toBe('ban');
    expect(outcomes(jail, '64:ff9b::c000:207', seconds(1, 5)).at(-1)).toBe('ignored');
  });
});

describe('whoever guesses the passwords of others behind a log-in of his own', () => {
  it('is banned at ten times maxRetry within findTime, however often he logs in', () => {
    const jail = jailWith();
    const verdicts = seconds(0, 50).map((offset) => {
      jail.welcome(net(A), T0 + offset);
      return jail.decide(match(A, T0 + offset + 1));
    });
    expect(verdicts.map(({ outcome }) => outcome)).toEqual([...Array<string>(49).fill('ignored'), 'ban']);
    expect(verdicts.at(-1)).toMatchObject({ count: 50, nth: 1 });
  });

  it('is not protected again by a log-in before or during the sentence, only by one after it', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    const ban = jail.decide(match(A, T0 + 1, { counts: 50 }));
    const { until } = ban as { until: number };
    jail.welcome(net(A), until - 1);
    expect(jail.welcomed(net(A), until)).toBeUndefined();
    expect(outcomes(jail, A, seconds(until - T0, 5)).at(-1)).toBe('ban');
    const second = jail.offender(net(A))!.lastUntil!;
    jail.welcome(net(A), second);
    expect(jail.limitOf(net(A), second)).toBe(50);
    expect(outcomes(jail, A, seconds(second - T0, 5)).at(-1)).toBe('ignored');
  });

  it('who was banned by hand is not protected by what came before', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    jail.convict(net(A), T0 + 1, MINUTE);
    expect(jail.welcomed(net(A), T0 + 2 * MINUTE)).toBeUndefined();
    expect(jail.limitOf(net(A), T0 + 2 * MINUTE)).toBe(5);
  });
});

describe('what is remembered of log-ins', () => {
  it('is the next daemon’s: the same verdicts follow', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    outcomes(jail, A, seconds(0, 30));
    const next = reborn(jail);
    expect(outcomes(next, A, seconds(30_000, 19)).at(-1)).toBe('ignored');
    expect(next.decide(match(A, T0 + 50_000))).toMatchObject({ outcome: 'ban', count: 50 });
  });

  it('protects no longer than the rules say by now', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    const under = (protectAfterSuccess: number): Jail =>
      jailWith({ rules: { protectAfterSuccess }, options: { welcomes: jail.welcomes.all() } });
    expect(under(HOUR).welcomed(net(A), T0 + HOUR)).toBeDefined();
    expect(under(HOUR).welcomed(net(A), T0 + HOUR + 1)).toBeUndefined();
    expect(under(0).welcomed(net(A), T0)).toBeUndefined();
    expect(
      under(0)
        .welcomes.takeDirty()
        .forgottenWelcomes.map(({ address }) => address.text),
    ).toEqual([A]);
  });

  it('is written once, and again where it could not be written', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    jail.welcome(net('192.0.2.8'), T0);
    const taken = jail.welcomes.takeDirty();
    expect(taken.welcomes.map(({ address }) => address.text)).toEqual([A, '192.0.2.8']);
    expect(jail.welcomes.takeDirty()).toEqual({ welcomes: [], forgottenWelcomes: [] });
    jail.welcome(net(A), T0 + 1);
    jail.welcomes.restore(taken);
    const again = jail.welcomes.takeDirty().welcomes;
    expect(again.map(({ address, last }) => [address.text, last])).toEqual([
      ['192.0.2.8', T0],
      [A, T0 + 1],
    ]);
    const elsewhere: Welcome = { ...again[0]!, jail: 'other' };
    jail.welcomes.restore({ welcomes: [elsewhere], forgottenWelcomes: [] });
    expect(jail.welcomes.dirty).toBe(0);
  });

  it('is bounded: whose log-in was heard of first makes room, in the ledger too', () => {
    const jail = jailWith({ rules: { ipv6Prefix: 128 } });
    const address = (n: number) => net(`2001:db8::${(n >> 8).toString(16)}:${(n & 255).toString(16)}`);
    for (let n = 0; n < 20_000; n++) jail.welcome(address(n), T0);
    jail.welcome(address(0), T0 + 1);
    jail.welcomes.takeDirty();
    jail.welcome(address(20_000), T0);
    expect(jail.welcomed(address(1), T0)).toBeUndefined();
    expect(jail.welcomed(address(0), T0 + 1)).toBeDefined();
    expect(jail.welcomes.takeDirty().forgottenWelcomes).toEqual([{ jail: 'sshd', address: address(1) }]);
  });

  it('is forgotten once it protects nobody', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    jail.welcomes.prune(T0 + DAY);
    expect(jail.welcomed(net(A), T0 + DAY)).toBeDefined();
    jail.welcomes.prune(T0 + DAY + 1);
    expect(jail.welcomes.takeDirty()).toMatchObject({ welcomes: [], forgottenWelcomes: [{ jail: 'sshd' }] });
  });

  it('answers for a network by whoever logged in from inside', () => {
    const jail = jailWith();
    jail.welcome(net(A), T0);
    jail.welcome(net('192.0.2.9'), T0);
    jail.convict(net('192.0.2.7'), T0, HOUR);
    expect(jail.welcomed(net('192.0.2.0/24'), T0 + 1)?.address.text).toBe('192.0.2.9');
    expect(jail.welcomed(net('192.0.3.0/24'), T0 + 1)).toBeUndefined();
  });

  it('is nothing for an address that is never counted', () => {
    const jail = jailWith({ ignoring: { whyIgnored: () => 'allowed by "192.0.2.0/24"' } });
    jail.welcome(net(A), T0);
    expect(jail.welcomes.dirty).toBe(0);
  });
});
