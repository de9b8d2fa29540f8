import { describe, expect, it } from 'vitest';
import type { Jail } from '../../src/jails/contract.ts';
import { priorOf } from '../../src/jails/index.ts';
import { DAY, HOUR, LADDER, MINUTE, SECOND, T0, jailWith, match, net, offend, outcomes } from './support.ts';

const A = '192.0.2.7';

/** What a restart makes of a jail: everything it would have committed, read back. */
function reborn(jail: Jail, setting: Parameters<typeof jailWith>[0] = {}): Jail {
  return jailWith({ ...setting, remembered: jail.takeDirty() });
}

describe('counting', () => {
  it.each([
    ['the fifth match within ten minutes bans', [0, 1, 2, 3, 4], 'counted counted counted counted ban'],
    [
      'matches exactly findTime apart count together',
      [0, 1, 2, 3, 600_000],
      'counted counted counted counted ban',
    ],
    ['a millisecond more is too far apart', [0, 1, 2, 3, 600_001], 'counted counted counted counted counted'],
    ['equal instants count each', [5, 5, 5, 5, 5], 'counted counted counted counted ban'],
    ['lines out of order fall where they belong', [4, 0, 3, 1, 2], 'counted counted counted counted ban'],
    [
      'a line exactly findTime behind the newest counts',
      [600_000, 0, 0, 0, 0],
      'counted counted counted counted ban',
    ],
    ['an older one is late', [600_001, 0], 'counted late'],
    [
      'a late-coming line completes a window that lies behind the newest match',
      [0, 1, 2, 3, 700_000, 599_000, 500_000],
      'counted counted counted counted counted ban counted',
    ],
  ])('%s', (_, offsets, expected) => {
    expect(outcomes(jailWith(), A, offsets).join(' ')).toBe(expected);
  });

  it('counts tell how many of how many', () => {
    const jail = jailWith();
    jail.decide(match(A, T0));
    expect(jail.decide(match(A, T0 + 1))).toEqual({ outcome: 'counted', count: 2, of: 5 });
  });

  it('a match that counts three weighs three', () => {
    const jail = jailWith();
    expect(jail.decide(match(A, T0, { counts: 3 }))).toMatchObject({ outcome: 'counted', count: 3 });
    expect(jail.decide(match(A, T0 + 1, { counts: 3 }))).toMatchObject({ outcome: 'ban', count: 6 });
  });

  it('maxRetry 1 bans at the first match', () => {
    expect(jailWith({ rules: { maxRetry: 1 } }).decide(match(A, T0)).outcome).toBe('ban');
  });

  it('a limit of 100 a minute lets 100 pass within any minute and bans at the next', () => {
    const steady = jailWith({ rules: { maxRetry: 101, findTime: MINUTE } });
    // One every 600 ms puts exactly 101 instants, both edges included, into some minutes; one every 601 ms only 100.
    for (let i = 0; i < 5_000; i++) expect(steady.decide(match(A, T0 + i * 601)).outcome).toBe('counted');
    const faster = jailWith({ rules: { maxRetry: 101, findTime: MINUTE } });
    const seen = Array.from({ length: 101 }, (_, i) => faster.decide(match(A, T0 + i * 600)).outcome);
    expect(seen.indexOf('ban')).toBe(100);
  });

  it('offenders are counted each by himself', () => {
    const jail = jailWith();
    outcomes(jail, A, [0, 1, 2, 3]);
    expect(jail.decide(match('192.0.2.8', T0 + 4))).toMatchObject({ outcome: 'counted', count: 1 });
  });

  it('a match that counts nothing is kept as evidence and never bans', () => {
    const jail = jailWith({ rules: { maxRetry: 1 } });
    const verdict = jail.decide(match(A, T0, { counts: 0 }));
    expect(verdict).toEqual({ outcome: 'recorded', why: 'counts-nothing' });
    expect(jail.decide(match(A, T0 + 1))).toMatchObject({
      outcome: 'ban',
      count: 1,
      evidence: [{ line: 0 }, { line: 1 }],
    });
  });

  it('the same lines a second time would count a second time: only the position keeps them from it', () => {
    const jail = jailWith();
    outcomes(jail, A, [0, 1]);
    expect(jail.decide(match(A, T0))).toMatchObject({ count: 3 });
  });

  it('an offender as he is shown has the stamps that count; the ledger gets those for lines out of order too', () => {
    const jail = jailWith();
    outcomes(jail, A, [0, 1, 700_000]);
    expect(jail.offender(net(A))?.stamps).toEqual([[T0 + 700_000, 1]]);
    expect(jail.takeDirty()[0]?.stamps).toHaveLength(3);
  });
});

describe('a match that counts once a session', () => {
  const line = (at: number, session?: string, rest: object = {}) =>
    match(A, T0 + at, { session, oncePerSession: true, ...rest });

  it('counts, and the next one of its session does not, but is kept', () => {
    const jail = jailWith();
    expect(jail.decide(line(0, '812'))).toEqual({ outcome: 'counted', count: 1, of: 5 });
    expect(jail.decide(line(1, '812'))).toEqual({ outcome: 'recorded', why: 'counted-already' });
    expect(jail.decide(line(2, '813'))).toMatchObject({ outcome: 'counted', count: 2 });
    expect(jail.offender(net(A))?.evidence.map((each) => each.line)).toEqual([0, 1, 2]);
  });

  it('does not count after one of its session that always counts, which it never hinders', () => {
    const jail = jailWith();
    const failed = { oncePerSession: false };
    expect(jail.decide(line(0, '812', { ...failed, counts: 2 }))).toMatchObject({ count: 2 });
    expect(jail.decide(line(1, '812'))).toMatchObject({ why: 'counted-already' });
    expect(jail.decide(line(2, '812', failed))).toMatchObject({ count: 3 });
  });

  it('counts after evidence of its session', () => {
    const jail = jailWith();
    jail.decide(line(0, '812', { counts: 0, oncePerSession: false }));
    expect(jail.decide(line(1, '812'))).toMatchObject({ outcome: 'counted', count: 1 });
  });

  it('counts each time where its session is not known', () => {
    const jail = jailWith();
    expect([0, 1].map((at) => jail.decide(line(at)).outcome)).toEqual(['counted', 'counted']);
  });

  it('is told apart by offender: another one may have the same pid on another host', () => {
    const jail = jailWith();
    jail.decide(line(0, '812'));
    expect(jail.decide({ ...line(1, '812'), address: net('192.0.2.8') })).toMatchObject({ count: 1 });
  });

  it('is known among eight sessions side by side, whichever of them spoke last', () => {
    const jail = jailWith({ rules: { maxRetry: 100 } });
    for (let pid = 1; pid <= 8; pid++) jail.decide(line(pid, String(pid)));
    expect(jail.decide(line(9, '1', { oncePerSession: false })).outcome).toBe('counted');
    jail.decide(line(10, '9'));
    expect(jail.decide(line(11, '1')).outcome).toBe('recorded');
    expect(jail.decide(line(12, '2')).outcome).toBe('counted');
  });

  it('counts again once nothing that was counted can count with it: the pid may be another process', () => {
    const jail = jailWith();
    jail.decide(line(0, '812'));
    expect(jail.decide(line(10 * MINUTE, '812')).outcome).toBe('recorded');
    expect(jail.decide(line(10 * MINUTE + 1, '812'))).toMatchObject({ outcome: 'counted', count: 1 });
  });

  it('does not count at the end of a connection that outlasts the ban that it led to', () => {
    const jail = jailWith({ rules: { maxRetry: 1, banTime: { ...LADDER, first: SECOND } } });
    expect(jail.decide(line(0, '812', { oncePerSession: false })).outcome).toBe('ban');
    expect(jail.decide(line(500, '812'))).toMatchObject({ why: 'banned' });
    expect(jail.decide(line(2 * SECOND, '812'))).toMatchObject({ why: 'counted-already' });
    expect(jail.decide(line(2 * SECOND, '813')).outcome).toBe('ban');
  });

  it('is known after a restart, and an offender without sessions is as he was', () => {
    const jail = jailWith();
    outcomes(jail, '192.0.2.8', [0]);
    jail.decide(line(0, '812'));
    const [other, offender] = jail.takeDirty();
    expect(offender?.sessions).toEqual(['812']);
    expect(other).not.toHaveProperty('sessions');
    const again = jailWith({ remembered: [offender!] });
    expect(again.decide(line(1, '812'))).toMatchObject({ why: 'counted-already' });
  });
});

describe('who is never counted', () => {
  it('ignored ones leave no trace but a number', () => {
    const jail = jailWith({
      rules: { maxRetry: 1 },
      ignoring: { whyIgnored: () => 'allowed: 192.0.2.0/24' },
    });
    expect(jail.decide(match(A, T0))).toEqual({ outcome: 'ignored', why: 'allowed: 192.0.2.0/24' });
    expect(jail.stats).toEqual({ matches: 1, ignored: 1, late: 0, bans: 0, evicted: 0, thinned: 0 });
    expect([jail.size, jail.dirty]).toEqual([0, 0]);
  });

  it('a success counts for nobody, and forgets nothing unless the jail says so', () => {
    const jail = jailWith();
    outcomes(jail, A, [0, 1, 2, 3]);
    expect(jail.decide(match(A, T0 + 4, { outcome: 'success' }))).toEqual({ outcome: 'success' });
    expect(jail.decide(match(A, T0 + 5)).outcome).toBe('ban');
  });

  it('with resetOnSuccess a success sets the count back to nothing', () => {
    const jail = jailWith({ rules: { resetOnSuccess: true } });
    outcomes(jail, A, [0, 1, 2, 3]);
    jail.decide(match(A, T0 + 4, { outcome: 'success' }));
    expect(jail.offender(net(A))).toMatchObject({ stamps: [], evidence: [] });
    expect(jail.decide(match(A, T0 + 5))).toMatchObject({ outcome: 'counted', count: 1 });
  });
});

describe('a sentence', () => {
  it('runs from the deciding line, whatever order the lines came in', () => {
    const jail = jailWith();
    outcomes(jail, A, [50, 0, 30, 10]);
    expect(jail.decide(match(A, T0 + 20))).toMatchObject({
      offender: { text: A },
      since: T0 + 20,
      until: T0 + 20 + 10 * MINUTE,
      nth: 1,
      count: 5,
    });
  });

  it('while it lasts, by the line’s own instant, matches are recorded and not counted', () => {
    const jail = jailWith();
    outcomes(jail, A, [0, 1, 2, 3, 4]);
    expect(jail.decide(match(A, T0 + 5))).toEqual({ outcome: 'recorded', why: 'banned' });
    expect(jail.decide(match(A, T0 + 4 + 10 * MINUTE - 1)).outcome).toBe('recorded');
    expect(jail.decide(match(A, T0 + 4 + 10 * MINUTE))).toMatchObject({ outcome: 'counted', count: 1 });
  });

  it('the next one is longer and starts from an empty count', () => {
    const jail = jailWith();
    offend(jail, A, T0);
    expect(offend(jail, A, T0 + HOUR)).toMatchObject({ nth: 2, until: T0 + HOUR + 40 * MINUTE, count: 5 });
  });

  it('the count of offences begins anew only after forget since the end of the last one', () => {
    const end = T0 + 10 * MINUTE;
    for (const [wait, nth] of [
      [30 * DAY, 2],
      [30 * DAY + 1, 1],
    ] as const) {
      const jail = jailWith();
      offend(jail, A, T0);
      expect(offend(jail, A, end + wait)).toMatchObject({ nth });
    }
  });

  it('for good has no end, and everything after it is recorded', () => {
    const jail = jailWith({ rules: { banTime: { ...LADDER, first: Infinity } } });
    expect(offend(jail, A, T0)).toMatchObject({ outcome: 'ban', until: undefined });
    const again = reborn(jail);
    expect(again.offender(net(A))).toMatchObject({ lastSince: T0, lastUntil: undefined, nth: 1 });
    expect(again.decide(match(A, T0 + 1_000 * DAY)).outcome).toBe('recorded');
  });

  it('carries the last ten lines, oldest first, and none of those that led to the sentence before', () => {
    const jail = jailWith({ rules: { maxRetry: 12 } });
    const verdicts = Array.from({ length: 12 }, (_, i) => jail.decide(match(A, T0 + i)));
    const ban = verdicts.at(-1);
    const lines = ban?.outcome === 'ban' ? ban.evidence.map((line) => line.line) : [];
    expect(lines).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(jail.offender(net(A))?.evidence).toEqual([]);
  });

  it('keeps what he did meanwhile as evidence for the next', () => {
    const jail = jailWith({ rules: { maxRetry: 1 } });
    outcomes(jail, A, [0, 7]);
    expect(jail.decide(match(A, T0 + HOUR))).toMatchObject({ evidence: [{ line: 7 }, { line: HOUR }] });
  });

  it('carries no line from before findTime, whether he was forgotten since or not', () => {
    const remembering = jailWith({ rules: { maxRetry: 2 } });
    const forgetful = jailWith({ rules: { maxRetry: 2 } });
    for (const jail of [remembering, forgetful]) jail.decide(match(A, T0));
    forgetful.prune(T0 + 11 * MINUTE);
    expect(forgetful.prune(T0 + 22 * MINUTE)).toHaveLength(1);
    for (const jail of [remembering, forgetful]) {
      jail.decide(match(A, T0 + 22 * MINUTE));
      expect(jail.offender(net(A))?.evidence).toMatchObject([{ line: 22 * MINUTE }]);
    }
  });

  it('evidence that was handed out does not change any more', () => {
    const jail = jailWith({ rules: { maxRetry: 10 } });
    outcomes(jail, A, [0, 1]);
    const [before] = jail.takeDirty();
    outcomes(jail, A, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(before?.evidence.map((line) => line.line)).toEqual([0, 1]);
    expect(before?.stamps).toHaveLength(2);
  });

  it('is told by the ten lines before it: of those that are further from it no text is read', () => {
    const jail = jailWith({ rules: { maxRetry: 101 } });
    let read = 0;
    const verdicts = Array.from({ length: 101 }, (_, index) => {
      const { evidence, ...rest } = match(A, T0 + index);
      return jail.decide({ ...rest, evidence: () => (read++, evidence()) });
    });
    const last = verdicts.at(-1)!;
    expect(verdicts.map(({ outcome }) => outcome).lastIndexOf('counted')).toBe(99);
    expect(last.outcome === 'ban' && last.evidence.map(({ line }) => line)).toEqual(
      Array.from({ length: 10 }, (_, index) => 91 + index),
    );
    expect(read).toBe(10);
  });

  it('is told by its lines too where each of them counts several times', () => {
    const jail = jailWith({ rules: { maxRetry: 101 } });
    const verdicts = Array.from({ length: 21 }, (_, index) =>
      jail.decide(match(A, T0 + index, { counts: 5 })),
    );
    const last = verdicts.at(-1)!;
    expect(last.outcome === 'ban' && last.evidence.map(({ line }) => line)).toEqual(
      Array.from({ length: 10 }, (_, index) => 11 + index),
    );
  });

  it('by lines before its start: counts them, and the second sentence never shortens the first', () => {
    const jail = jailWith({ rules: { banTime: { ...LADDER, first: HOUR, factor: 1 } } });
    offend(jail, A, T0 + 5 * MINUTE);
    expect(offend(jail, A, T0)).toMatchObject({ outcome: 'ban', since: T0, nth: 2, until: T0 + HOUR });
    expect(jail.offender(net(A))).toMatchObject({ lastSince: T0, lastUntil: T0 + HOUR + 5 * MINUTE });
  });
});

describe('an administrator', () => {
  it('forgives: lines stamped up to then never count, the count starts anew, nth stays', () => {
    const jail = jailWith();
    offend(jail, A, T0);
    jail.forgive(net(A), T0 + MINUTE);
    expect(jail.decide(match(A, T0 + MINUTE))).toEqual({ outcome: 'recorded', why: 'forgiven' });
    expect(jail.decide(match(A, T0 + MINUTE + 1))).toMatchObject({ outcome: 'counted', count: 1 });
    expect(jail.next(net(A), T0 + MINUTE)).toEqual({ nth: 2, duration: 40 * MINUTE });
  });

  it('forgives someone of whom nothing is known yet: his lines may still be unread', () => {
    const jail = jailWith();
    jail.forgive(net(A), T0 + MINUTE);
    expect(offend(jail, A, T0).outcome).toBe('recorded');
    expect(reborn(jail).decide(match(A, T0)).outcome).toBe('recorded');
  });

  it('forgives a network: everyone inside it, nobody outside', () => {
    const jail = jailWith();
    for (const text of [A, '192.0.2.8', '192.0.3.1']) outcomes(jail, text, [0, 1, 2, 3]);
    jail.forgive(net('192.0.2.0/24'), T0 + 10);
    expect([A, '192.0.2.8', '192.0.3.1'].map((text) => jail.decide(match(text, T0 + 11)).outcome)).toEqual([
      'counted',
      'counted',
      'ban',
    ]);
  });

  it('never un-forgives: an earlier pardon leaves a later one in force', () => {
    const jail = jailWith();
    jail.forgive(net(A), T0 + 10);
    jail.forgive(net(A), T0 + 5);
    expect(jail.decide(match(A, T0 + 10)).outcome).toBe('recorded');
  });

  it('convicts: it counts in nth, lasts as told or as the ladder says, and is recorded like any other', () => {
    const jail = jailWith();
    expect(jail.convict(net(A), T0, undefined)).toEqual({ nth: 1, until: T0 + 10 * MINUTE });
    expect(jail.decide(match(A, T0 + 1)).outcome).toBe('recorded');
    expect(jail.convict(net(A), T0 + HOUR, 3 * MINUTE)).toEqual({ nth: 2, until: T0 + HOUR + 3 * MINUTE });
    expect(jail.convict(net(A), T0 + 2 * HOUR, Infinity)).toEqual({ nth: 3, until: undefined });
    expect(jail.stats.bans).toBe(0);
  });

  it('convicts exactly what was typed, with what its prefix did before', () => {
    const jail = jailWith();
    offend(jail, '2001:db8::1', T0);
    expect(jail.convict(net('2001:db8::2'), T0 + HOUR, undefined)).toMatchObject({ nth: 2 });
    expect(jail.decide(match('2001:db8::2', T0 + HOUR)).outcome).toBe('recorded');
    expect(jail.decide(match('2001:db8::3', T0 + HOUR)).outcome).toBe('counted');
  });

  it('prolongs: matches are recorded up to the new end, and nth stays', () => {
    const jail = jailWith();
    jail.convict(net(A), T0, MINUTE);
    jail.prolong(net(A), T0 + HOUR);
    jail.prolong(net(A), T0 + 2 * MINUTE);
    expect(jail.decide(match(A, T0 + HOUR - 1)).outcome).toBe('recorded');
    expect(jail.next(net(A), T0 + HOUR).nth).toBe(2);
    jail.prolong(net(A), undefined);
    expect(jail.decide(match(A, T0 + 900 * DAY)).outcome).toBe('recorded');
  });

  it('asks what the next sentence would be without anything happening', () => {
    const jail = jailWith();
    expect(jail.next(net(A), T0)).toEqual({ nth: 1, duration: 10 * MINUTE });
    expect([jail.size, jail.dirty]).toEqual([0, 0]);
  });
});

describe('IPv6', () => {
  it('is counted and banned by /64', () => {
    const jail = jailWith();
    for (let i = 1; i < 5; i++) jail.decide(match(`2001:db8:1:2::${i}`, T0));
    expect(jail.decide(match('2001:db8:1:2:ffff::1', T0))).toMatchObject({
      outcome: 'ban',
      offender: { text: '2001:db8:1:2::/64' },
    });
    expect(jail.offender(net('2001:db8:1:2::77'))?.nth).toBe(1);
  });

  it.each(['64:ff9b::c000:201', '64:ff9b:1::1', '2001:0:1::1', 'fe80::1'])(
    'is taken exactly in %s',
    (text) => {
      expect(offend(jailWith(), text, T0)).toMatchObject({ offender: { text } });
    },
  );

  it('is taken exactly where the prefix holds a protected address', () => {
    const jail = jailWith({ ignoring: { isProtected: (network) => network.text === '2001:db8::/64' } });
    expect(offend(jail, '2001:db8::1', T0)).toMatchObject({ offender: { text: '2001:db8::1' } });
    expect(offend(jail, '2001:db8:0:1::1', T0)).toMatchObject({ offender: { text: '2001:db8:0:1::/64' } });
  });

  it('keeps the key under which it was first counted, over a restart too', () => {
    let isProtected = true;
    const ignoring = { isProtected: () => isProtected };
    const jail = jailWith({ ignoring });
    outcomes(jail, '2001:db8::1', [0, 1, 2]);
    isProtected = false;
    const again = reborn(jail, { ignoring });
    expect(again.decide(match('2001:db8::1', T0 + 3))).toMatchObject({ count: 4 });
    expect(again.decide(match('2001:db8::2', T0 + 3))).toMatchObject({ count: 1 });
    expect(again.decide(match('2001:db8::1', T0 + 4))).toMatchObject({ offender: { text: '2001:db8::1' } });
    expect(again.offender(net('2001:db8::2'))?.address.text).toBe('2001:db8::/64');
  });

  it('never bans a prefix that has come to hold a protected address: only the address itself', () => {
    let isProtected = false;
    const jail = jailWith({ ignoring: { isProtected: () => isProtected } });
    outcomes(jail, '2001:db8::1', [0, 1, 2, 3]);
    isProtected = true;
    expect(jail.decide(match('2001:db8::2', T0 + 4))).toMatchObject({
      outcome: 'ban',
      offender: { text: '2001:db8::2' },
    });
    expect(jail.decide(match('2001:db8::2', T0 + 5)).outcome).toBe('recorded');
    expect(jail.decide(match('2001:db8::1', T0 + 5))).toMatchObject({ outcome: 'counted', count: 1 });
  });

  it('a network that an administrator typed answers for nobody inside it', () => {
    const jail = jailWith();
    jail.convict(net('2001:db8::/32'), T0, undefined);
    expect(offend(jail, '2001:db8::1', T0 + HOUR)).toMatchObject({
      offender: { text: '2001:db8::/64' },
      nth: 1,
    });
  });
});

describe('sentences of every jail', () => {
  function courts(): [Jail, Jail, Jail] {
    const all: Jail[] = [];
    const options = { prior: priorOf(() => all) };
    const banTime = { ...LADDER, scope: 'all' } as const;
    all.push(
      jailWith({ rules: { name: 'sshd', banTime }, options }),
      jailWith({ rules: { name: 'login', banTime }, options }),
      jailWith({ rules: { name: 'alone' }, options }),
    );
    return all as [Jail, Jail, Jail];
  }

  it('count with scope "all", and only the jail’s own without it', () => {
    const [sshd, login, alone] = courts();
    expect(offend(sshd, A, T0)).toMatchObject({ nth: 1 });
    expect(offend(alone, A, T0 + HOUR)).toMatchObject({ nth: 1 });
    expect(offend(login, A, T0 + 2 * HOUR)).toMatchObject({ nth: 3 });
    expect(offend(alone, A, T0 + 9 * HOUR)).toMatchObject({ nth: 2 });
    expect(sshd.next(net(A), T0 + DAY)).toMatchObject({ nth: 5 });
    expect(alone.next(net(A), T0 + DAY)).toMatchObject({ nth: 3 });
  });

  it('are remembered over a restart', () => {
    const [sshd, login, alone] = courts();
    for (const jail of [sshd, alone, sshd, login]) offend(jail, A, T0 + jail.stats.bans * DAY);
    const all: Jail[] = [];
    const options = { prior: priorOf(() => all) };
    for (const jail of [sshd, login, alone])
      all.push(jailWith({ rules: jail.rules, remembered: jail.takeDirty(), options }));
    expect(all[0]?.next(net(A), T0 + 2 * DAY)).toEqual(sshd.next(net(A), T0 + 2 * DAY));
    expect(all[0]?.next(net(A), T0 + 2 * DAY)).toMatchObject({ nth: 5 });
  });

  it('are forgotten together, after forget since the last of them anywhere', () => {
    const [sshd, login] = courts();
    offend(sshd, A, T0);
    offend(login, A, T0 + 29 * DAY);
    expect(sshd.next(net(A), T0 + 58 * DAY)).toMatchObject({ nth: 3 });
    expect(sshd.next(net(A), T0 + 61 * DAY)).toMatchObject({ nth: 1 });
  });
});

it('rules change over a restart: the stamps that are remembered count by the new ones', () => {
  const jail = jailWith();
  outcomes(jail, A, [0, 5 * MINUTE, 6 * MINUTE]);
  const stricter = reborn(jail, { rules: { maxRetry: 3, findTime: 2 * MINUTE } });
  expect(stricter.decide(match(A, T0 + 7 * MINUTE + 30 * SECOND))).toMatchObject({
    outcome: 'counted',
    count: 2,
  });
});
