import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../src/filters/compile.ts';
import type { Filter, Refutation } from '../../src/filters/contract.ts';
import { parseFilter } from '../../src/filters/definition.ts';
import { proveFilter } from '../../src/filters/prove.ts';

function filterOf(yaml: string, logFormat?: string): Filter {
  const { definition, faults } = parseFilter(yaml, 'filters/tried.yaml');
  if (!definition) throw new Error(JSON.stringify(faults));
  const options = { logFormat, zone: 'UTC', mode: 'normal', where: undefined, except: undefined } as const;
  const compiled = compileFilter(definition, options);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.filter;
}

const prove = (yaml: string, logFormat?: string): Refutation[] => proveFilter(filterOf(yaml, logFormat));
const plain = (...patterns: string[]): string =>
  `service: x\nlayout: plain\nmatch:\n${patterns.map((pattern) => `  - '${pattern}'\n`).join('')}`;

describe('a filter that holds', () => {
  test('as the reference shows it is not refuted', () => {
    expect(
      prove(`service: OpenSSH
layout: syslog
program: [sshd, sshd-session]
match:
  - '^Failed \\S+ for (?:invalid user )?<user> from <ip> port \\d+(?: ssh\\d)?$'
  - { regex: '^Invalid user <user> from <ip>(?: port \\d+)?$', counts: 0 }
  - { regex: '^banner exchange: Connection from <ip> port \\d+: invalid format$', mode: aggressive }
success:
  - '^Accepted \\S+ for <user> from <ip> port \\d+(?: ssh\\d)?(?:: .*)?$'
except: []
samples:
  - line: 'Jan  5 10:11:12 web sshd[812]: Failed password for root from 192.0.2.7 port 40022 ssh2'
    yields: { ip: 192.0.2.7, user: root }
  - line: 'Jan  5 10:11:13 web sshd[812]: Accepted publickey for ops from 192.0.2.9 port 40022 ssh2'
    yields: none
forged:
  - line: 'Jan  5 10:11:14 web sshd[812]: Failed password for invalid user x from 203.0.113.9 port 1 from 192.0.2.7 port 40022 ssh2'
    yields: { ip: 192.0.2.7 }
`),
    ).toEqual([]);
  });

  test.each([
    ['names the address first, whatever follows', plain('^login failed: <ip> .*')],
    ['ends openly with the address', plain('auth failure from <HOST>')],
    [
      'ends openly with it behind text that the service limits',
      `${plain('failed for <F-ID>\\S+</F-ID> from <HOST>')}limits: { id: a number in the source }\n`,
    ],
    ['ends with it behind text of its own', plain('failed for <F-ID>\\S+</F-ID> from <HOST>$')],
    ['ends with it and what may follow', plain('bad address <ip>(?: port \\d+)?')],
    ['goes on with anything right behind it', plain('dead end <ip>.*')],
    ['goes on with anything but a blank right behind it', plain('dead end <ip>\\S*')],
    ['ends the line with the address', plain('^login of <user> failed from <ip>$')],
    [
      'leaves alone what has two addresses',
      `${plain('^login of <user> from <ip>: .*$')}except: '^login of .* from .* from '\n`,
    ],
    ['has a list only before the address', plain('^login of [\\w.-]+ failed from <ip>: .*$')],
    [
      'has conditions that its honest line would not meet',
      `${plain('^<user> from <ip>$')}where: { user: root }\n`,
    ],
  ])('one that %s', (_what, yaml) => expect(prove(yaml)).toEqual([]));
});

describe('a pattern that a client can bend is refused with the line that bends it', () => {
  test.each([
    ['an open end behind greedy text', '^login of <user> failed from <ip>'],
    ['an end in .*', '^login of <user> failed from <ip> .*$'],
    ['anything before the address', '^login failed.* <ip>.*$'],
    ['anything before it, as little as possible', '^login failed.*? <ip>.*$'],
    ['an address inside free text', '^note: <text>client <ip><rest>$'],
    [
      'quotes that the service does not escape',
      '^user "[^"]*": password mismatch, client: <ip>, server: .*$',
    ],
    ['words that a blank ends, with an open rest', '^login of (?<user>\\S+) failed from <ip>: .*$'],
    ['words that no field keeps', '^login of [^\\s,]+ failed from <ip>, agent'],
    ['a list in a field', '^login of (?<user>[\\w.@-]+) failed from <ip>: .*$'],
    ['words behind the address that end the line', '^(?<who>\\S+) from <ip> and <more>$'],
    ['text that ends where a client may end it', '^path <path> not found, client <ip>, agent <agent>$'],
  ])('%s', (_what, pattern) => {
    const refuted = prove(plain('^harmless <ip>$', pattern));
    expect(refuted).toHaveLength(1);
    const [forgery] = refuted;
    expect(forgery).toMatchObject({ kind: 'forgery', line: 5, column: 5 });
    expect(forgery!.expected).toMatch(/^(192\.0\.2\.7|2001:db8::7) or no match$/);
    expect(forgery!.got).toMatch(/^(203\.0\.113\.66|2001:db8:bad::66)$/);
    // The line itself shows both: who sent it and whom he wanted counted.
    expect(forgery!.text).toContain(forgery!.got);
    // It is a line that the filter takes as told.
    const verdict = filterOf(plain('^harmless <ip>$', pattern)).judge(forgery!.text, Date.UTC(2026, 0, 6));
    expect(verdict).toMatchObject({ outcome: 'match', match: { address: { text: forgery!.got } } });
  });

  test('and told how to state a limit, where the class of a field is all that it has', () => {
    const [word] = prove(plain('^login of (?<user>\\S+) failed from <ip>: .*$'));
    expect(word!.hint).toContain('under "limits"');
    const [text] = prove(plain('^login of <user> failed from <ip>: .*$'));
    expect(text!.hint).toBeUndefined();
  });

  test('unless the filter states a limit of another field only', () => {
    const yaml = `${plain('^(?<host>\\S+) (?<user>\\S+) from <ip>: .*$')}limits: { host: written by syslog }\n`;
    expect(prove(yaml)).toHaveLength(1);
    expect(prove(yaml.replace('limits: {', 'limits: { user: an account,'))).toEqual([]);
  });

  test('also where only another pattern of the filter takes the forged line', () => {
    const sound = '^refused <user> from <ip>$';
    expect(prove(plain(sound))).toEqual([]);
    expect(prove(plain('^refused (?<who>\\S+) \\(from <ip>\\)', sound)).map(({ line }) => line)).toContain(5);
  });

  test('also where the pattern is taken in by aggressive jails only', () => {
    const yaml = `service: x\nlayout: plain\nmatch: ['^a <ip>$', { regex: '^b <user> from <ip>', mode: aggressive }]\n`;
    expect(prove(yaml)).toMatchObject([{ kind: 'forgery', line: 3, got: '203.0.113.66' }]);
  });

  test('also where a failure could be written so that it reads as a success', () => {
    const yaml = `${plain('^log-in of (?<user>[^:]*) from <ip>: failed$')}success: '^log-in of .* from <ip>: ok.*$'\n`;
    expect(prove(yaml)).toContainEqual(expect.objectContaining({ kind: 'forgery', line: 4 }));
  });

  test('and so is one of which no line can be made, for nothing could be tried', () => {
    expect(prove(plain('^a(?<=b) from <ip>$'))).toMatchObject([
      { kind: 'forgery', line: 4, got: 'no match' },
    ]);
  });
});

describe('samples', () => {
  const yaml = (sample: string): string =>
    `service: x
layout: syslog
match:
  - '^no <user> from <ip>$'
  - { regex: '^twice <ip>$', counts: 2 }
  - { regex: '^probe <ip>$', mode: aggressive }
  - { regex: '^closed <ip>$', counts: session }
success: '^yes <user> from <ip>$'
samples:
  - ${sample}
`;
  const line = (message: string, yields: string): string =>
    yaml(`{ line: 'Jan  5 10:11:12 h x: ${message}', yields: ${yields} }`);

  test.each([
    ['no root from 192.0.2.7', '{ ip: 192.0.2.7, user: root }'],
    ['no ü from 192.0.2.7', '{ user: ü }'],
    ['no  from ::ffff:192.0.2.7', '{ ip: 192.0.2.7, user: "" }'],
    ['twice 192.0.2.7', '{ counts: 2, time: "2026-01-05T10:11:12.000Z" }'],
    ['probe 192.0.2.7', '{ ip: 192.0.2.7, mode: aggressive }'],
    ['closed 192.0.2.7', '{ counts: session }'],
    ['yes root from 192.0.2.7', '{ ip: 192.0.2.7, outcome: success }'],
    ['yes root from 192.0.2.7', 'none'],
    ['no root from nowhere', 'none'],
  ])('"%s" yields %s', (message, yields) => expect(prove(line(message, yields))).toEqual([]));

  test.each([
    ['no root from 192.0.2.7', '{ ip: 192.0.2.8 }', 'ip "192.0.2.7"'],
    ['no root from 192.0.2.7', '{ host: x }', 'outcome "match"'],
    ['no root from 192.0.2.7', 'none', 'ip "192.0.2.7"'],
    ['no root from nowhere', '{ user: root }', 'no-match (no pattern fits)'],
    ['twice 192.0.2.7', '{ counts: 1 }', 'counts "2"'],
    ['closed 192.0.2.7', '{ counts: 1 }', 'counts "session"'],
    ['twice 192.0.2.7', '{ time: "2025-01-05T10:11:12.000Z" }', 'time "2026-01-05T10:11:12.000Z"'],
    ['probe 192.0.2.7', '{ ip: 192.0.2.7 }', 'no-match (no pattern fits)'],
    ['probe 192.0.2.7', 'none', 'ip "192.0.2.7"'],
    ['no root from 192.0.2.7', '{ ip: 192.0.2.7, mode: aggressive }', 'ip "192.0.2.7"'],
    ['yes root from 192.0.2.7', '{ ip: 192.0.2.7 }', 'outcome "success"'],
    ['no root from 192.0.2.7', '{ outcome: success }', 'outcome "match"'],
  ])('"%s" does not yield %s', (message, yields, got) => {
    const refuted = prove(line(message, yields));
    expect(refuted).toMatchObject([
      { kind: 'sample', line: 10, column: 5, text: `Jan  5 10:11:12 h x: ${message}` },
    ]);
    expect(refuted[0]!.got).toContain(got);
  });

  test('forged lines are held to the same, and named as what they are', () => {
    const text = yaml('{ line: x, yields: none }')
      .replace('samples:', 'forged:')
      .replace('yields: none', 'yields: { ip: 192.0.2.7 }');
    expect(prove(text)).toMatchObject([{ kind: 'forged', expected: 'outcome "match", ip "192.0.2.7"' }]);
  });
});

describe('a filter by fields', () => {
  const yaml = 'service: nginx\nlayout: access\nwhere: { status: 401 }\n';
  test.each([
    undefined,
    'combined',
    'common',
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
    '$time_iso8601 $remote_addr "$request" $status $request_time "$upstream_response_time"',
    '[$msec] "$http_x" $status $remote_addr:$remote_port "$request_uri"',
    '$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
    '$remote_addr [$time_local] "$request" $status "$http_user_agent" $request_time $upstream_response_time',
    '$http2 $limit_req_status $upstream_cache_status $proxy_protocol_addr $remote_addr "$request" $status',
    // A client chooses the host, but nginx writes none with a blank.
    '$host $remote_addr - $remote_user [$time_local] "$request" $status',
    '$remote_addr - $remote_user [$time_local] $host "$request" $status "$http_referer"',
    '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent',
    '$remote_addr [$time_local] $request_method $scheme://$host$request_uri $status',
    '$remote_addr [$time_local] $scheme://$host:$server_port$uri $status',
    '$remote_addr - $remote_user [$time_local] "$scheme://$host$request_uri" $status',
  ])('holds whatever clients send, in %j', (logFormat) => expect(prove(yaml, logFormat)).toEqual([]));

  test('on a field that combined lacks has its samples read in its own format', () => {
    const own = `${yaml.replace('status: 401', 'host: a')}samples: [{ line: '192.0.2.7 401 "a"', yields: { ip: 192.0.2.7 } }]\n`;
    expect(prove(own, '$remote_addr $status "$host"')).toEqual([]);
  });
});
