// Attacks that were published against other daemons of this kind: lines that a client had a service write, so that
// somebody else was banned, a command was run, or the daemon stood still. Each is made anew against our filter for that
// service, and must name who sent it, or nobody; and each kind of pattern that was open to it must be refused.
//
// Holes that have nothing to do with log text (temporary files, sockets, descriptors) are not here.
import { describe, expect, test } from 'vitest';
import { createBans } from '../../src/daemon/bans.ts';
import { applyChunk, type SittingJail } from '../../src/daemon/pipeline.ts';
import { createSessions } from '../../src/daemon/intake/sessions.ts';
import type { Filter } from '../../src/filters/contract.ts';
import { createScanner, proveFilter } from '../../src/filters/index.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import type { Chunk, Position } from '../../src/model.ts';
import { silentLog } from '../../src/ports.ts';
import { createPlans } from '../../src/setup/index.ts';
import { EVERYTHING } from '../firewall/conformance.ts';
import { createOldKernel } from '../firewall/old-kernel.ts';
import { createStandingClock } from '../firewall/worlds.ts';
import { jailWith } from '../jails/support.ts';
import { LONG } from './hostile-lines.ts';
import { faultsOf, NOW, pattern, plain, scan } from './engine.ts';
import { createScale, type Excess } from './processor-time.ts';
import { shippedFilter } from './shipped.ts';

/** Who sent the line, and who was to be banned for it. */
const CLIENT = '192.0.2.7';
const VICTIM = '203.0.113.66';

const shipped = new Map<string, Filter[]>();
/** A shipped filter in both modes. */
function inBothModes(name: string): Filter[] {
  const filters =
    shipped.get(name) ?? (['normal', 'aggressive'] as const).map((mode) => shippedFilter(name, { mode }));
  shipped.set(name, filters);
  return filters;
}

/** Everybody whom a shipped filter names, in either mode, a success aside. */
function named(name: string, line: string): string[] {
  const bytes = `${Buffer.from(line, 'utf8').toString('latin1')}\n`;
  const found = scan(inBothModes(name), bytes).filter(({ match }) => match.outcome === 'failure');
  return [...new Set(found.map(({ match }) => match.address.text))];
}

/** Whom a line of this service names: its client, or nobody. */
type Attack = readonly [who: 'the client' | 'nobody', message: string];

function attacks(filter: string, frame: (message: string) => string, cases: readonly Attack[]): void {
  test.each(cases)(`${filter} names %s: %s`, (who, message) =>
    expect(named(filter, frame(message))).toEqual(who === 'nobody' ? [] : [CLIENT]),
  );
}

/** Whom a forgery that was made of the pattern got named; empty where the pattern holds. */
function bentBy(regex: string): string[] {
  return proveFilter(plain(regex)).map(({ got }) => got);
}

function refuses(...patterns: string[]): void {
  test.each(patterns)('a pattern that is open to it is refused: %s', (regex) =>
    expect(bentBy(regex)).toEqual([VICTIM]),
  );
}

const sshd = (message: string): string => `Jan  5 10:11:12 web sshd[812]: ${message}`;

describe('CVE-2006-6302: a user name for sshd that holds an address', () => {
  attacks('sshd', sshd, [
    ['the client', `Failed password for invalid user x from ${VICTIM} from ${CLIENT} port 40022 ssh2`],
    [
      'the client',
      `Failed password for invalid user x from ${VICTIM} port 22 ssh2 from ${CLIENT} port 40022 ssh2`,
    ],
    ['the client', `Failed none for invalid user from ${VICTIM} port 22 from ${CLIENT} port 40022 ssh2`],
    ['the client', `Invalid user root from ${VICTIM} port 22 from ${CLIENT} port 40022`],
    ['the client', `Connection closed by invalid user x ${VICTIM} port 22 ${CLIENT} port 40022 [preauth]`],
    ['nobody', `input_userauth_request: invalid user x from ${VICTIM} port 22 ssh2 [preauth]`],
  ]);
  refuses('^Failed password for .* from <ip>', '^Failed password for <user> from <ip> .*$');
});

describe('CVE-2007-4321: a client version for sshd that holds an address', () => {
  attacks('sshd', sshd, [
    [
      'the client',
      `Bad protocol version identification 'SSH-9 from ${VICTIM} port 22' from ${CLIENT} port 40022`,
    ],
    ['the client', `Bad protocol version identification '' from ${VICTIM}' from ${CLIENT} port 40022`],
    [
      'the client',
      `Protocol major versions differ for ${CLIENT} port 40022: SSH-2.0-OpenSSH_9.6 vs. SSH-9.0-x for ${VICTIM}: y`,
    ],
    ['nobody', `Client protocol version 2.0; client software version x from ${VICTIM} port 22`],
  ]);
  refuses("^Bad protocol version identification '.*' from <ip>");
});

describe('CVE-2007-4323 and CVE-2013-6890: a user name for sshd that is a line of sshd', () => {
  attacks('sshd', sshd, [
    ['the client', `Invalid user Invalid user root from ${VICTIM} from ${CLIENT} port 40022`],
    [
      'the client',
      `Failed password for invalid user Invalid user root from ${VICTIM} from ${CLIENT} port 40022 ssh2`,
    ],
    [
      'the client',
      `Failed password for invalid user Failed password for root from ${VICTIM} port 22 ssh2 from ${CLIENT} port 40022 ssh2`,
    ],
    [
      'nobody',
      `User User root from ${VICTIM} not allowed because not listed in AllowUsers from ${CLIENT} not allowed because not listed in AllowUsers`,
    ],
    ['nobody', `input_userauth_request: invalid user Invalid user root from ${VICTIM} [preauth]`],
    ['nobody', `error: Could not get shadow information for Invalid user root from ${VICTIM}`],
  ]);
  refuses('^.*Invalid user .* from <ip>', '^<text>Invalid user \\S+ from <ip>');
});

describe('LWN 239279: a whole record inside a user name', () => {
  const record = sshd(`Failed password for root from ${VICTIM} port 22 ssh2`);
  attacks('sshd', sshd, [
    ['the client', `Failed password for invalid user x\\n${record} from ${CLIENT} port 40022 ssh2`],
    ['the client', `Failed password for invalid user x\\012${record} from ${CLIENT} port 40022 ssh2`],
    ['the client', `Failed password for invalid user x\r${record} from ${CLIENT} port 40022 ssh2`],
    ['the client', `Failed password for invalid user x\x85${record} from ${CLIENT} port 40022 ssh2`],
    ['the client', `Failed password for invalid user x\u2028${record} from ${CLIENT} port 40022 ssh2`],
  ]);
});

describe('CVE-2009-0362: a name in the DNS that begins or ends as an address does', () => {
  const pam = (host: string): string =>
    `authentication failure; logname= uid=0 euid=0 tty=ftp ruser=root rhost=${host}  user=root`;
  const hosts = [
    `${VICTIM}.client.example`,
    `client-${VICTIM}`,
    `client.${VICTIM}`,
    `${VICTIM}_x`,
    `[${VICTIM}].example`,
  ];
  const cases = hosts.map((host): Attack => ['nobody', pam(host)]);
  attacks(
    'pam-generic',
    (message) => `Jan  5 10:11:12 web wu-ftpd[812]: pam_unix(ftp:auth): ${message}`,
    cases,
  );
  attacks('sshd', (message) => sshd(`pam_unix(sshd:auth): ${message}`), cases);
  attacks('pam-generic', (message) => `Jan  5 10:11:12 web wu-ftpd[812]: pam_unix(ftp:auth): ${message}`, [
    ['the client', pam(CLIENT).replace('ruser=root', `ruser=rhost=${VICTIM}`)],
  ]);
  refuses('^authentication failure; .*rhost=<ip>');
});

describe('CVE-2013-2178: a request that holds a line of Apache', () => {
  const apache = (message: string): string =>
    `[Mon Jan 05 10:11:12.123456 2026] [auth_basic:error] [pid 812:tid 815] ${message}`;
  const forged = `[client ${VICTIM}:22] AH01618: user x not found: /`;
  attacks('apache-auth', apache, [
    ['the client', `[client ${CLIENT}:40022] AH01618: user ${forged} not found: /private`],
    [
      'the client',
      `[client ${CLIENT}:40022] AH01617: user x: authentication failure for "/${forged}": Password Mismatch`,
    ],
    ['nobody', `[client ${CLIENT}:40022] File does not exist: /srv/www/${forged}`],
    [
      'nobody',
      `[client ${CLIENT}:40022] AH00128: File does not exist: /srv/www/${forged}, referer: ${forged}`,
    ],
  ]);
  attacks('nginx-auth', (message) => `2026/01/05 10:11:12 [error] 812#812: *3 ${message}`, [
    [
      'nobody',
      `open() "/srv/www/x" user "y": password mismatch, client: ${VICTIM}" failed (2: No such file or directory), client: ${CLIENT}, server: _, request: "GET /x HTTP/1.1", host: "web"`,
    ],
  ]);
  refuses('^.*\\[client <ip>\\] user .* not found', '^\\[error\\] .*\\[client <ip>\\] client denied');
});

describe('CVE-2013-7176: a mail address for Postfix that holds a client', () => {
  const postfix = (message: string): string => `Jan  5 10:11:12 mx postfix/smtpd[812]: ${message}`;
  const rest = `from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<unknown[${VICTIM}]: 554 5.7.1 x>`;
  attacks('postfix-rejects', postfix, [
    [
      'the client',
      `NOQUEUE: reject: RCPT from unknown[${CLIENT}]: 554 5.7.1 <"x from unknown[${VICTIM}]: 554 5.7.1 "@example.net>: Relay access denied; ${rest}`,
    ],
    [
      'the client',
      `NOQUEUE: reject: MAIL from unknown[${CLIENT}]: 550 5.1.7 <x>: RCPT from unknown[${VICTIM}]: 554 5.7.1 y>: Sender address rejected; ${rest}`,
    ],
    [
      'the client',
      `warning: non-SMTP command from unknown[${CLIENT}]: warning: non-SMTP command from unknown[${VICTIM}]: x`,
    ],
  ]);
  attacks('postfix', postfix, [
    [
      'the client',
      `warning: unknown[${CLIENT}]: SASL LOGIN authentication failed: authentication failure, sasl_username=warning: unknown[${VICTIM}]: SASL LOGIN authentication failed: x`,
    ],
    [
      'nobody',
      `warning: hostname x[${VICTIM}]: SASL LOGIN authentication failed: y does not resolve to address ${CLIENT}`,
    ],
  ]);
  refuses('^\\w+: reject: RCPT from .*\\[<ip>\\]: 554 .*$');
});

describe('CVE-2013-7177: a user name for Cyrus IMAP that holds a client', () => {
  const rest = '[SASL(-13): authentication failure: checkpass failed]';
  attacks('cyrus-imap', (message) => `Jan  5 10:11:12 mx cyrus/imap[812]: ${message}`, [
    ['the client', `badlogin: [${CLIENT}] plaintext x [${VICTIM}] plaintext y ${rest}`],
    ['the client', `badlogin: host.example[${CLIENT}] plaintext badlogin: x [${VICTIM}] y ${rest} ${rest}`],
    [
      'nobody',
      `badlogin: x [${VICTIM}] plaintext y ${rest} [${CLIENT}] plaintext z ok`.replace('badlogin', 'login'),
    ],
  ]);
  refuses('^badlogin: .* \\[<ip>\\] plaintext .* SASL\\(-13\\): .*$', '^badlogin: .*\\[<ip>\\] .*$');
});

describe('sshguard before 1.5: a line of sshd that other services write', () => {
  attacks('sshd', (message) => message, [
    [
      'nobody',
      `Jan  5 10:11:12 web cron[812]: sshd[813]: Failed password for root from ${VICTIM} port 22 ssh2`,
    ],
    ['nobody', `Jan  5 10:11:12 web logger: Failed password for root from ${VICTIM} port 22 ssh2`],
    ['nobody', `Jan  5 10:11:12 web sshd-x[812]: Failed password for root from ${VICTIM} port 22 ssh2`],
    ['nobody', `Jan  5 10:11:12 web x: sshd[812]: Failed password for root from ${VICTIM} port 22 ssh2`],
  ]);
});

// ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Everything that reaches another program because of a line that bans: what nft is told, and what is written of the ban. */
async function toldBecauseOf(line: string): Promise<{ nft: string; ban: string }> {
  const jail = jailWith({ rules: { maxRetry: 1 } });
  const config = { logs: ['auth.log'], filters: ['sshd'], dryRun: false };
  const filters = inBothModes('sshd').slice(0, 1);
  const ready = { rules: jail.rules, filters, config, scope: EVERYTHING } as unknown as SittingJail['ready'];
  const sitting: SittingJail = { ready, jail, onlyDetects: false };
  const plan = createPlans(
    [sitting],
    () => ready,
    () => [],
  ).for([sitting]);
  const text = `${Buffer.from(line, 'utf8').toString('latin1')}\n`;
  const chunk: Chunk = {
    ...{ source: 'auth.log', patterns: ['auth.log'], file: 'auth.log', text, firstLine: 1, lines: 1 },
    ...{ position: {} as Position, arrivedAt: NOW, live: true, commitFirst: false },
  };
  const [ban] = applyChunk(chunk, plan, createSessions([]), createBans([], 1), NOW).bans;

  if (!ban?.scope) throw new Error('the line bans nobody');
  const { scope, address: network, until, since } = ban;
  const clock = createStandingClock(since);
  const kernel = createOldKernel(clock);
  const firewall = createFirewall('nftables', { exec: kernel, clock, log: silentLog });
  await firewall.prepare([]);
  await firewall.apply([{ what: 'block', scope, network, until }], since);
  await firewall.close();
  // Evidence goes to the ledger, and to whoever asks for it on the control socket: to no program.
  return { nft: kernel.transactions.join('\n'), ban: JSON.stringify({ ...ban, evidence: [] }) };
}

describe.each([
  [
    'CVE-2012-5642: a line in the text of a command',
    [
      '$(touch owned)',
      '`touch owned`',
      '; touch owned #',
      "' || touch owned '",
      '" | touch owned',
      '&& touch owned',
      '> owned',
      '%s touch owned',
    ],
  ],
  [
    'CVE-2021-32749: a line that a mailer reads as a command',
    ['~! touch owned', '~|touch owned', '~<!touch owned'],
  ],
  [
    'a line in the text of a rule',
    ['}; flush ruleset; add element owned {', '\\n flush ruleset owned', '0.0.0.0/0 } owned'],
  ],
])('%s', (_name, texts) => {
  test.each(texts)('%s reaches no program', async (text) => {
    const { nft, ban } = await toldBecauseOf(
      sshd(`Failed password for invalid user ${text} from ${CLIENT} port 40022 ssh2`),
    );
    expect(nft).toContain(`{ ${CLIENT} timeout`);
    expect(ban).toContain('1 match of sshd');
    for (const told of [nft, ban]) expect(told).not.toMatch(/owned|ruleset;|[`$|&~]/);
  });
});

// ── standing still ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A long line that is harmless: nothing in it has to be tried twice. */
const HARMLESS = `harmless ${'x'.repeat(LONG)} from ${CLIENT}`;

function scanning(filter: Filter, line: string): () => void {
  const scanner = createScanner([filter]);
  return () => void scanner.scan(`${line}\n`, NOW, () => {});
}

const repeated = (text: string, length = LONG): string => text.repeat(Math.ceil(length / text.length));

/** As in processor-time.test.ts, which tries all patterns. */
const excessOf = createScale(scanning(plain('^harmless <user> from <ip>$'), HARMLESS), 600);

function expectQuick(filter: Filter, line: string, excess: (task: () => void) => Excess = excessOf): void {
  expect(excess(scanning(filter, line))).toBeUndefined();
}

describe('GHSA-33wh-ccjc-p397 (issue 3370): a line that a regex tries in every way there is', () => {
  const dovecot = (message: string): string => `Jan  5 10:11:12 mx dovecot: imap-login: ${message}`;
  test.each([
    [
      'a name of opening words',
      `Disconnected (auth failed, 1 attempts in 2 secs): user=<${repeated('user=<')}>, method=PLAIN, rip=${CLIENT}, lip=192.0.2.1`,
    ],
    [
      'a name of methods',
      `Disconnected (auth failed, 1 attempts in 2 secs): user=<${repeated('>, method=PLAIN, ')}x`,
    ],
    [
      'a name of clients',
      `Disconnected (auth failed, 1 attempts in 2 secs): user=<${repeated(`>, method=PLAIN, rip=${VICTIM}, lip=192.0.2.1`)}x`,
    ],
    ['reasons inside reasons', `Disconnected: ${repeated('Disconnected (')}`],
    ['reasons in brackets', `Disconnected: ${repeated('(auth failed, 1 attempts in 2 secs): ')}`],
    ['nothing but blanks', `Disconnected${repeated(' ')}`],
  ])('dovecot gets over %s', (_what, message) => {
    for (const name of ['dovecot', 'dovecot-auth'])
      for (const filter of inBothModes(name)) expectQuick(filter, dovecot(message));
  });

  test.each([
    ['a name of clients', `smtp: ${repeated(`x [${VICTIM}] `)}`],
    ['a name of brackets', `smtp: ${repeated('[')}`],
    ['a name of closing words', `smtp: ${repeated(' [1] authentication failure')}`],
    ['servers inside servers', repeated('SMTP Server: Authentication failed for user ')],
    ['digits that begin a stamp', repeated('01-')],
    ['nothing but blanks', repeated(' ')],
  ])('domino-smtp gets over %s', (_what, message) => {
    for (const filter of inBothModes('domino-smtp')) expectQuick(filter, `2026-01-05 10:11:12   ${message}`);
  });

  test.each([
    '^(?:\\S+ )*smtp: <ip> failed$',
    '^(?:[^:]+:? ?)*: <ip>$',
    '^((a+)+ ?)+<ip>$',
    '^(?:.*,)*.*,<ip>$',
    '^(\\w+\\s*)+ \\(<ip>\\)$',
  ])('a pattern of that kind gets over it, or is refused: %s', (regex) => {
    for (const bait of ['a', 'a ', 'smtp: ', ',', ':', 'a: '])
      expectQuick(plain(regex), `${repeated(bait)}!`);
  });

  test.each(['^(?=.*a)(a+)+<ip>$', '^(a*)\\1<ip>$', '^(?:a{1,60}){1,60}<ip>$'])(
    'what can not be run in linear time is refused: %s',
    (regex) => {
      expect(faultsOf({ match: [pattern(regex)] }).map(({ code }) => code)).toContain('E_FILTER_NOT_LINEAR');
    },
  );
});

describe('sshguard 2.5.1: a quoted text that never ends', () => {
  const request = (target: string, rest: string): string =>
    `${CLIENT} - - [05/Jan/2026:10:11:12 +0000] "POST ${target} HTTP/1.1" 401 12 ${rest}`;
  test.each([
    ['escaped quotes', request(`/login?${repeated('\\x22', 250_000)}`, '"-" "-"')],
    ['backslashes', request(`/login?${repeated('\\x5C', 250_000)}`, '"-" "-"')],
    ['an agent of quotes', request('/login', `"-" "${repeated('\\x22" "', 250_000)}`)],
    ['no closing quote', request('/login', `"-" "${repeated('x', 250_000)}`)],
    ['nothing but quotes', request('/login', repeated('"', 250_000))],
  ])('nginx-login gets over %s, and names the client or nobody', (_what, line) => {
    const [filter] = inBothModes('nginx-login');
    const harmless = request(`/${'x'.repeat(250_000)}`, '"-" "-"');
    expectQuick(filter!, line, createScale(scanning(filter!, harmless), 40));
    expect([[CLIENT], []]).toContainEqual(named('nginx-login', line));
  });
});
