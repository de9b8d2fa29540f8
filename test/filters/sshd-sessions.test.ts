// The shipped filter for sshd and a jail behind it, over logs as sshd writes them: one attempt counts once.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileFilter, createScanner, createSessionMemory, parseFilter } from '../../src/filters/index.ts';
import type { Match } from '../../src/model.ts';
import { jailWith } from '../jails/support.ts';

type Mode = 'normal' | 'aggressive';
const FILE = new URL('../../filters/sshd.yaml', import.meta.url);
const NOW = Date.UTC(2026, 0, 6);
const CLIENT = '192.0.2.7 port 40022';

/** The lines of one connection. Evidence lines of PAM's own process bear another pid: `[814] …`. */
function connection(pid: number, ...messages: string[]): string[] {
  return messages.map((message) => {
    const [, other, rest] = /^\[(\d+)\] (.*)$/.exec(message) ?? [];
    return `Jan  5 10:11:12 web sshd[${other ?? pid}]: ${rest ?? message}`;
  });
}

/** What becomes of each line: `-` where it is no match, the count where it counts, else what the jail says. */
function replay(lines: readonly string[], mode: Mode = 'normal', maxRetry = 100): (string | number)[] {
  const { definition } = parseFilter(readFileSync(FILE, 'utf8'), 'filters/sshd.yaml');
  const options = { logFormat: undefined, zone: 'UTC', mode, where: undefined, except: undefined };
  const compiled = compileFilter(definition!, options);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const scanner = createScanner([compiled.filter]);
  const jail = jailWith({ rules: { maxRetry } });
  const sessions = createSessionMemory();
  return lines.map((line) => {
    let told: string | number = '-';
    const visit = (_: number, match: Match): void => {
      const at = match.at!;
      const evidence = () => ({ file: 'auth.log', line: 1, at, text: line });
      const { address, counts, oncePerSession, session, outcome } = match;
      const verdict = jail.decide({ address, at, counts, oncePerSession, session, outcome, evidence });
      if (verdict.outcome === 'recorded') told = verdict.why;
      else told = verdict.outcome === 'counted' ? verdict.count : verdict.outcome;
    };
    scanner.scan(`${Buffer.from(line).toString('latin1')}\n`, NOW, visit, 'auth.log', sessions);
    return told;
  });
}

const EVIDENCE = 'counts-nothing';
const ALREADY = 'counted-already';

describe('a host that takes keys only', () => {
  test('bans at the fifth connection that names a user and goes', () => {
    const lines = [1, 2, 3, 4, 5].flatMap((n) =>
      connection(
        800 + n,
        `Invalid user bob${n} from ${CLIENT}`,
        `Connection closed by invalid user bob${n} ${CLIENT} [preauth]`,
      ),
    );
    const expected = [1, 2, 3, 4, 'ban'].flatMap((count) => [EVIDENCE, count]);
    expect(replay(lines, 'normal', 5)).toEqual(expected);
  });

  test.each([
    ['Connection closed by authenticating user root 192.0.2.7 port 40022 [preauth]'],
    ['Connection reset by invalid user a b 192.0.2.7 port 40022 [preauth]'],
    ['Disconnected from invalid user bob 192.0.2.7 port 40022 [preauth]'],
    ['Disconnecting invalid user bob 192.0.2.7 port 40022: Too many authentication failures [preauth]'],
    [
      'Disconnecting authenticating user root 192.0.2.7 port 40022: Change of username or service not allowed: (root,ssh-connection) -> (bob,ssh-connection) [preauth]',
    ],
  ])('counts "%s"', (message) => expect(replay(connection(812, message))).toEqual([1]));

  test('counts who may not log in once, whatever the connection leaves behind', () => {
    const lines = connection(
      812,
      'User root from 192.0.2.7 not allowed because not listed in AllowUsers',
      `Received disconnect from ${CLIENT}:11: Bye Bye [preauth]`,
      `Disconnected from invalid user root ${CLIENT} [preauth]`,
    );
    expect(replay(lines)).toEqual([EVIDENCE, EVIDENCE, 1]);
  });

  const key = `Failed publickey for ops from ${CLIENT} ssh2: ED25519 SHA256:Pp7Qw1ZrVm0B3yF4f2p3`;

  test('never counts who gets in with the fourth key', () => {
    const lines = connection(
      812,
      key,
      key,
      key,
      `Accepted publickey for ops from ${CLIENT} ssh2: RSA SHA256:Pp7`,
    );
    const after = connection(813, `Received disconnect from ${CLIENT}:11: disconnected by user`);
    const ends = connection(813, `Disconnected from user ops ${CLIENT}`);
    expect(replay([...lines, ...after, ...ends])).toEqual([
      EVIDENCE,
      EVIDENCE,
      EVIDENCE,
      'success',
      '-',
      '-',
    ]);
  });

  test.each(['normal', 'aggressive'] as const)('counts who has six wrong keys once (%s)', (mode) => {
    const lines = connection(
      812,
      ...Array.from({ length: 6 }, () => key),
      `error: maximum authentication attempts exceeded for ops from ${CLIENT} ssh2 [preauth]`,
      `Disconnecting authenticating user ops ${CLIENT}: Too many authentication failures [preauth]`,
    );
    expect(replay(lines, mode)).toEqual([...Array.from({ length: 6 }, () => EVIDENCE), 1, ALREADY]);
  });
});

describe('a host that takes passwords', () => {
  test.each(['normal', 'aggressive'] as const)('counts a wrong one through PAM once (%s)', (mode) => {
    const lines = connection(
      812,
      `Invalid user admin from ${CLIENT}`,
      'pam_unix(sshd:auth): check pass; user unknown',
      'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 ',
      `Failed password for invalid user admin from ${CLIENT} ssh2`,
      `Received disconnect from ${CLIENT}:11: Bye Bye [preauth]`,
      `Disconnected from invalid user admin ${CLIENT} [preauth]`,
    );
    expect(replay(lines, mode)).toEqual([EVIDENCE, '-', EVIDENCE, 1, EVIDENCE, ALREADY]);
  });

  test('bans at the fifth attempt, however the connections lie side by side', () => {
    const opened = [1, 2, 3, 4, 5, 6].map(
      (n) => connection(800 + n, `Failed password for root from ${CLIENT} ssh2`)[0]!,
    );
    const closed = [1, 2, 3, 4].map(
      (n) => connection(800 + n, `Connection closed by authenticating user root ${CLIENT} [preauth]`)[0]!,
    );
    expect(replay([...opened.slice(0, 4), ...closed, ...opened.slice(4)], 'normal', 5)).toEqual([
      ...[1, 2, 3, 4, ALREADY, ALREADY, ALREADY, ALREADY, 'ban', 'banned'],
    ]);
  });

  test('counts each of three guesses on one connection, folded by rsyslog', () => {
    const lines = connection(
      812,
      `Failed password for root from ${CLIENT} ssh2`,
      `message repeated 2 times: [ Failed password for root from ${CLIENT} ssh2]`,
      `error: maximum authentication attempts exceeded for root from ${CLIENT} ssh2 [preauth]`,
      `Disconnecting authenticating user root ${CLIENT}: Too many authentication failures [preauth]`,
      'PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root',
      'PAM service(sshd) ignoring max retries; 3 > 3',
    );
    expect(replay(lines)).toEqual([1, 3, ALREADY, ALREADY, EVIDENCE, '-']);
  });

  test('counts again who comes back with the next connection', () => {
    const failed = `Failed password for root from ${CLIENT} ssh2`;
    const closed = `Connection closed by authenticating user root ${CLIENT} [preauth]`;
    expect(replay([...connection(812, failed, closed), ...connection(815, failed, closed)])).toEqual([
      1,
      ALREADY,
      2,
      ALREADY,
    ]);
  });
});

describe("a host that asks through PAM's prompts", () => {
  const unix =
    '[814] pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 ';

  test('counts each wrong answer once, whether sshd reports the method too or not', () => {
    const failed = `Failed keyboard-interactive/pam for invalid user admin from ${CLIENT} ssh2`;
    const pam =
      'error: PAM: User not known to the underlying authentication module for illegal user admin from 192.0.2.7';
    const unknown = connection(
      812,
      `Invalid user admin from ${CLIENT}`,
      `Postponed keyboard-interactive for invalid user admin from ${CLIENT} ssh2 [preauth]`,
      ...[unix, pam, failed, unix, pam, failed],
      `Connection closed by invalid user admin ${CLIENT} [preauth]`,
    );
    expect(replay(unknown)).toEqual([
      EVIDENCE,
      '-',
      ...[EVIDENCE, 1, ALREADY, EVIDENCE, 2, ALREADY],
      ALREADY,
    ]);
    const known = connection(
      820,
      ...[unix, 'error: PAM: Authentication failure for root from 192.0.2.7'],
      `Connection closed by authenticating user root ${CLIENT} [preauth]`,
    );
    expect(replay(known)).toEqual([EVIDENCE, 1, ALREADY]);
  });

  test('counts a connection once where the line of PAM names a host', () => {
    const lines = connection(
      812,
      'error: PAM: Authentication failure for root from client.example.net',
      `Failed keyboard-interactive/pam for root from ${CLIENT} ssh2`,
      'error: PAM: Authentication failure for root from client.example.net',
      `Failed keyboard-interactive/pam for root from ${CLIENT} ssh2`,
      `Connection closed by authenticating user root ${CLIENT} [preauth]`,
    );
    expect(replay(lines)).toEqual(['-', 1, '-', ALREADY, ALREADY]);
  });
});

describe('OpenSSH before 7.5, whose last words name no address', () => {
  const many = 'Disconnecting: Too many authentication failures for root [preauth]';

  test.each(['normal', 'aggressive'] as const)(
    'are counted once, after whatever came before (%s)',
    (mode) => {
      const keys = connection(812, `Failed publickey for root from ${CLIENT} ssh2: RSA 0e:1f`, many);
      expect(replay(keys, mode)).toEqual([EVIDENCE, 1]);
      const passwords = connection(
        812,
        ...Array.from({ length: 3 }, () => `Failed password for root from ${CLIENT} ssh2`),
        many,
        'PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root',
      );
      expect(replay(passwords, mode)).toEqual([1, 2, 3, ALREADY, EVIDENCE]);
      const verbose = connection(
        812,
        `Connection from ${CLIENT} on 198.51.100.1 port 22`,
        `error: maximum authentication attempts exceeded for root from ${CLIENT} ssh2 [preauth]`,
        many,
      );
      expect(replay(verbose, mode)).toEqual(['-', 1, ALREADY]);
    },
  );

  test('are counted once where only the end of the connection names the address', () => {
    const lines = connection(
      812,
      many,
      'Connection closed by 192.0.2.7 [preauth]',
      'Connection closed by 192.0.2.7',
    );
    expect(replay(lines)).toEqual(['-', 1, '-']);
    expect(replay(lines.slice(0, 2), 'aggressive')).toEqual(['-', 1]);
  });

  test('are nobody’s where a pid comes again', () => {
    const other = '192.0.2.8 port 40023';
    const lines = [
      ...connection(812, many, `Accepted publickey for ops from ${other} ssh2: RSA 0e:1f`),
      ...connection(812, 'Connection closed by 192.0.2.8'),
      ...connection(
        813,
        `Failed password for root from ${other} ssh2`,
        'Connection closed by 192.0.2.8 [preauth]',
      ),
      ...connection(813, many),
    ];
    expect(replay(lines)).toEqual(['-', 'success', '-', 1, '-', '-']);
  });

  test('count for probes where a jail asks for it, once for each connection', () => {
    const lines = connection(
      812,
      `Connection from ${CLIENT} on 198.51.100.1 port 22`,
      'error: kex_exchange_identification: client sent invalid protocol identifier "GET / HTTP/1.1"',
      `banner exchange: Connection from ${CLIENT}: invalid format`,
    );
    const [second] = connection(813, `banner exchange: Connection from ${CLIENT}: invalid format`);
    expect(replay([...lines, second!], 'aggressive')).toEqual(['-', 1, ALREADY, 2]);
    expect(replay([...lines, second!])).toEqual(['-', '-', '-', '-']);
  });
});

test('connections that name no user count only where a jail asks for it', () => {
  const lines = connection(812, `Connection closed by ${CLIENT} [preauth]`);
  expect([replay(lines), replay(lines, 'aggressive')]).toEqual([['-'], [1]]);
});

test('OpenSSH 9.8 and later say so under another name', () => {
  const lines = [
    `2026-01-05T10:11:12.123456+00:00 web sshd-session[812]: Failed password for root from ${CLIENT} ssh2`,
    `2026-01-05T10:11:14.123456+00:00 web sshd-session[812]: Connection closed by authenticating user root ${CLIENT} [preauth]`,
    `<86>1 2026-01-05T10:11:15.5Z web sshd-session 813 - - Connection closed by authenticating user root ${CLIENT} [preauth]`,
  ];
  expect(replay(lines)).toEqual([1, ALREADY, 2]);
});
