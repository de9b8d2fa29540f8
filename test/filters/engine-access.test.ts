import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsOf } from '../../src/filters/index.ts';
import type { Conditions } from '../../src/model.ts';
import { NOW, bytes, faultsOf, filterOf, scan, verdict } from './engine.ts';

const access = (where: Conditions, logFormat?: string) =>
  filterOf({ layout: 'access', where }, { logFormat });

/** A line of nginx's combined format. */
function combined(
  parts: { user?: string; request?: string; status?: number | string; referer?: string; agent?: string } = {},
): string {
  const {
    user = '-',
    request = 'POST /login HTTP/1.1',
    status = 401,
    referer = '-',
    agent = 'curl/8',
  } = parts;
  return `192.0.2.7 - ${user} [05/Jan/2026:10:11:12 +0100] "${request}" ${status} 179 "${referer}" "${agent}"`;
}

/** Bytes as nginx writes them into an access log. */
function escaped(value: string): string {
  return value.replace(
    /["\\\0-\x1f\x7f-\xff]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

const login = access({ method: 'POST', path: '/login', status: [401, 403] });

describe('a filter over an access log', () => {
  it('reads address, stamp and fields of the combined format', () => {
    const found = login.judge(bytes(combined({ user: 'ann', agent: 'Mözilla' })), NOW);
    expect(found).toMatchObject({
      outcome: 'match',
      match: {
        at: Date.UTC(2026, 0, 5, 9, 11, 12),
        counts: 1,
        oncePerSession: false,
        session: undefined,
        pattern: 0,
        fields: {
          method: 'POST',
          path: '/login',
          protocol: 'HTTP/1.1',
          status: '401',
          user: 'ann',
          http_user_agent: 'Mözilla',
        },
      },
    });
  });

  it.each([
    ['//login'],
    ['/%6cogin'],
    ['/./login'],
    ['/x/../login'],
    ['/login?a=b'],
    ['http://h/login'],
    ['/login#x'],
  ])('is not evaded by writing %s', (target) => {
    expect(verdict(login, combined({ request: `POST ${target} HTTP/1.1` }))).toMatchObject({
      path: '/login',
    });
  });

  it.each([
    [{ request: 'GET /login HTTP/1.1' }],
    [{ request: 'POST /logins HTTP/1.1' }],
    [{ status: 200 }],
    [{ status: '-' }],
    [{ request: '-', status: 400 }],
    [{ request: '\\x16\\x03\\x01', status: 400 }],
    [{ request: '' }],
  ])('takes no line with %j', (parts) => {
    expect(verdict(login, combined(parts))).toBe('no-match');
  });

  it.each([
    ['nothing'],
    [''],
    ['192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1'],
    ['192.0.2.7 - - [05/Jan/2026:10:11:12] "POST /login HTTP/1.1" 401 179 "-" "-"'],
    ['192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1" "401" 179 "-" "-"'],
  ])('says of "%s" that it does not fit the format', (line) => {
    expect(verdict(login, line)).toBe('no-layout');
  });

  it('takes lines of a longer format that begins alike', () => {
    expect(verdict(login, `${combined()} "203.0.113.9"`)).toMatchObject({ ip: '192.0.2.7' });
  });

  it('names nobody for a unix socket', () => {
    expect(verdict(login, combined().replace('192.0.2.7', 'unix:'))).toBe('no-match');
  });

  it('keeps the request itself where it is none', () => {
    expect(verdict(access({ status: 400 }), combined({ request: '\\x16\\x03', status: 400 }))).toMatchObject({
      request: '\x16\x03',
    });
  });

  it("reads Apache's escaped quotes", () => {
    const found = verdict(
      access({ status: 401 }),
      combined({ request: 'GET /a\\"b HTTP/1.1', agent: 'x\\\\' }),
    );
    expect(found).toMatchObject({ path: '/a"b', http_user_agent: 'x\\' });
  });

  it('reads a line of 64 KiB, with its status at the end', () => {
    expect(verdict(login, combined({ request: `POST /login?${'x'.repeat(64_000)} HTTP/1.1` }))).toMatchObject(
      { status: '401' },
    );
    expect(verdict(login, combined({ request: `POST /login?${'x'.repeat(300_000)} HTTP/1.1` }))).toBe(
      'no-layout',
    );
  });

  it('cannot be made to see another address, status or path by anything that a client sends', () => {
    const hostile = fc
      .array(
        fc.oneof(
          fc.constantFrom(
            '203.0.113.9',
            ' - - ',
            '[05/Jan/2026:10:11:13 +0100]',
            '] "',
            '"',
            '\\',
            '" 200 ',
            'POST /x HTTP/1.1',
            '\n',
            '\t',
            ' ',
            '-',
            '\xa0',
          ),
          fc.string({ unit: 'binary-ascii', maxLength: 3 }),
        ),
        { maxLength: 8 },
      )
      .map((parts) => escaped(parts.join('')));
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, (user, query, referer, agent) => {
        const line = combined({
          user: user || '-',
          request: `POST /login?${query} HTTP/1.1`,
          referer,
          agent,
        });
        expect(verdict(login, line)).toMatchObject({ ip: '192.0.2.7', path: '/login', status: '401' });
        expect(scan([login], `${bytes(line)}\n`)).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a log format', () => {
  it.each([
    ['common', '192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1" 401 179'],
    [
      '$status $remote_addr [$time_local] "$request"',
      '401 192.0.2.7 [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1"',
    ],
    [
      '"$http_x_forwarded_for" $remote_addr "$request" $status',
      '"203.0.113.9, 1.1.1.1" 192.0.2.7 "POST /login HTTP/1.1" 401',
    ],
    [
      '$http_x_forwarded_for $remote_addr\t$request\t$status',
      '203.0.113.9 203.0.113.8 192.0.2.7\tPOST /login HTTP/1.1\t401',
    ],
    [
      '{"ip":"$remote_addr","r":"$request","s":$status}',
      '{"ip":"192.0.2.7","r":"POST /login HTTP/1.1","s":401}',
    ],
    [
      '$remote_addr:$remote_port $request_method $request_uri $server_protocol $status',
      '192.0.2.7:40022 POST /login?a b HTTP/1.1 401',
    ],
    [
      '$time_iso8601|$remote_addr|$request_method|$status|$uri',
      '2026-01-05T10:11:12+01:00|192.0.2.7|POST|401|/login',
    ],
    [
      '$msec ${remote_addr}x $status "$request" rt=$request_time ut="$upstream_response_time"',
      '1767604272.123 192.0.2.7x 401 "POST /login HTTP/1.1" rt=0.001 ut="0.001, 0.002"',
    ],
    [
      '$remote_addr [$time_local] $http_host "$request" $status $upstream_addr $upstream_status',
      '192.0.2.7 [05/Jan/2026:10:11:12 +0100] a b "POST /login HTTP/1.1" 401 10.0.0.1:80, 10.0.0.2:80 502, 401',
    ],
    ['escape=default $remote_addr·$request·$status', '192.0.2.7·POST /login HTTP/1.1·401'],
  ])('%s is read', (logFormat, line) => {
    const filter = access({ method: 'POST', path: '/login', status: 401 }, logFormat);
    expect(verdict(filter, line)).toMatchObject({ ip: '192.0.2.7', path: '/login', status: '401' });
    expect(scan([filter], `${bytes(line)}\r\n`)).toHaveLength(1);
    expect(verdict(filter, line.replace('401', '200'))).toBe('no-match');
  });

  it('reads the host in front, as long as nothing can be shifted from it into the address', () => {
    const vhost =
      '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent';
    const filter = access({ status: 401, host: 'www.example.net' }, vhost);
    const rest = ' [05/Jan/2026:10:11:12 +0100] "GET / HTTP/1.1" 401 179';
    const found = verdict(filter, `www.example.net:443 192.0.2.7 - 203.0.113.9 - x${rest}`);
    expect(found).toMatchObject({ ip: '192.0.2.7', user: '203.0.113.9 - x', server_port: '443' });
    expect(verdict(access({ status: 401 }, vhost), `:443 192.0.2.7 - -${rest}`)).toMatchObject({
      ip: '192.0.2.7',
    });
    expect(verdict(access({ status: 401 }, vhost), `[::1]:443 192.0.2.7 - -${rest}`)).toMatchObject({
      host: '[::1]',
    });
    // $http_host is what the client sent, spaces and all.
    const sent = vhost.replace('$host', '$http_host');
    expect(faultsOf({ layout: 'access', where: {} }, { logFormat: sent })[0]!.text).toContain('$http_host');
  });

  it('reads an IPv6 address before its port', () => {
    const filter = access({ status: 401 }, '$remote_addr:$remote_port $status');
    expect(verdict(filter, '2001:db8::7:40022 401')).toMatchObject({
      ip: '2001:db8::7',
      remote_port: '40022',
    });
  });

  it.each([
    ['$status "$request"', 'no $remote_addr'],
    [
      '$http_user_agent $remote_addr $http_referer "$request"',
      'where $remote_addr begins or ends: a client chooses $http_user_agent and $http_referer',
    ],
    ['$remote_addr $http_referer [$time_local] $http_host "$request"', 'where $time_local begins or ends'],
    ['$remote_addr$remote_user', 'put quotes around what clients choose: "$remote_user"'],
    ['$status$remote_addr', 'put a blank between them'],
    [
      '$remote_addr - $remote_user [$time_local] $scheme://$host$request_uri $status',
      'put quotes around what clients choose: "$scheme://$host$request_uri"',
    ],
    ['$remote_addr $remote_addr', 'twice'],
    ['escape=none $remote_addr', 'escape=none'],
    ['escape=json $remote_addr', 'not a JSON object'],
    ['combind', 'did you mean "combined"'],
    ['', 'neither'],
  ])('%s is refused, and why', (logFormat, text) => {
    expect(faultsOf({ layout: 'access', where: {} }, { logFormat })).toEqual([
      { code: 'E_FILTER_LOG_FORMAT', text: expect.stringContaining(text) },
    ]);
  });

  it('is refused where a condition needs a field that a client could shift', () => {
    const logFormat = '$remote_addr "$request" $http_referer $status $http_user_agent';
    expect(faultsOf({ layout: 'access', where: { status: 401 } }, { logFormat })[0]!.text).toContain(
      '$http_referer and $http_user_agent',
    );
    expect(verdict(access({ method: 'POST' }, logFormat), '192.0.2.7 "POST / HTTP/1.1" a 401 b')).toEqual({
      ip: '192.0.2.7',
      method: 'POST',
      path: '/',
      protocol: 'HTTP/1.1',
    });
  });

  it('tells which fields it has', () => {
    expect(fieldsOf('access', undefined)).toEqual(
      expect.arrayContaining(['remote_addr', 'ip', 'user', 'method', 'path', 'query', 'status']),
    );
    expect(fieldsOf('access', 'common')).not.toContain('http_referer');
    expect(fieldsOf('syslog', undefined)).toEqual(['ip', 'program']);
  });
});

describe('conditions', () => {
  /** Does a condition on a field hold for a value? */
  const holds = (
    field: string,
    condition: Conditions[string],
    parts: Parameters<typeof combined>[0],
  ): boolean => {
    const filter = access({ [field]: condition });
    const found = verdict(filter, combined(parts)) !== 'no-match';
    expect(scan([filter], `${bytes(combined(parts))}\n`)).toHaveLength(found ? 1 : 0);
    return found;
  };

  it.each<[string, Conditions[string], Parameters<typeof combined>[0], boolean]>([
    ['status', 401, { status: 401 }, true],
    ['status', '401', { status: 401 }, true],
    ['status', [400, 401], { status: 401 }, true],
    ['status', [400, 403], { status: 401 }, false],
    ['status', '400-499', { status: 499 }, true],
    ['status', '400-499', { status: 500 }, false],
    ['status', ['200-299', 404], { status: 404 }, true],
    ['body_bytes_sent', 179, {}, true],
    ['method', 'post', {}, false],
    ['method', ['GET', 'POST'], {}, true],
    ['method', { prefix: 'PO' }, {}, true],
    ['method', { contains: 'OS' }, {}, true],
    ['path', { prefix: ['/x', '/log'] }, {}, true],
    ['path', { prefix: '/login', suffix: 'x' }, {}, false],
    ['path', { suffix: 'gin' }, {}, true],
    ['path', { contains: 'ogi' }, {}, true],
    ['path', { glob: '/l*n' }, {}, true],
    ['path', { glob: '/l*g' }, {}, false],
    ['path', { glob: '/log?n' }, {}, true],
    ['path', { glob: '/log.n' }, {}, false],
    ['path', { regex: 'OGIN$' }, {}, false],
    ['path', { regex: '(?i)OGIN$' }, {}, true],
    ['path', { regex: '^/(?:a|login)$' }, {}, true],
    ['path', '/für', { request: 'GET /f%C3%BCr HTTP/1.1' }, true],
    ['path', '/für', { request: 'GET /f\\xC3\\xBCr HTTP/1.1' }, true],
    ['path', '/für', { request: 'GET /für HTTP/1.1' }, true],
    ['query', { contains: 'union' }, { request: 'GET /?a=union HTTP/1.1' }, true],
    ['user', { present: true }, {}, false],
    ['user', { present: true }, { user: 'ann' }, true],
    ['user', { present: false }, {}, true],
    ['remote_user', 'a"b', { user: 'a\\x22b' }, true],
    ['user_agent', { contains: ['sqlmap', 'nikto'] }, { agent: 'x sqlmap/1' }, true],
    ['user_agent', { contains: 'bot' }, { agent: 'curl' }, false],
    ['referer', { prefix: 'http://' }, { referer: 'http://x' }, true],
    ['referer', 'true', { referer: 'true' }, true],
    ['referer', true, { referer: 'true' }, true],
    ['ip', { prefix: '192.0.2.' }, {}, true],
    ['ip', 'in 192.0.2.0/24', {}, true],
    ['ip', 'in 198.51.100.0/24', {}, false],
    ['ip', { in: ['2001:db8::/32', '192.0.2.7'] }, {}, true],
    ['referer', { in: '2001:db8::/32' }, { referer: '[2001:db8::9]:443' }, true],
    ['referer', { in: '2001:db8::/32' }, { referer: 'nobody' }, false],
    ['referer', 'in doubt', { referer: 'in doubt' }, true],
    ['protocol', 'HTTP/1.1', {}, true],
  ])('%s: %j holds for %j: %s', (field, condition, parts, expected) => {
    expect(holds(field, condition, parts)).toBe(expected);
  });

  it('all hold, the filter and the jail taken together', () => {
    const filter = filterOf(
      { layout: 'access', where: { method: 'POST', status: 401 }, exceptWhere: { path: '/health' } },
      { where: { path: { prefix: '/' } }, except: { user_agent: 'probe' } },
    );
    expect(verdict(filter, combined())).toMatchObject({ ip: '192.0.2.7' });
    expect(verdict(filter, combined({ status: 200 }))).toBe('no-match');
    expect(verdict(filter, combined({ request: 'POST /health HTTP/1.1' }))).toBe('excepted');
    expect(verdict(filter, combined({ agent: 'probe' }))).toBe('excepted');
    expect(verdict(filter, combined({ request: 'POST * HTTP/1.1' }))).toBe('no-match');
    expect(scan([filter], `${combined({ agent: 'probe' })}\n${combined()}\n`)).toHaveLength(1);
  });

  it('of cases must hold for one of them, in the mode that it is for, and for all lines', () => {
    const cases = {
      layout: 'access',
      where: { status: 401 },
      matchWhere: [
        { where: { remote_user: { present: true } }, counts: 2, mode: 'normal', line: 4, column: 5 },
        { where: { method: 'POST' }, counts: 1, mode: 'aggressive', line: 5, column: 5 },
      ],
    } as const;
    const [normal, aggressive] = [filterOf(cases), filterOf(cases, { mode: 'aggressive' })];
    for (const filter of [normal, aggressive]) {
      expect(filter.judge(combined({ user: 'ann' }), NOW)).toMatchObject({
        match: { pattern: 0, counts: 2 },
      });
      expect(verdict(filter, combined({ user: 'ann', status: 200 }))).toBe('no-match');
      expect(verdict(filter, combined({ request: 'GET / HTTP/1.1' }))).toBe('no-match');
    }
    expect(verdict(normal, combined())).toBe('no-match');
    expect(aggressive.judge(combined(), NOW)).toMatchObject({ match: { pattern: 1, counts: 1 } });
    expect(scan([normal], `${combined()}\n${combined({ user: 'ann' })}\n`)).toHaveLength(1);
    expect(faultsOf({ ...cases, matchWhere: [{ ...cases.matchWhere[0], where: { methd: 'x' } }] })).toEqual([
      { code: 'E_FILTER_FIELD', text: expect.stringContaining('did you mean "method"') },
    ]);
  });

  it('are faults where they name no field of the layout, or a regex that is none', () => {
    expect(faultsOf({ layout: 'access', where: { methd: 'POST' } })).toEqual([
      { code: 'E_FILTER_FIELD', text: expect.stringContaining('did you mean "method"') },
    ]);
    expect(
      faultsOf({ layout: 'access', where: { http_x: 'y', path: { regex: '(?=x)' } } }).map(
        ({ code }) => code,
      ),
    ).toEqual(['E_FILTER_FIELD', 'E_FILTER_CONDITION']);
    expect(faultsOf({ layout: 'access', where: { ip: { in: 'the office' } } })).toEqual([
      { code: 'E_FILTER_CONDITION', text: expect.stringContaining('"the office" is neither') },
    ]);
  });
});
