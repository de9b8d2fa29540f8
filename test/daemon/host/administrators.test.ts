// Who is logged in from elsewhere, and that it protects. There is no logind here: loginctl's and who's answers are what they
// print, told by a program that isn't there.
import { describe, expect, test } from 'vitest';
import { parseAddress, parseNetwork } from '../../../src/address.ts';
import { followAdministrators } from '../../../src/daemon/host/administrators.ts';
import type { AskedAhead } from '../../../src/daemon/host/administrators.ts';
import { listLoggedIn } from '../../../src/daemon/host/logged-in.ts';
import { administratorsIn, whyWelcomed } from '../../../src/daemon/host/welcomed.ts';
import type { Sittings } from '../../../src/daemon/sitting.ts';
import { createJail } from '../../../src/jails/index.ts';
import { silentLog } from '../../../src/ports.ts';
import type { Exec, ExecRequest } from '../../../src/ports.ts';
import { createTestClock } from '../clock.ts';

const NOW = new Date(2026, 0, 5, 12).getTime();
const MINUTE = 60_000;
const DAY = 86_400_000;

/** @param answers by the program's name and its first argument; what is missing fails. */
function scripted(answers: Record<string, string | undefined>): Exec & { readonly asked: ExecRequest[] } {
  const asked: ExecRequest[] = [];
  return {
    asked,
    find: (name) =>
      Object.keys(answers).some((key) => key.startsWith(name)) ? `/usr/bin/${name}` : undefined,
    spawn: () => undefined,
    async run(request) {
      asked.push(request);
      const name = `${request.file.split('/').at(-1)} ${request.args[0] ?? ''}`.trim();
      const stdout = answers[name];
      return { outcome: 'exited', code: stdout === undefined ? 1 : 0, stdout: stdout ?? '', stderr: '' };
    },
  };
}

const block = (changes: Record<string, string>): string =>
  Object.entries({
    ...{ Remote: 'yes', RemoteHost: '203.0.113.7', Class: 'user', State: 'active' },
    ...{ Timestamp: 'Mon 2026-01-05 11:10:00 UTC', ...changes },
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

const logind = (...sessions: Record<string, string>[]) =>
  scripted({
    'loginctl list-sessions': sessions.map((_, n) => ` ${n + 1} 1000 ops  - pts/${n} active no -\n`).join(''),
    'loginctl show-session': sessions.map(block).join('\n'),
  });

describe('who is logged in from elsewhere', () => {
  test('logind tells it', async () => {
    const found = await listLoggedIn(
      logind(
        {},
        { RemoteHost: '2001:db8::7', State: 'online' },
        { RemoteHost: 'fe80::7%eth0' },
        { Remote: 'no', RemoteHost: '' },
        { RemoteHost: '192.0.2.1', State: 'closing' },
        { RemoteHost: '192.0.2.2', Class: 'manager' },
        { RemoteHost: 'a.example.net' },
        { RemoteHost: '192.0.2.3\nRemote=yes' },
      ),
      NOW,
    );
    expect(found!.map(({ address }) => address.text)).toEqual([
      ...['203.0.113.7', '2001:db8::7', 'fe80::7', '192.0.2.3'],
    ]);
    expect(found![0]!.since).toBe(new Date(2026, 0, 5, 11, 10).getTime());
  });

  test('where there is no logind the list of log-ins tells it; what a user could have written there is none', async () => {
    const who = [
      'ops      pts/0        Jan  5 11:10 (203.0.113.7)',
      'root     tty1         Jan  5 11:00',
      'ops      pts/1        Jan  5 11:10 (203.0.113.8 via mosh [812])',
      'ops      pts/2        Jan  5 11:10 (tmux(812).%0)',
      'ops      pts/3        Jan  5 11:10 (a.example.net)',
      'ops      pts/4        Dec 31 23:59 (2001:db8::7)',
    ].join('\n');
    const found = await listLoggedIn(scripted({ who, 'loginctl show-session': '' }), NOW);
    expect(found).toEqual([
      { address: parseAddress('203.0.113.7'), since: new Date(2026, 0, 5, 11, 10).getTime() },
      { address: parseAddress('2001:db8::7'), since: new Date(2025, 11, 31, 23, 59).getTime() },
    ]);
  });

  test('nobody knows, where there is neither', async () => {
    expect(await listLoggedIn(scripted({}), NOW)).toBeUndefined();
    expect(await listLoggedIn(scripted({ 'who am': '' }), NOW)).toBeUndefined();
    expect(await listLoggedIn(logind(), NOW)).toEqual([]);
  });
});

/** A jail whose third match bans, and which protects for a day. */
function court(exec: Exec, loggedIn?: AskedAhead) {
  const clock = createTestClock(NOW);
  const banTime = { first: DAY, factor: 1, max: DAY, forget: DAY, scope: 'jail' } as const;
  const rules = {
    ...{ name: 'sshd', banTime, maxRetry: 3, findTime: 10 * MINUTE, ipv6Prefix: 64 },
    ...{ resetOnSuccess: false, protectAfterSuccess: DAY },
  };
  const newJail = () => createJail(rules, { whyIgnored: () => undefined, isProtected: () => false }, [], NOW);
  const all = [{ jail: newJail() }];
  const sittings = { all } as unknown as Sittings;
  const administrators = followAdministrators({ sittings, exec, clock, log: silentLog, loggedIn });
  const fail = (text: string) =>
    all.at(-1)!.jail.decide({
      ...{ address: parseAddress(text)!, at: clock.now(), counts: 1, outcome: 'failure' },
      evidence: () => ({ file: 'auth.log', line: 1, at: clock.now(), text: '' }),
    });
  const failures = (text: string, times: number): string[] =>
    Array.from({ length: times }, () => fail(text).outcome);
  /** Time passes, a look at a time. */
  async function pass(time: number): Promise<void> {
    for (let left = time; left > 0; left -= 20_000) {
      clock.advance(Math.min(left, 20_000));
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  }
  return { clock, administrators, sittings, failures, pass, seat: () => all.push({ jail: newJail() }), all };
}

describe('an administrator', () => {
  test('is protected while his session is open, and for the set time after', async () => {
    const sessions: Record<string, string>[] = [{}];
    const exec = scripted({});
    const told = {
      ...exec,
      find: () => '/usr/bin/loginctl',
      run: (request: ExecRequest) => logind(...sessions).run(request),
    };
    const { administrators, failures, pass, sittings, clock } = court(told);
    await administrators.ready;
    expect(failures('203.0.113.7', 10)).toEqual(Array(10).fill('ignored'));
    expect(failures('203.0.113.8', 3).at(-1)).toBe('ban');
    // Two days in one session.
    await pass(2 * DAY);
    expect(failures('203.0.113.7', 10)).toEqual(Array(10).fill('ignored'));
    expect(whyWelcomed(sittings, parseNetwork('203.0.113.0/24')!.network, clock.now())).toMatch(
      /someone who came from 203\.0\.113\.7 was logged in at /,
    );
    sessions.length = 0;
    await pass(MINUTE);
    const ended = clock.now() - MINUTE;
    expect(administratorsIn(sittings, clock.now())).toEqual([
      {
        ...{ address: '203.0.113.7', by: 'session' },
        ...{ last: new Date(ended).toISOString(), until: new Date(ended + DAY).toISOString() },
      },
    ]);
    await pass(DAY - 2 * MINUTE);
    expect(failures('203.0.113.7', 3).at(-1)).toBe('ignored');
    await pass(30 * MINUTE);
    expect(failures('203.0.113.7', 3).at(-1)).toBe('ban');
    administrators.stop();
  });

  test.each([
    ['is known by what was asked a second ahead', 1_000, 'ignored'],
    ['is asked for anew where the answer is older', 3_000, 'ban'],
  ])('%s', async (_, age, outcome) => {
    const session = { address: parseAddress('203.0.113.7')!, since: NOW - DAY };
    const found = Promise.resolve([session]);
    const { administrators, failures } = court(scripted({}), { asked: NOW - age, found });
    await administrators.ready;
    expect(failures('203.0.113.7', 3).at(-1)).toBe(outcome);
    administrators.stop();
  });

  test('has patience coming to him, and no immunity', async () => {
    const { administrators, failures } = court(logind({}));
    await administrators.ready;
    expect(failures('203.0.113.7', 30).at(-1)).toBe('ban');
    administrators.stop();
  });

  test('is known by the session that was open before, for lines that are read later', async () => {
    const { administrators, all } = court(logind({ Timestamp: 'Mon 2026-01-05 11:10:00 UTC' }));
    await administrators.ready;
    const at = new Date(2026, 0, 5, 11, 11).getTime();
    expect(all[0]!.jail.welcomed(parseAddress('203.0.113.7')!, at)).toBeDefined();
    expect(all[0]!.jail.welcomed(parseAddress('203.0.113.7')!, at - 2 * MINUTE)).toBeUndefined();
    administrators.stop();
  });

  test('who runs bailiff over ssh is known as such, also to a jail that comes in session by it', async () => {
    const { administrators, failures, sittings, clock, seat } = court(scripted({}));
    await administrators.ready;
    administrators.present(parseAddress('203.0.113.9')!);
    expect(whyWelcomed(sittings, parseAddress('203.0.113.9')!, clock.now())).toMatch(
      /an administrator ran bailiff from 203\.0\.113\.9 at /,
    );
    seat();
    administrators.remind();
    expect(failures('203.0.113.9', 10)).toEqual(Array(10).fill('ignored'));
    administrators.stop();
  });
});
