import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BailiffError } from '../../src/errors.ts';
import { HOSTILE, ban, status } from '../api/fake-control.ts';
import { startFakeDaemon } from './harness.ts';
import type { FakeDaemon } from './harness.ts';

/** HOSTILE as printable() writes it. */
const SHOWN = 'a\\x1b[31mb\\x0ac\\u202ed\\x09e\\x9bf';
/** Anything that acts on a terminal, tabs and line ends aside. */
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.stop());

const cells = (out: string): string[][] =>
  out
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split('\t'));

test('ping says who answers', async () => {
  expect(await daemon.call(['ping'])).toEqual({ code: 0, out: 'bailiff 0.1.0 answers, pid 812\n', err: '' });
});

describe('status', () => {
  test('--json prints what the socket answers', async () => {
    const { code, out } = await daemon.call(['status', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(status());
  });

  test('piped, each fact is a line of cells', async () => {
    daemon.control.answer(
      'status',
      status({
        caughtUp: false,
        faults: [{ code: 'W_X', message: 'the clock is off', count: 3, since: '2026-01-05T10:00:00.000Z' }],
      }),
    );
    const { code, out } = await daemon.call(['status']);
    expect(code).toBe(0);
    expect(cells(out)).toEqual([
      ['bailiff', '0.1.0', '812', '2026-01-05T10:00:00.000Z'],
      ['mode', 'enforcing', 'enforcing'],
      ['firewall', 'nftables', 'healthy', '', '1'],
      ['dropped', '12', '720'],
      ['caught-up', 'no'],
      ['latency', '3', '0.002', '0.004'],
      ['health', 'ok'],
      ['jail', 'sshd', 'active', 'sshd', '7', '0', '0', '2', '1', '1', '0', '7', '1'],
      ['source', '/var/log/auth.log', 'following', '0', '40', '0', '2026-01-05T10:19:50.000Z'],
      ['fault', '', 'W_X', '3', '2026-01-05T10:00:00.000Z', 'the clock is off', '', ''],
    ]);
  });

  test('of one jail shows that jail, of an unknown one the nearest name and 2', async () => {
    const other = { ...status().jails[0]!, name: 'login' };
    daemon.control.answer('status', status({ jails: [...status().jails, other] }));
    const one = await daemon.call(['status', 'login', '--json']);
    expect((JSON.parse(one.out) as ReturnType<typeof status>).jails.map((jail) => jail.name)).toEqual([
      'login',
    ]);
    const none = await daemon.call(['status', 'logn']);
    expect([none.code, none.out]).toEqual([2, '']);
    expect(none.err).toContain('There is no jail "logn"; did you mean "login"?');
  });
});

describe('bans', () => {
  test('come whole, however many pages there are', async () => {
    const pages: Record<string, unknown> = {
      first: { items: [ban({ id: 1 })], next: '1' },
      1: { items: [ban({ id: 2, address: '2001:db8:1:2::/64' })], next: '2' },
      2: { items: [ban({ id: 3, until: null, state: 'ended', endedBy: 'admin' })], next: null },
    };
    daemon.control.answer('bans', (query: { after?: string }) => pages[query.after ?? 'first']);
    const { code, out } = await daemon.call(['bans', '--jail', 'sshd', '--all', '--json']);
    expect(code).toBe(0);
    expect((JSON.parse(out) as { id: number }[]).map((each) => each.id)).toEqual([1, 2, 3]);
    expect(daemon.control.calls).toEqual([
      ['bans', { jail: 'sshd', all: true }],
      ['bans', { jail: 'sshd', all: true, after: '1' }],
      ['bans', { jail: 'sshd', all: true, after: '2' }],
    ]);
    expect(cells((await daemon.call(['bans'])).out)).toEqual([
      [
        '192.0.2.7',
        'sshd',
        'blocked',
        '2026-01-05T10:11:12.000Z',
        '2026-01-05T10:21:12.000Z',
        '1',
        'jail',
        '5 matches',
      ],
      [
        '2001:db8:1:2::/64',
        'sshd',
        'blocked',
        '2026-01-05T10:11:12.000Z',
        '2026-01-05T10:21:12.000Z',
        '1',
        'jail',
        '5 matches',
      ],
      ['192.0.2.7', 'sshd', 'ended (admin)', '2026-01-05T10:11:12.000Z', '', '1', 'jail', '5 matches'],
    ]);
  });

  test('none are an empty list, not a fault', async () => {
    daemon.control.answer('bans', { items: [], next: null });
    expect(await daemon.call(['bans'])).toEqual({ code: 0, out: '', err: '' });
    expect(await daemon.call(['bans', '--json'])).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  test('whoever may not open control.sock gets what status.sock shows', async () => {
    let times = 0;
    daemon.control.answer('bans', () => {
      if (times++ === 0) throw new BailiffError('E_NOT_PERMITTED', 'no');
      return { items: [ban({ reason: HOSTILE })], next: null };
    });
    const { code, out } = await daemon.call(['bans', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([ban({ reason: '' })]);
  });

  test('an unknown jail is the daemon’s to tell', async () => {
    daemon.control.answer('bans', new BailiffError('E_UNKNOWN_JAIL', `there is no jail "${HOSTILE}"`));
    const { code, out, err } = await daemon.call(['bans', '--jail', 'x']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(`bailiff: there is no jail "${SHOWN}"\n`);
  });
});

describe('ban', () => {
  test('passes everything on', async () => {
    const line = [
      'ban',
      '192.0.2.7',
      '2001:db8::/64',
      '--jail',
      'sshd',
      '--for',
      '1h30m',
      '--reason',
      'noise',
      '--force',
    ];
    const { code, out } = await daemon.call(line);
    expect(code).toBe(0);
    expect(cells(out)).toEqual([
      ['192.0.2.7', 'banned', ''],
      ['2001:db8::/64', 'banned', ''],
    ]);
    expect(daemon.control.calls).toEqual([
      [
        'ban',
        {
          addresses: ['192.0.2.7', '2001:db8::/64'],
          jail: 'sshd',
          for: '1h30m',
          reason: 'noise',
          force: true,
        },
      ],
    ]);
  });

  test('says nothing that was not said', async () => {
    await daemon.call(['ban', '192.0.2.7']);
    expect(daemon.control.calls).toEqual([['ban', { addresses: ['192.0.2.7'] }]]);
  });

  test('ends with 1 where an address was refused, and says why', async () => {
    const outcomes = [
      { address: '192.0.2.7', outcome: 'banned', durable: false },
      { address: '127.0.0.1', outcome: 'refused', why: "protected: this host's own address" },
    ];
    daemon.control.answer('ban', outcomes);
    const { code, out } = await daemon.call(['ban', '192.0.2.7', '127.0.0.1']);
    expect(code).toBe(1);
    expect(cells(out)).toEqual([
      ['192.0.2.7', 'banned', 'in force, but not on the disk yet'],
      ['127.0.0.1', 'refused', "protected: this host's own address"],
    ]);
    const json = await daemon.call(['ban', '192.0.2.7', '127.0.0.1', '--json']);
    expect([json.code, JSON.parse(json.out)]).toEqual([1, outcomes]);
  });
});

describe('unban', () => {
  test.each([
    [['192.0.2.7', '2001:db8::/64'], { addresses: ['192.0.2.7', '2001:db8::/64'] }],
    [['192.0.2.7', '--jail', 'sshd'], { addresses: ['192.0.2.7'], jail: 'sshd' }],
    [['--jail', 'sshd'], { all: true, jail: 'sshd' }],
    [['--all'], { all: true }],
  ])('%j', async (args, request) => {
    const { code } = await daemon.call(['unban', ...args]);
    expect(code).toBe(0);
    expect(daemon.control.calls).toEqual([['unban', request]]);
  });

  test('of more addresses than fit one request goes in several', async () => {
    const addresses = Array.from(
      { length: 250 },
      (_, index) => `2001:db8:aaaa:bbbb:cccc:dddd:eeee:${index.toString(16)}`,
    );
    const { code, out } = await daemon.call(['unban', ...addresses, '--json']);
    expect(code).toBe(0);
    expect((JSON.parse(out) as { address: string }[]).map((each) => each.address)).toEqual(addresses);
    expect(daemon.control.calls).toHaveLength(3);
  });

  test('ends with 1 where nothing was lifted', async () => {
    daemon.control.answer('unban', [{ address: '192.0.2.7', jail: '', outcome: 'not-banned' }]);
    const one = await daemon.call(['unban', '192.0.2.7']);
    expect([one.code, one.out]).toEqual([1, '192.0.2.7\t\tnot-banned\t\n']);
    daemon.control.answer('unban', []);
    const all = await daemon.call(['unban', '--all']);
    expect([all.code, all.out]).toEqual([1, '']);
    expect(all.err).toContain('nothing was banned');
  });
});

describe('history', () => {
  test('shows bans, evidence, counts and what comes next', async () => {
    const { code, out } = await daemon.call(['history', '192.0.2.7']);
    expect(code).toBe(0);
    expect(daemon.control.calls).toEqual([['history', '192.0.2.7']]);
    expect(cells(out)).toEqual([
      [
        'ban',
        '1',
        '192.0.2.7',
        'sshd',
        'blocked',
        '2026-01-05T10:11:12.000Z',
        '2026-01-05T10:21:12.000Z',
        '1',
        'jail',
        '',
        '5 matches',
      ],
      ['evidence', '1', '2026-01-05T10:11:12.000Z', '/var/log/auth.log', '3', 'Failed password'],
      ['offender', 'sshd', '2', '5', '600', '2026-01-05T10:11:12.000Z'],
      ['protected', 'sshd', '2026-01-05T09:00:00.000Z', '2026-01-06T09:00:00.000Z', 'log-in'],
      ['next', 'sshd', '2', '2400'],
    ]);
  });

  test('says of a ban without effect why, and so does bans', async () => {
    const at = '2026-01-05T10:15:00.000Z';
    const ineffective = {
      cause: 'ports',
      seen: 'tcp 80',
      mend: 'name 80',
      lines: 4,
      since: at,
      last: at,
    } as const;
    const useless = ban({ why: 'it has no effect: tcp 80', ineffective });
    const known = { address: '192.0.2.7', offenders: [], protected: [], next: [] };
    daemon.control.answer('history', { ...known, bans: [{ ...useless, evidence: [] }] });
    daemon.control.answer('bans', { items: [useless], next: null });
    const told = cells((await daemon.call(['history', '192.0.2.7'])).out);
    expect(told).toContainEqual(['ineffective', '1', 'ports', 'tcp 80']);
    expect((await daemon.call(['bans'])).out).toContain('blocked (it has no effect: tcp 80)');
  });

  test('never prints hostile text raw, in cells or in JSON', async () => {
    daemon.control.answer('history', {
      address: '192.0.2.7',
      bans: [
        {
          ...ban({ reason: HOSTILE, jail: HOSTILE }),
          evidence: [{ file: HOSTILE, line: 1, at: '2026-01-05T10:11:12.000Z', text: HOSTILE }],
        },
      ],
      offenders: [],
      protected: [],
      next: [],
    });
    const text = await daemon.call(['history', '192.0.2.7']);
    expect(text.out).not.toMatch(RAW);
    expect(cells(text.out).map((row) => row.at(-1))).toEqual([SHOWN, SHOWN]);
    const json = await daemon.call(['history', '192.0.2.7', '--json']);
    expect(json.out).not.toMatch(RAW);
    expect((JSON.parse(json.out) as { bans: { reason: string }[] }).bans[0]!.reason).toBe(HOSTILE);
  });
});

describe('arm and teardown', () => {
  test('go through the daemon', async () => {
    const down = await daemon.call(['teardown', '--json']);
    expect([down.code, JSON.parse(down.out)]).toEqual([0, { mode: 'stood-down' }]);
    const up = await daemon.call(['arm']);
    expect([up.code, up.out]).toEqual([0, 'armed: the bans are in force again\n']);
    expect(daemon.control.calls.map(([method]) => method)).toEqual(['status', 'teardown', 'arm']);
  });

  test('arm ends with 1 where the daemon can only detect', async () => {
    daemon.control.answer('arm', { mode: 'detect-only' });
    const { code, out } = await daemon.call(['arm']);
    expect([code, out]).toEqual([1, 'not armed: the daemon is detect-only\n']);
  });

  test('a fault of the firewall is told with its own exit status', async () => {
    daemon.control.answer(
      'arm',
      new BailiffError('E_FIREWALL_UNAVAILABLE', 'nft is missing; apt-get install nftables'),
    );
    const { code, err } = await daemon.call(['arm']);
    expect([code, err]).toEqual([69, 'bailiff: nft is missing; apt-get install nftables\n']);
  });
});

test('a defect in the daemon ends with 70, not with the daemon’s secrets', async () => {
  daemon.control.answer('status', new TypeError('secret'));
  const { code, err } = await daemon.call(['status']);
  expect(code).toBe(70);
  expect(err).not.toContain('secret');
});

describe('attempt', () => {
  test('names the addresses and their jail, and ends with 1 where one was ignored', async () => {
    const line = ['attempt', '192.0.2.7', '2001:db8::7', '--jail', 'sshd'];
    expect(await daemon.call(line)).toEqual({
      code: 0,
      out: '192.0.2.7\tcounted\t\n2001:db8::7\tcounted\t\n',
      err: '',
    });
    const request = { addresses: ['192.0.2.7', '2001:db8::7'], jail: 'sshd' };
    expect(daemon.control.calls).toEqual([['attempt', request]]);
    const outcomes = [
      { address: '192.0.2.7', outcome: 'banned' },
      { address: '192.0.2.8', outcome: 'ignored', why: HOSTILE },
    ];
    daemon.control.answer('attempt', outcomes);
    const { code, out } = await daemon.call(line);
    expect([code, out]).toEqual([1, `192.0.2.7\tbanned\t\n192.0.2.8\tignored\t${SHOWN}\n`]);
    const { out: json } = await daemon.call([...line, '--json']);
    expect(json).not.toMatch(RAW);
    expect(JSON.parse(json)).toEqual(outcomes);
  });

  test.each([
    [['attempt', '192.0.2.7'], '--jail'],
    [['attempt', '192.0.2.0/24', '--jail', 'sshd'], 'is a network'],
    [['attempt', '192.0.2', '--jail', 'sshd'], 'is not an address'],
    [['attempt', '--jail', 'sshd'], 'missing'],
  ])('%j is wrong usage', async (line, why) => {
    const { code, err } = await daemon.call(line);
    expect([code, err]).toEqual([2, expect.stringContaining(why)]);
    expect(daemon.control.calls).toEqual([]);
  });
});
