import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterDefinition } from '../../src/filters/contract.ts';
import { engineOf } from '../../src/filters/engine.ts';
import { forge, honestLine } from '../../src/filters/forgeries.ts';
import { fieldsOf, proveFilter } from '../../src/filters/index.ts';
import { trials } from '../../src/filters/trials.ts';
import type { Conditions } from '../../src/model.ts';
import { NOW, bytes, filterOf, scan, verdict } from './engine.ts';

const AT = Date.UTC(2026, 0, 5, 10, 11, 12);

const logfmt = (where: Conditions, more: Partial<FilterDefinition> = {}) =>
  filterOf({ layout: 'logfmt', address: ['ip'], where, ...more });

function why(filter: ReturnType<typeof filterOf>, line: string): string {
  const told = filter.judge(bytes(line), NOW);
  return 'match' in told ? told.outcome : `${told.outcome}: ${told.why}`;
}

describe('lines of programs that log logfmt', () => {
  it.each([
    [
      'Grafana',
      'logger=authn.service userId=0 orgId=0 uname= t=2026-01-05T10:11:12.123456789Z level=warn msg="Failed to authenticate request" client=auth.client.form error="[password-auth.failed] invalid username or password" remote_addr=192.0.2.7',
      {
        address: ['remote_addr'],
        where: { msg: 'Failed to authenticate request', uname: { present: false } },
      },
      AT + 123,
    ],
    [
      'Traefik',
      'time="2026-01-05T11:11:12+01:00" level=debug msg="Authentication failed" middlewareName=auth@file middlewareType=BasicAuth ClientHost="192.0.2.7"',
      { address: ['ClientHost'], where: { msg: { prefix: 'Authentication' }, middlewareType: 'BasicAuth' } },
      AT,
    ],
    [
      'Authelia',
      'time="2026-01-05T10:11:12Z" level=error msg="Unsuccessful 1FA authentication attempt by user \'ann\'" error="user \\"ann\\" not found" method=POST path=/api/firstfactor remote_ip=192.0.2.7',
      { address: ['remote_ip'], where: { error: { contains: '"ann"' }, path: '/api/firstfactor' } },
      AT,
    ],
    [
      'slog',
      'time=2026-01-05T10:11:12.123Z level=WARN msg="login failed" req.remote=[2001:db8::7]:40022 req.user="a b"',
      { address: ['req.remote'], where: { 'req.user': 'a b', level: ['WARN', 'ERROR'] } },
      AT + 123,
    ],
    [
      'lograge',
      'method=POST path=/users/sign_in?next=/ format=html status=401 duration=9.12 ip=192.0.2.7',
      { where: { status: '400-499', path: { prefix: '/users/sign_in' } } },
      undefined,
    ],
  ] satisfies [string, string, Partial<FilterDefinition>, number | undefined][])(
    '%s',
    (_name, line, more, at) => {
      const filter = filterOf({ layout: 'logfmt', address: ['ip'], ...more });
      const told = filter.judge(bytes(line), NOW);
      expect(told).toMatchObject({ outcome: 'match', match: { at, counts: 1, pattern: 0 } });
      expect('match' in told && told.match.address.text).toMatch(/^(?:192\.0\.2\.7|2001:db8::7)$/);
      expect(scan([filter], `x\n${bytes(line)}\r\na=b\n`)).toHaveLength(1);
      expect(proveFilter(filter)).toEqual([]);
    },
  );
});

describe('a line of logfmt', () => {
  it.each([
    ['ip=192.0.2.7', {}],
    ['  ip="192.0.2.7"\tx=1 ', {}],
    ['ip=192.0.2.7 flag user="a \\"b\\" \\\\ c"', { user: 'a "b" \\ c' }],
    ['user=a\\nb ip=192.0.2.7', { user: 'a\\nb' }],
    ['user="a\\n\\tb\\x07\\u00e4\\U0001f4a9ü" ip=192.0.2.7', { user: 'a\n\tb\x07ä💩ü' }],
    ['user=a=b ip=192.0.2.7', { user: 'a=b' }],
    ['user= login="" ip=192.0.2.7', {}],
    ['user="x ip=203.0.113.9" ip=192.0.2.7', { user: 'x ip=203.0.113.9' }],
    ['req.ip=203.0.113.9 ip=192.0.2.7', {}],
    ['user=x user=y ip=192.0.2.7', { user: 'y' }],
  ])('%s', (line, fields) => expect(verdict(logfmt({}), line)).toEqual({ ip: '192.0.2.7', ...fields }));

  it.each([
    '',
    '   ',
    'just words',
    '{"ip":"192.0.2.7"}',
    'ip="192.0.2.7',
    'ip="192.0.2.7"x=1',
    'ip=192.0.2.7 user="a\\"',
    'ip=192.0.2.7 user=a"b',
    'ip=192.0.2.7 "user"=a',
    'ip=192.0.2.7 =a',
    'ip=192.0.2.7 user="a\x1bb"',
    'ip=192.0.2.7 user=a\x00b',
    `ip=192.0.2.7 user=${'x'.repeat(256 * 1024)}`,
  ])('is not %.60j', (line) => {
    expect(why(logfmt({}), line)).toMatch(/^no-layout: the line is (?:not logfmt|longer than 256 KiB)/);
    expect(scan([logfmt({})], `${line}\nip=192.0.2.8\n`)).toMatchObject([
      { match: { address: { text: '192.0.2.8' } } },
    ]);
  });

  it.each([
    ['ip=203.0.113.9 ip=192.0.2.7 msg=no', 'ip'],
    ['ip=192.0.2.7 ip msg=no', 'ip'],
    ['ip=192.0.2.7 msg=no msg="no"', 'msg'],
    ['ip=192.0.2.7 msg=no ts=1767607872 ts=1', 'ts'],
    // A service that writes a name without quotes: the one who called himself so gains nothing.
    ['msg=no user=x ip=203.0.113.9 ip=192.0.2.7', 'ip'],
  ])('that says two things at once is believed in nothing: %s', (line, twice) => {
    expect(why(logfmt({ msg: 'no' }), line)).toBe(`no-layout: the line has the field "${twice}" twice`);
  });

  it('never makes it throw, whatever the bytes', () => {
    const filter = logfmt({ a: { regex: 'x' } });
    const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(byte, fc.constantFrom('"', '\\', '=', ' ')) }), (text) => {
        for (const line of [text, `ip="${text}"`, `a=${text} ip=192.0.2.7`])
          expect(() => filter.judge(line, NOW)).not.toThrow();
      }),
    );
  });
});

describe('a filter over logfmt', () => {
  it('tells success, exceptions and cases as one over JSON does', () => {
    const filter = logfmt(
      {},
      {
        matchWhere: [
          { where: { msg: { contains: 'login failed' } }, counts: 2, mode: 'normal', line: 4, column: 5 },
        ],
        successWhere: [{ where: { msg: 'login ok' }, counts: 1, mode: 'normal', line: 5, column: 5 }],
        exceptWhere: { user: 'monitor' },
      },
    );
    expect(filter.judge('ip=192.0.2.7 msg="login failed"', NOW)).toMatchObject({
      outcome: 'match',
      match: { counts: 2 },
    });
    expect(why(filter, 'ip=192.0.2.7 msg="login ok" user=monitor')).toBe('success');
    expect(why(filter, 'ip=192.0.2.7 msg="login failed" user=monitor')).toBe('excepted');
    expect(why(filter, 'ip=unknown msg="login failed"')).toBe('no-match: the line names no address');
    expect(fieldsOf('logfmt', undefined)).toEqual([]);
  });

  it('searches for what stands in the line in quotes or without', () => {
    const filter = logfmt({ msg: 'failed' });
    expect(engineOf(filter).engine.literals).toEqual([{ bytes: 'failed', fold: false }]);
    expect(scan([filter], 'ip=192.0.2.7 msg=failed\nip=192.0.2.7 msg="failed"\n')).toHaveLength(2);
  });

  it('is tried with records as go-logfmt and logrus write them', () => {
    const filter = logfmt({ msg: { contains: 'login failed' }, level: 'warn' });
    const [trial] = trials(filter);
    const lines = trial!.skeletons.map((skeleton) => honestLine(skeleton, trial!.frame, '192.0.2.7'));
    expect(lines).toEqual([
      'time=2026-01-05T10:11:12.123Z user=x msg="xlogin failedx" level=warn ip="192.0.2.7" url=x',
      'time="2026-01-05T10:11:12.123Z" user=x msg="xlogin failedx" level=warn ip="192.0.2.7" url=x',
    ]);
    const forged = [...forge(trial!.skeletons[0]!, trial!.others, trial!.frame)];
    expect(forged.length).toBeGreaterThan(1_000);
    const whole = /^time=\S+ user="x msg=.* ip=\\"203\.0\.113\.66\\"/;
    expect(forged.some(({ line }) => whole.test(line))).toBe(true);
    expect(proveFilter(filter)).toEqual([]);
  });
});
