import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Conditions } from '../../src/model.ts';
import { NOW, bytes, compile, faultsOf, filterOf, scan, verdict } from './engine.ts';
import { proveFilter } from '../../src/filters/index.ts';

const access = (logFormat: string, where: Conditions = { status: 401 }) =>
  filterOf({ layout: 'access', where }, { logFormat });
const AT = Date.UTC(2026, 0, 5, 9, 11, 12);

const REQUEST = '[05/Jan/2026:10:11:12 +0100] "POST /login?a=1 HTTP/1.1" 401 179';
const HAPROXY =
  '192.0.2.7:40022 [05/Jan/2026:10:11:12.655] https~ app/srv1 0/0/1/4/5 401 512 - - ---- 1/1/0/0/0 0/0 "POST /login?a=1 HTTP/1.1"';
const TRAEFIK = `192.0.2.7 - ann ${REQUEST} "-" "curl/8" 7 "web@file" "http://198.51.100.1:80" 5ms`;

describe('a log format by its name', () => {
  it.each([
    ['common', `192.0.2.7 - - ${REQUEST}`],
    ['combined', `192.0.2.7 - - ${REQUEST} "-" "curl/8"`],
    ['vhost_combined', `www.example.net:443 192.0.2.7 - - ${REQUEST} "-" "curl/8"`],
    ['traefik', TRAEFIK],
    ['traefik', TRAEFIK.replace('"web@file" "http://198.51.100.1:80"', '"-" "-"')],
    ['haproxy', HAPROXY],
    ['haproxy', HAPROXY.replace('0/0 "', '0/0 {www.example.net|curl} {} "')],
    ['haproxy', HAPROXY.replace('app/srv1 0/0/1/4/5 401 512', 'https/<NOSRV> -1/-1/-1/-1/+0 401 +512')],
    ['haproxy', `${HAPROXY} 0/0000000000000000/0/0/0 www.example.net/TLSv1.3/TLS_AES_256_GCM_SHA384`],
  ])('%s: %s', (logFormat, line) => {
    const filter = access(logFormat, { method: 'POST', path: '/login', status: 401 });
    expect(filter.judge(line, NOW)).toMatchObject({
      outcome: 'match',
      match: {
        at: logFormat === 'haproxy' ? Date.UTC(2026, 0, 5, 10, 11, 12, 655) : AT,
        fields: { path: '/login', query: 'a=1', protocol: 'HTTP/1.1', status: '401' },
        address: { text: '192.0.2.7' },
      },
    });
    expect(scan([filter], `${line}\n`)).toHaveLength(1);
    expect(verdict(filter, line.replace(/ 401 /, ' 200 '))).toBe('no-match');
  });

  it.each<[string, string, Conditions]>([
    ['common', `192.0.2.7 - - ${REQUEST} "-" "curl/8"`, { status: 401 }],
    ['vhost_combined', `192.0.2.7 - - ${REQUEST} "-" "curl/8"`, {}],
    ['combined', `www.example.net:443 192.0.2.7 - - ${REQUEST} "-" "curl/8"`, {}],
    ['traefik', `192.0.2.7 - - ${REQUEST} "-" "curl/8"`, { router: 'x' }],
    ['traefik', TRAEFIK.replace('ann', 'a"nn'), {}],
    ['haproxy', `192.0.2.7 - - ${REQUEST} "-" "curl/8"`, {}],
    ['haproxy', '192.0.2.7:40022 [05/Jan/2026:10:11:12.655] https/1: SSL handshake failure', {}],
    ['haproxy', HAPROXY.replace('.655', ''), {}],
  ])('%s does not take: %s', (logFormat, line, where) => {
    expect(verdict(access(logFormat, where), line)).toBe('no-layout');
  });

  it('names IPv6 clients before their port', () => {
    const line = HAPROXY.replace('192.0.2.7', '2001:db8::7');
    expect(verdict(access('haproxy'), line)).toMatchObject({ ip: '2001:db8::7', remote_port: '40022' });
  });

  it('knows what the server wrote instead of what it got', () => {
    const haproxy = access('haproxy', { path: { prefix: '/' } });
    const path = (written: string): unknown => {
      const found = verdict(haproxy, HAPROXY.replace('/login?a=1', written));
      return typeof found === 'string' ? found : found['path'];
    };
    expect(path('/x#C3#BC/../login')).toBe('/login');
    expect(path('/a#22b')).toBe('/a"b');
    expect(path('/login#23x')).toBe('/login');
    expect(path('/%23x#2')).toBe('/#x');
    const apache = access('combined');
    expect(
      verdict(apache, `192.0.2.7 - a\\tb ${REQUEST.replace('a=1', 'a=\\"\\xc3\\xbc')} "-" "\\n\\\\"`),
    ).toMatchObject({ user: 'a\tb', query: 'a="ü', http_user_agent: '\n\\' });
  });

  it('reads a name of Traefik’s with blanks and brackets in it', () => {
    const user = 'ann [05/Jan/2030:10:11:12 +0100] x';
    const filter = access('traefik');
    expect(filter.judge(TRAEFIK.replace('ann', user), NOW)).toMatchObject({
      match: { at: AT, fields: { user, router: 'web@file', request_time_ms: '5' } },
    });
  });

  it("reads Apache's way with a user who has no name", () => {
    expect(verdict(access('combined'), `192.0.2.7 - "" ${REQUEST} "-" "-"`)).toMatchObject({ user: '""' });
    expect(verdict(access('combined'), `192.0.2.7 - """" ${REQUEST} "-" "-"`)).toBe('no-layout');
    expect(verdict(access('combined'), `192.0.2.7 - ""x ${REQUEST} "-" "-"`)).toBe('no-layout');
  });
});

describe("Apache's LogFormat", () => {
  it.each([
    ['%h %l %u %t "%r" %>s %b', `192.0.2.7 - - ${REQUEST}`],
    ['%h %l %u %t \\"%r\\" %>s %b', `192.0.2.7 - - ${REQUEST}`],
    ['LogFormat "%h %l %u %t \\"%r\\" %>s %b" common', `192.0.2.7 - - ${REQUEST}`],
    ['%v:%p %a %t "%r" %>s %O %I %D %{ms}T %X', `www.example.net:443 192.0.2.7 ${REQUEST} 321 4021 4 +`],
    [
      '"%{X-Forwarded-For}i" %{c}a %a:%{remote}p %{usec}t "%r" %>s %!200,304{Referer}i',
      '"203.0.113.9" 198.51.100.2 192.0.2.7:40022 1767604272000000 "POST /login?a=1 HTTP/1.1" 401 -',
    ],
    ['%{sec}t\\t%h\\t%r\\t%>s 100%%', '1767604272\t192.0.2.7\tPOST /login?a=1 HTTP/1.1\t401 100%'],
    [
      '%h %t %m "%U" "%q" "%H" %>s',
      '192.0.2.7 [05/Jan/2026:10:11:12 +0100] POST "/login" "?a=1" "HTTP/1.1" 401',
    ],
  ])('%s is read', (logFormat, line) => {
    const filter = access(logFormat, { method: 'POST', path: '/login', query: 'a=1', status: 401 });
    expect(filter.judge(bytes(line), NOW)).toMatchObject({
      outcome: 'match',
      match: { at: AT, address: { text: '192.0.2.7' } },
    });
    expect(scan([filter], `${line}\n`)).toHaveLength(1);
  });

  it.each([
    ['%l %u %t "%r" %>s', 'no $remote_addr'],
    ['%h %a', '%a stands in it twice'],
    ['%{Referer}i %h %{User-Agent}i "%r"', 'a client chooses %{Referer}i and %{User-Agent}i'],
    [
      '%{Referer}i %h %{User-Agent}i "%r"',
      'quotes around what clients choose: "%{Referer}i" "%{User-Agent}i"',
    ],
    ['%h %{%Y-%m-%d}t "%r"', "Apache's %{%Y-%m-%d}t is not read; of times, %t"],
    ['%h %{begin:sec}t', 'is not read'],
    ['%h %y', "Apache's %y is not read"],
    ['%h %i', "Apache's %i is not read"],
    ['vhost_combind', 'did you mean "vhost_combined"'],
    ['100 %', 'neither the name'],
  ])('%s is refused, and why', (logFormat, text) => {
    expect(faultsOf({ layout: 'access', where: {} }, { logFormat })).toEqual([
      { code: 'E_FILTER_LOG_FORMAT', text: expect.stringContaining(text) },
    ]);
  });
});

describe("nginx's log_format", () => {
  it("is read as it stands in nginx's config", () => {
    const logFormat = `'$remote_addr - $remote_user [$time_local] '\n  '"$request" $status';`;
    expect(verdict(access(logFormat), `192.0.2.7 - - ${REQUEST.slice(0, -4)}`)).toMatchObject({
      ip: '192.0.2.7',
    });
  });
});

describe('a client', () => {
  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(' - - ', '[05/Jan/2030:10:11:13 +0100] ', '"', '\\', '" 200 1 "', '#', '{', '}', '|'),
        fc.constantFrom(
          '203.0.113.9',
          '203.0.113.9:1 [05/Jan/2030:10:11:12.655] a b/c 1/1 200 5 "GET / HTTP/1.1"',
        ),
        fc.string({ unit: 'binary-ascii', maxLength: 3 }),
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('').replaceAll('\n', ''));
  const hash = (text: string, encoded: RegExp): string =>
    text.replace(encoded, (mark) => `#${mark.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  const apache = (text: string): string =>
    text.replace(/["\\\0-\x1f\x7f-\xff]/g, (mark) =>
      mark === '"' || mark === '\\' ? `\\${mark}` : `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );

  it('cannot shift what Apache or HAProxy writes', () => {
    const combined = access('combined', { path: '/login' });
    const haproxy = access('haproxy', { path: '/login' });
    fc.assert(
      fc.property(hostile, hostile, hostile, (user, query, header) => {
        const request = `POST /login?${query} HTTP/1.1`;
        const byApache = `192.0.2.7 - ${apache(user) || '""'} [05/Jan/2026:10:11:12 +0100] "${apache(request)}" 401 179 "${apache(header)}" "-"`;
        const byHaproxy = HAPROXY.replace(/0\/0 ".*$/, () =>
          ['0/0 {', hash(header, /["#{|}\0-\x1f\x7f]/g), '} "', hash(request, /["#\0-\x1f\x7f]/g), '"'].join(
            '',
          ),
        );
        for (const [filter, line] of [
          [combined, byApache],
          [haproxy, byHaproxy],
        ] as const)
          expect(verdict(filter, line)).toMatchObject({ ip: '192.0.2.7', path: '/login', status: '401' });
      }),
      { numRuns: 500 },
    );
  });

  it.each(['combined', 'common', 'vhost_combined', 'haproxy', 'traefik', '%h %t "%r" %>s "%{X}i"'])(
    'cannot name another address by any forgery: %s',
    (logFormat) => {
      expect(proveFilter(access(logFormat))).toEqual([]);
    },
    20_000,
  );

  it('who could name another address has the filter refused', () => {
    // As if %V could be believed: without quotes around it, it reaches into the address.
    expect(compile({ layout: 'access', where: {} }, { logFormat: '%V %h %u "%r" %>s' }).ok).toBe(false);
  });
});
