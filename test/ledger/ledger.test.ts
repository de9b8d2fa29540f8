import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { REPORTS_KEPT, REPORTS_KEPT_FOR } from '../../src/ledger/contract.ts';
import type { BanQuery, KeptSession } from '../../src/ledger/contract.ts';
import type { Welcome } from '../../src/model.ts';
import {
  T0,
  ban,
  commitOf,
  event,
  journal,
  ledgerIn,
  net,
  offender,
  position,
  reopened,
  stateFolder,
} from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

describe('answers to reports', () => {
  const report = (n: number, at = T0) => ({
    ...{ jail: 'app', id: `i${n}`, at, address: '192.0.2.7' },
    ...{ outcome: 'counted', why: n % 2 === 0 ? undefined : 'because' },
  });

  it('are found by jail and id, by the next daemon too', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    await ledger.commit(commitOf({ reports: [report(1), report(2)] }), false);
    const next = reopened(ledger, folder);
    expect([next.report('app', 'i1'), next.report('app', 'i2')]).toEqual([report(1), report(2)]);
    expect([next.report('app', 'i3'), next.report('sshd', 'i1')]).toEqual([undefined, undefined]);
  });

  it('that come anew under an old id replace it', async () => {
    const ledger = ledgerIn(stateFolder());
    await ledger.commit(commitOf({ reports: [report(1)] }), false);
    await ledger.commit(commitOf({ reports: [{ ...report(1), at: T0 + 9, outcome: 'banned' }] }), false);
    expect(ledger.report('app', 'i1')).toMatchObject({ at: T0 + 9, outcome: 'banned' });
  });

  it('go after a day, with the commits that bring new ones', async () => {
    const ledger = ledgerIn(stateFolder());
    const old = Array.from({ length: 1_500 }, (_, n) => report(n, T0 + (n < 1_400 ? 0 : 5)));
    await ledger.commit(commitOf({ reports: old }), false);
    const later = T0 + REPORTS_KEPT_FOR + 5;
    await ledger.commit(commitOf({ reports: [report(8_000, later)] }), false);
    const known = () => old.filter(({ id }) => ledger.report('app', id)).length;
    // A day's reports don't go at once.
    expect(known()).toBe(499);
    await ledger.commit(commitOf({ reports: [report(8_001, later)] }), false);
    expect(known()).toBe(100);
    expect(ledger.report('app', 'i8000')).toBeDefined();
  });

  it('are bounded in number: the oldest make room', async () => {
    const ledger = ledgerIn(stateFolder());
    const all = Array.from({ length: REPORTS_KEPT }, (_, n) => report(n));
    await ledger.commit(commitOf({ reports: all }), false);
    await ledger.commit(commitOf({ reports: [report(-1), report(-2), report(-3)] }), false);
    expect([0, 1, 2, 3].map((n) => ledger.report('app', `i${n}`) !== undefined)).toEqual([
      ...[false, false, false, true],
    ]);
    expect(ledger.report('app', 'i-3')).toBeDefined();
  });
});

describe('a commit', () => {
  it('is found whole by the next daemon', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const positions = [
      position(),
      position({ id: 'two', skipping: true, finished: true, offset: 0 }),
      journal(),
      journal({ id: 'journal:_UID=0', cursor: undefined, lines: 0, broken: [] }),
    ];
    const offenders = [
      offender('192.0.2.7'),
      offender('2001:db8:1:2::/64', { lastUntil: undefined, forgivenUntil: T0, overall: 4 }),
      offender('192.0.2.8', { sessions: ['812', '813'] }),
      offender('192.0.2.7', {
        jail: 'login',
        stamps: [],
        evidence: [],
        nth: 0,
        lastSince: undefined,
        lastUntil: undefined,
      }),
    ];
    const bans = [
      ban(1, '192.0.2.7'),
      ban(2, '2001:db8::/32', { until: undefined, jail: 'manual', by: 'admin' }),
    ];
    const waiting = { pattern: 3, counts: 2 };
    const sessions = [
      { source: '/var/log/syslog', address: net('192.0.2.7'), waiting: undefined },
      { source: '/var/log/auth.log', address: net('2001:db8::7'), waiting },
      { source: '/var/log/mongod.log', address: undefined, waiting },
    ].map((each, index) => ({ ...each, filter: 'slapd', session: 'ldap[812] 1001', until: T0 + index }));
    const events = [event(1), event(2)];
    // Any byte may stand in a line.
    const lastLines = [{ source: '/var/log/auth.log', line: 'a\0\xe4\xff', at: T0 }];
    const welcomes = ['2001:db8:7::/64', '192.0.2.7'].map((text, index) => ({
      ...{ jail: 'sshd', address: net(text), since: T0, last: T0 + index, until: T0 + 60_000 },
      ...(index === 0 && { by: 'session' as const }),
    }));
    const brakes = [
      {
        jail: 'api',
        memory: { latest: [{ ban: 1, address: '192.0.2.7', at: T0, behaved: true }], tripped: undefined },
      },
      { jail: 'sshd', memory: { latest: [], tripped: { at: T0, from: 3, why: 'it did' } } },
    ];
    const regulars = ['192.0.2.7', '2001:db8::/64'].map((address) => ({
      ...{ address, clean: 3, spoiled: 1, period: 5_000_000 },
    }));
    const kept = { positions, offenders, sessions, lastLines, welcomes, brakes, regulars };
    await ledger.commit(commitOf({ ...kept, bans, events }), false);
    const remembered = rememberedBy(reopened(ledger, folder));
    const openBans = bans.map((each) => ({ ...each, evidence: [] }));
    const offenderCount = offenders.length;
    expect(remembered).toEqual({ ...kept, offenderCount, openBans, nextBanId: 3, damaged: 0 });
  });

  it('forgets log-ins and last lines, and keeps log-ins in the order in which they were heard of', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const [one, two] = ['192.0.2.1', '192.0.2.2'].map((text) => ({
      ...{ jail: 'sshd', address: net(text), since: T0, last: T0, until: T0 + 1 },
    })) as [Welcome, Welcome];
    const lines = ['/a', '/b'].map((source) => ({ source, line: 'x', at: T0 }));
    await ledger.commit(commitOf({ welcomes: [one, two], lastLines: lines }), false);
    const later = { ...one, last: T0 + 9, until: T0 + 10 };
    await ledger.commit(commitOf({ welcomes: [later], forgottenLastLines: ['/a'] }), false);
    const known = rememberedBy(ledger);
    expect(known.welcomes).toEqual([two, later]);
    expect(known.lastLines.map(({ source }) => source)).toEqual(['/b']);
    await ledger.commit(commitOf({ forgottenWelcomes: [two] }), false);
    expect(rememberedBy(ledger).welcomes).toEqual([later]);
  });

  it('replaces what was known', async () => {
    const ledger = ledgerIn(stateFolder());
    const first = {
      positions: [position(), journal()],
      offenders: [offender('192.0.2.7')],
      bans: [ban(1, '192.0.2.7')],
    };
    const second = {
      positions: [
        position({ offset: 9, path: '/var/log/auth.log.1' }),
        journal({ cursor: 's=1;i=3', lines: 8 }),
      ],
      offenders: [offender('192.0.2.7', { nth: 2, stamps: [] })],
      bans: [ban(1, '192.0.2.7', { until: T0 + 9, reason: 'longer' })],
    };
    await ledger.commit(commitOf(first), false);
    await ledger.commit(commitOf(second), true);
    expect(rememberedBy(ledger)).toMatchObject({
      positions: second.positions,
      offenders: second.offenders,
      openBans: [{ ...second.bans[0], evidence: [] }],
    });
    expect(ledger.bans({ limit: 9 })).toEqual(second.bans);
  });

  it('deletes what is forgotten, but not who came back in the same commit', async () => {
    const ledger = ledgerIn(stateFolder());
    const all = [offender('192.0.2.7'), offender('192.0.2.8'), offender('192.0.2.7', { jail: 'login' })];
    await ledger.commit(commitOf({ positions: [position()], offenders: all }), false);
    const forgottenOffenders = ['192.0.2.7', '192.0.2.8'].map((text) => ({
      jail: 'sshd',
      address: net(text),
    }));
    const back = offender('192.0.2.8', { nth: 0 });
    await ledger.commit(
      commitOf({ forgottenPositions: ['one'], forgottenOffenders, offenders: [back] }),
      false,
    );
    expect(rememberedBy(ledger)).toMatchObject({ positions: [], offenders: [all[2], back] });
  });

  it('keeps sessions in the order in which they were heard of last', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const [one, two, three] = ['1', '2', '3'].map((session) => ({
      ...{ source: '/var/log/syslog', filter: 'slapd', session },
      ...{ address: net('192.0.2.7'), waiting: undefined, until: T0 },
    })) as [KeptSession, KeptSession, KeptSession];
    await ledger.commit(commitOf({ sessions: [one, two, three] }), false);
    const again = { ...one, address: net('192.0.2.8'), until: T0 + 9 };
    await ledger.commit(commitOf({ forgottenSessions: [two], sessions: [again] }), false);
    expect(rememberedBy(reopened(ledger, folder)).sessions).toEqual([three, again]);
  });

  it('keeps the sessions of a log that come all at once in the place of those that it had', async () => {
    const folder = stateFolder();
    let ledger = ledgerIn(folder);
    const session = (source: string, n: number): KeptSession => ({
      ...{ source, filter: 'sshd', session: String(n), address: net('192.0.2.7') },
      ...{ waiting: undefined, until: T0 },
    });
    const many = (source: string, from: number, count: number): KeptSession[] =>
      Array.from({ length: count }, (_, n) => session(source, from + n));
    await ledger.commit(commitOf({ sessions: [...many('a.log', 0, 1_200), session('b.log', 1)] }), false);
    const all = many('a.log', 600, 1_000);
    const forgotten = many('a.log', 0, 600);
    await ledger.commit(
      commitOf({ sessions: all, forgottenSessions: forgotten, wholeSessions: ['a.log'] }),
      false,
    );
    const few = [session('a.log', 1), session('a.log', 2)];
    ledger.close();
    const db = new Database(join(folder, 'ledger.sqlite'), { readonly: true });
    expect(db.prepare('SELECT sum(entries) FROM session_changes').pluck().get()).toBe(1_001);
    db.close();
    ledger = ledgerIn(folder);
    await ledger.commit(commitOf({ sessions: few, forgottenSessions: all, wholeSessions: ['a.log'] }), false);
    expect(rememberedBy(reopened(ledger, folder)).sessions).toEqual([session('b.log', 1), ...few]);
  });

  it('keeps no more of sessions than a few times what is in force, however many came and went', async () => {
    const folder = stateFolder();
    let ledger = ledgerIn(folder);
    const [first, last, rounds, each] = ['b.log', 'a.log', 30, 3_000];
    const session = (source: string, n: number) => ({
      ...{ source, filter: 'sshd', session: String(n), address: net('192.0.2.7') },
      ...{ waiting: undefined, until: T0 + n },
    });
    const early = session(first, -1);
    await ledger.commit(commitOf({ sessions: [early] }), false);
    let before: ReturnType<typeof session>[] = [];
    for (let round = 0; round < rounds; round++) {
      const sessions = Array.from({ length: each }, (_, n) => session(last, round * each + n));
      await ledger.commit(commitOf({ forgottenSessions: before, sessions }), false);
      before = sessions;
      // Who starts anew must still know how much there is.
      if (round === 7) ledger = reopened(ledger, folder);
      // One that came to nothing counts for nothing.
      const broken = { ...commitOf({ sessions }), bans: [ban(1, '192.0.2.7', { nth: NaN })] };
      if (round === 9) await expect(ledger.commit(broken, false)).rejects.toThrow();
    }
    ledger.close();
    const db = new Database(join(folder, 'ledger.sqlite'), { readonly: true });
    const entries = db.prepare('SELECT sum(entries) FROM session_changes').pluck().get() as number;
    db.close();
    expect(entries).toBeLessThan(50_000);
    const { sessions, damaged } = rememberedBy(ledgerIn(folder));
    expect(sessions).toEqual([early, ...before]);
    expect(damaged).toBe(0);
  });

  it('keeps an address and a network with the same first address apart', async () => {
    const ledger = ledgerIn(stateFolder());
    const offenders = ['2001:db8::', '2001:db8::/64', '192.0.2.0', '192.0.2.0/24', '::c000:200'].map((text) =>
      offender(text),
    );
    await ledger.commit(commitOf({ offenders }), false);
    expect(rememberedBy(ledger).offenders.map((each) => each.address)).toEqual(
      offenders.map((each) => each.address),
    );
  });

  it('stores hostile evidence as it is', async () => {
    const ledger = ledgerIn(stateFolder());
    const text = `\0\x1b[2J'); DROP TABLE bans; -- \ud800 \u202e \n "\\`;
    const evidence = [{ file: text, line: 1, at: T0, text }];
    await ledger.commit(
      commitOf({
        offenders: [offender('192.0.2.7', { evidence })],
        bans: [ban(1, '192.0.2.7', { evidence })],
      }),
      false,
    );
    const [kept] = rememberedBy(ledger).offenders;
    expect([kept?.evidence, ledger.bans({ limit: 1 })[0]?.evidence]).toEqual([evidence, evidence]);
  });

  it('lets a ban that ended be replaced by another, in whatever order they come', async () => {
    const ledger = ledgerIn(stateFolder());
    await ledger.commit(commitOf({ bans: [ban(1, '192.0.2.7')] }), false);
    const ended = ban(1, '192.0.2.7', { endedAt: T0 + 1, endedBy: 'replaced' });
    await ledger.commit(commitOf({ bans: [ban(2, '192.0.2.7', { nth: 2 }), ended] }), false);
    expect(rememberedBy(ledger).openBans.map((each) => each.id)).toEqual([2]);
  });

  it('with a second open ban on the same address is refused whole, as a defect of ours', async () => {
    const ledger = ledgerIn(stateFolder());
    await ledger.commit(commitOf({ bans: [ban(1, '192.0.2.7')] }), false);
    const second = commitOf({ positions: [position()], bans: [ban(2, '192.0.2.7')] });
    await expect(ledger.commit(second, false)).rejects.toMatchObject({ code: 'E_INTERNAL' });
    expect(rememberedBy(ledger)).toMatchObject({ positions: [], nextBanId: 2 });
    await ledger.commit(commitOf({ bans: [ban(2, '192.0.2.7', { jail: 'manual' })] }), false);
  });

  it('refuses an event without its ban', async () => {
    const ledger = ledgerIn(stateFolder());
    await expect(ledger.commit(commitOf({ events: [event(7)] }), false)).rejects.toMatchObject({
      code: 'E_INTERNAL',
    });
  });

  it('of nothing is fine', async () => {
    await expect(ledgerIn(stateFolder()).commit(commitOf({}), true)).resolves.toBeUndefined();
  });
});

describe('bans', () => {
  const texts = [
    '192.0.2.7',
    '192.0.2.0/24',
    '192.0.3.1',
    '2001:db8:1:2::/64',
    '2001:db8:1:2::5',
    '2001:db8::/32',
    '::/0',
    '0.0.0.0/0',
  ];

  async function filled() {
    const ledger = ledgerIn(stateFolder());
    const bans = texts.map((text, index) => ban(index + 1, text, index === 2 ? { jail: 'login' } : {}));
    await ledger.commit(commitOf({ bans, events: bans.map(({ id }) => event(id)) }), false);
    const ended = { endedAt: T0 + 5, endedBy: 'admin' };
    await ledger.commit(commitOf({ bans: [{ ...bans[0]!, ...ended }] }), false);
    return (query: Partial<BanQuery>) =>
      ledger.bans({ limit: 100, ...query }).map((each) => each.address.text);
  }

  it.each<[string, Partial<BanQuery>, string[]]>([
    ['are those in force', {}, texts.slice(1)],
    ['or all', { all: true }, texts],
    ['of one jail', { jail: 'login' }, ['192.0.3.1']],
    ['that hold an address', { address: net('192.0.2.9') }, ['192.0.2.0/24', '0.0.0.0/0']],
    [
      'on it, ended ones too',
      { address: net('192.0.2.7'), all: true },
      ['192.0.2.7', '192.0.2.0/24', '0.0.0.0/0'],
    ],
    [
      'that lie in a network',
      { address: net('192.0.0.0/16'), all: true },
      ['192.0.2.7', '192.0.2.0/24', '192.0.3.1', '0.0.0.0/0'],
    ],
    [
      'by prefix',
      { address: net('2001:db8:1:2::5') },
      ['2001:db8:1:2::/64', '2001:db8:1:2::5', '2001:db8::/32', '::/0'],
    ],
    ['beside a prefix', { address: net('2001:db8:1:3::5') }, ['2001:db8::/32', '::/0']],
    ['all of IPv6, and nothing of IPv4', { address: net('::/0') }, texts.slice(3, 7)],
    [
      'all of IPv4, and nothing of IPv6',
      { address: net('0.0.0.0/0') },
      ['192.0.2.0/24', '192.0.3.1', '0.0.0.0/0'],
    ],
    ['of a jail and an address', { address: net('192.0.3.1'), jail: 'sshd' }, ['0.0.0.0/0']],
  ])('%s', async (_, query, expected) => {
    expect((await filled())(query)).toEqual(expected);
  });

  it('come in pages, in order of their number', async () => {
    const bans = await filled();
    expect(bans({ all: true, limit: 3 })).toEqual(texts.slice(0, 3));
    expect(bans({ all: true, limit: 3, after: 3 })).toEqual(texts.slice(3, 6));
    expect(bans({ all: true, limit: 3, after: 6 })).toEqual(texts.slice(6));
    expect(bans({ address: net('::/0'), limit: 2, after: 4 })).toEqual(texts.slice(4, 6));
  });

  it('tell their whole story, oldest first', async () => {
    const ledger = ledgerIn(stateFolder());
    const story = [
      event(1),
      event(1, { at: T0 + 2, what: 'extended', by: 'admin', why: 'again' }),
      event(1, { at: T0 + 1, what: 'ended', by: 'admin', why: 'a mistake' }),
    ];
    await ledger.commit(
      commitOf({ bans: [ban(1, '192.0.2.7'), ban(2, '192.0.2.8')], events: story.slice(0, 2) }),
      false,
    );
    await ledger.commit(commitOf({ events: [event(2), story[2]!] }), false);
    expect(ledger.events(1)).toEqual(story);
    expect(ledger.events(99)).toEqual([]);
  });
});

it('proofs of filters are remembered by the hash of their text', () => {
  const folder = stateFolder();
  const ledger = ledgerIn(folder);
  expect(ledger.isProven('abc')).toBe(false);
  ledger.remember('abc', T0);
  ledger.remember('abc', T0 + 1);
  expect(reopened(ledger, folder).isProven('abc')).toBe(true);
});
