import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import type { FilterDefinition } from '../../src/filters/contract.ts';
import { parseFilter } from '../../src/filters/definition.ts';
import { engineOf } from '../../src/filters/engine.ts';
import { forge, honestLine } from '../../src/filters/forgeries.ts';
import { fieldsOf, proveFilter } from '../../src/filters/index.ts';
import { createJsonReader } from '../../src/filters/json.ts';
import { trials } from '../../src/filters/trials.ts';
import type { Conditions } from '../../src/model.ts';
import { NOW, bytes, faultsOf, filterOf, scan, verdict } from './engine.ts';

const AT = Date.UTC(2026, 0, 5, 10, 11, 12);
const place = { line: 4, column: 5 };

const json = (where: Conditions, more: Partial<FilterDefinition> = {}) =>
  filterOf({ layout: 'json', address: ['ip'], where, ...more });

/** What a line yields besides its fields. */
function judged(filter: ReturnType<typeof filterOf>, line: string) {
  const told = filter.judge(bytes(line), NOW);
  if (!('match' in told)) return `${told.outcome}: ${told.why}`;
  const { address, at, counts, pattern } = told.match;
  return { outcome: told.outcome, ip: address.text, at, counts, pattern };
}

function fromYaml(yaml: string) {
  const { definition, faults } = parseFilter(yaml, 'filters/tried.yaml');
  return {
    definition,
    faults: faults.map(({ line, column, message, hint }) => `${line}:${column} ${message}; ${hint ?? ''}`),
  };
}

describe('lines of programs that log JSON', () => {
  it.each([
    [
      'pino',
      '{"level":40,"time":1767607872123,"pid":812,"hostname":"web","req":{"id":1,"method":"POST","url":"/login","remoteAddress":"::ffff:192.0.2.7","remotePort":40022},"msg":"login failed"}',
      { address: ['req.remoteAddress'], where: { msg: 'login failed', level: 40 } },
      AT + 123,
    ],
    [
      'winston',
      '{"clientIp":"192.0.2.7","level":"warn","message":"Login failed","timestamp":"2026-01-05T10:11:12.123Z"}',
      { address: ['clientIp'], where: { message: { regex: '(?i)^login failed' } } },
      AT + 123,
    ],
    [
      'bunyan',
      '{"name":"shop","hostname":"web","pid":812,"level":40,"req":{"remoteAddress":"192.0.2.7"},"msg":"login failed","time":"2026-01-05T10:11:12.123Z","v":0}',
      { address: ['req.remoteAddress'], where: { name: 'shop', msg: { contains: 'failed' } } },
      AT + 123,
    ],
    [
      'Caddy',
      '{"level":"info","ts":1767607872.1234567,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"40022","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"POST","host":"www.example.net","uri":"/login","headers":{"User-Agent":["curl/8.5.0"]}},"status":401}',
      {
        address: ['request.remote_ip'],
        where: { status: 401, 'request.uri': '/login', 'request.headers.User-Agent.0': { prefix: 'curl' } },
      },
      AT + 123,
    ],
    [
      'Traefik',
      '{"ClientAddr":"192.0.2.7:40022","ClientHost":"192.0.2.7","DownstreamStatus":401,"RequestMethod":"GET","RequestPath":"/admin","StartUTC":"2026-01-05T10:11:11.9Z","level":"info","msg":"","time":"2026-01-05T10:11:12Z"}',
      { address: ['ClientAddr'], where: { DownstreamStatus: [401, 403] } },
      AT,
    ],
    [
      'GitLab',
      '{"severity":"INFO","time":"2026-01-05T10:11:12.123Z","correlation_id":"01","message":"Failed Login: username=ann ip=192.0.2.7","meta.remote_ip":"192.0.2.7"}',
      { address: ['meta.remote_ip'], where: { message: { prefix: 'Failed Login: ' } } },
      AT + 123,
    ],
    [
      'Nextcloud',
      '{"reqId":"x","level":2,"time":"2026-01-05T11:11:12+01:00","remoteAddr":"192.0.2.7","user":"--","app":"core","method":"POST","url":"\\/login","message":"Login failed: ann (Remote IP: 203.0.113.9)","userAgent":"x","version":"30.0.0","data":{"app":"core"}}',
      {
        address: ['remoteAddr'],
        where: { app: 'core', url: '/login', message: { prefix: 'Login failed: ' } },
      },
      AT,
    ],
    [
      'MongoDB',
      '{"t":{"$date":"2026-01-05T10:11:12.123+00:00"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn4","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"ann","authenticationDatabase":"admin","remote":"192.0.2.7:40022","extraInfo":{},"error":"UserNotFound: Could not find user \\"ann\\" for db \\"admin\\""}}',
      { address: ['attr.remote'], where: { c: 'ACCESS', id: [5286307, 20249] } },
      AT + 123,
    ],
    [
      'Authelia',
      '{"level":"error","method":"POST","msg":"Unsuccessful 1FA authentication attempt by user \'ann\'","path":"/api/firstfactor","remote_ip":"192.0.2.7","time":"2026-01-05T11:11:12+01:00"}',
      { address: ['remote_ip'], where: { msg: { glob: 'Unsuccessful ?FA authentication attempt by *' } } },
      AT,
    ],
  ] satisfies [string, string, Partial<FilterDefinition>, number][])('%s', (_name, line, more, at) => {
    const filter = filterOf({ layout: 'json', ...more });
    expect(judged(filter, line)).toEqual({ outcome: 'match', ip: '192.0.2.7', at, counts: 1, pattern: 0 });
    expect(scan([filter], `x\n${bytes(line)}\r\n{}\n`)).toHaveLength(1);
    expect(proveFilter(filter)).toEqual([]);
  });
});

describe('the address of a record', () => {
  const filter = json({}, { address: ['clientIp', 'req.ip', 'req.socket.remote'] });

  it.each([
    ['{"clientIp":"192.0.2.7"}', '192.0.2.7'],
    ['{"clientIp":"192.0.2.7","req":{"ip":"192.0.2.8"}}', '192.0.2.7'],
    ['{"req":{"ip":"192.0.2.8"},"clientIp":"unknown"}', '192.0.2.8'],
    ['{"clientIp":null,"req":{"ip":"","socket":{"remote":"192.0.2.9"}}}', '192.0.2.9'],
    ['{"req.ip":"192.0.2.8"}', '192.0.2.8'],
    ['{"req.socket":{"remote":"192.0.2.9"}}', '192.0.2.9'],
    ['{"req":{"socket.remote":"192.0.2.9"}}', '192.0.2.9'],
    ['{"clientIp":"192.0.2.7:40022"}', '192.0.2.7'],
    ['{"clientIp":"[2001:db8::7]:40022"}', '2001:db8::7'],
    ['{"clientIp":"::ffff:192.0.2.7"}', '192.0.2.7'],
    ['{"client\\u0049p":"192.0.2.7"}', '192.0.2.7'],
    [' { "clientIp" :\t"192.0.2.7" } ', '192.0.2.7'],
  ])('%s', (line, ip) => expect(verdict(filter, line)).toEqual({ ip }));

  it.each([
    '{"clientIp":["192.0.2.7"]}',
    '{"clientIp":{"0":"192.0.2.7"}}',
    '{"clientIp":3221225991}',
    '{"clientIp":"192.0.2.7, 203.0.113.9"}',
    '{"body":{"clientIp":"192.0.2.7"}}',
    '{"list":[{"clientIp":"192.0.2.7"}]}',
    '{"__proto__":{"clientIp":"192.0.2.7"}}',
    '{"ClientIp":"192.0.2.7"}',
    '{}',
  ])('there is none in %s', (line) =>
    expect(judged(filter, line)).toBe('no-match: the line names no address'),
  );
});

describe('the stamp of a record', () => {
  it.each([
    ['1767607872', AT],
    ['1767607872.123', AT + 123],
    ['1767607872.1234567', AT + 123],
    ['1767607872123', AT + 123],
    ['1767607872123456', AT + 123],
    ['1767607872123456789', AT + 123],
    ['1.767607872123e9', AT + 123],
    ['1.767607872123E+12', AT + 123],
    ['"1767607872"', AT],
    ['"1767607872.5"', AT + 500],
    ['"2026-01-05T10:11:12.123Z"', AT + 123],
    ['"2026-01-05T11:11:12.123456+01:00"', AT + 123],
    ['"2026-01-05 10:11:12,123"', AT + 123],
    ['"05/Jan/2026:11:11:12 +0100"', AT],
    ['"[05/Jan/2026:11:11:12 +0100]"', AT],
    ['"x2026-01-05T10:11:12Z"', undefined],
    ['-1', undefined],
    ['12', undefined],
    ['1e400', undefined],
    ['true', undefined],
    ['[1767607872]', undefined],
  ])('%s', (written, at) => {
    expect(judged(json({}), `{"ip":"192.0.2.7","time":${written}}`)).toMatchObject({ at });
  });

  it.each(['time', 'timestamp', 'ts', '@timestamp', 'date', 'datetime', 't', '@t', 'asctime'])(
    'stands under %s where the filter says nothing',
    (key) =>
      expect(judged(json({}), `{"ip":"192.0.2.7","${key}":"2026-01-05T10:11:12Z"}`)).toMatchObject({
        at: AT,
      }),
  );

  it('stands where the filter says, and is the first that can be read', () => {
    const filter = json({}, { time: ['meta.at', 'ts'] });
    expect(
      judged(filter, '{"ip":"192.0.2.7","time":"2026-01-01T00:00:00Z","meta":{"at":1767607872}}'),
    ).toMatchObject({ at: AT });
    expect(judged(filter, '{"ip":"192.0.2.7","ts":1767607872,"meta":{"at":"soon"}}')).toMatchObject({
      at: AT,
    });
    expect(judged(filter, '{"ip":"192.0.2.7","time":1767607872}')).toMatchObject({ at: undefined });
  });
});

describe('conditions on a record', () => {
  const holds = (where: Conditions, fields: string): boolean =>
    verdict(json(where), `{${fields},"ip":"192.0.2.7"}`) !== 'no-match';

  it.each([
    [{ msg: 'a "quoted" \\ text' }, '"msg":"a \\"quoted\\" \\\\ text"'],
    [{ msg: 'für' }, '"msg":"für"'],
    [{ msg: 'für' }, '"msg":"f\\u00FCr"'],
    [{ msg: '💩' }, '"msg":"\\ud83d\\udca9"'],
    [{ msg: { contains: '/login' } }, '"msg":"POST \\/login"'],
    [{ msg: { regex: '^a\\tb$' } }, '"msg":"a\\tb"'],
    [{ schlüssel: 'x' }, '"schlüssel":"x"'],
    [{ schlüssel: 'x' }, '"schl\\u00fcssel":"x"'],
    [{ ok: false }, '"ok":false'],
    [{ ok: true }, '"ok":true'],
    [{ code: 401 }, '"code":401'],
    [{ code: 401 }, '"code":"401"'],
    [{ code: 401 }, '"code":401.0'],
    [{ code: '400-499' }, '"code":422'],
    [{ code: ['4xx', '500-599'] }, '"code":503'],
    [{ peer: 'in 10.0.0.0/8' }, '"peer":"10.1.2.3"'],
    [{ 'a.b.c': 'x' }, '"a":{"z":{"c":1},"b":{"c":"x"}}'],
    [{ 'a.1.b': 'x' }, '"a":[{"b":"y"},{"b":"x"}]'],
    [{ 'a.1': 'x' }, '"a":{"1":"x"}'],
    [{ a: 'x', 'a.b': { present: false } }, '"a":"x"'],
    [{ user: { present: true } }, '"user":"-"'],
    [{ user: { present: false } }, '"user":null'],
    [{ user: { present: false } }, '"user":""'],
    [{ user: { present: false } }, '"x":1'],
    [{ __proto__x: { present: false }, constructor: { present: false } }, '"x":1'],
    [{ constructor: 'x' }, '"constructor":"x"'],
  ] satisfies [Conditions, string][])('%j holds for {%s}', (where, fields) =>
    expect(holds(where, fields)).toBe(true),
  );

  it.each([
    [{ msg: 'x' }, '"msg":"X"'],
    [{ msg: 'x' }, '"msg":["x"]'],
    [{ ok: false }, '"ok":null'],
    [{ code: '400-499' }, '"code":500'],
    [{ code: '0-499' }, '"code":""'],
    [{ code: '0-499' }, '"code":"x"'],
    [{ 'a.b': 'x' }, '"b":"x","a":{"c":{"b":"x"}}'],
    [{ 'a.b': 'x' }, '"a":[{"b":"x"}]'],
    [{ 'h.0': 'x' }, '"h.0":"x"'],
    [{ user: { present: true } }, '"user":{"name":"x"}'],
    [{ toString: { present: true } }, '"x":1'],
  ] satisfies [Conditions, string][])('%j does not hold for {%s}', (where, fields) =>
    expect(holds(where, fields)).toBe(false),
  );

  it('may name a field __proto__', () => {
    const where = JSON.parse('{"__proto__":"x"}') as Conditions;
    expect(verdict(json(where), '{"ip":"192.0.2.7","__proto__":"x"}')).toEqual(
      JSON.parse('{"ip":"192.0.2.7","__proto__":"x"}'),
    );
    expect({}).not.toHaveProperty('x');
  });

  it('on "ip" are on the address as it was read', () => {
    const filter = json({ ip: 'in 192.0.2.0/24' }, { address: ['peer'] });
    expect(verdict(filter, '{"peer":"::ffff:192.0.2.7","ip":"203.0.113.9"}')).toEqual({ ip: '192.0.2.7' });
    expect(verdict(filter, '{"peer":"203.0.113.9","ip":"192.0.2.7"}')).toBe('no-match');
  });

  it('of a jail narrow the filter, and its exceptions are told', () => {
    const options = { where: { app: 'shop' }, except: { user: 'probe' } };
    const filter = filterOf(
      { layout: 'json', address: ['ip'], where: { msg: 'no' }, exceptWhere: { kind: 'test' } },
      options,
    );
    const line = (more: string): string => `{"ip":"192.0.2.7","msg":"no",${more}}`;
    expect(verdict(filter, line('"app":"shop"'))).toMatchObject({ app: 'shop', msg: 'no' });
    expect(judged(filter, line('"app":"blog"'))).toBe("no-match: the jail's conditions do not hold");
    expect(filter.judge(line('"app":"shop","user":"probe"'), NOW)).toMatchObject({
      outcome: 'excepted',
      why: 'what the jail says under "except" holds',
    });
    expect(filter.judge(line('"app":"shop","kind":"test"'), NOW)).toMatchObject({
      outcome: 'excepted',
      why: 'what the filter says under "except" holds',
    });
  });

  it('that are none are faults of whoever wrote them', () => {
    expect(faultsOf({ layout: 'json', address: ['ip'], where: { a: { regex: '(' } } })[0]!.code).toBe(
      'E_FILTER_CONDITION',
    );
    expect(
      faultsOf({ layout: 'json', address: ['ip'], where: {} }, { where: { a: { regex: '(?=x)' } } })[0]!.code,
    ).toBe('E_FILTER_CONDITION');
  });
});

describe('cases of a filter by fields', () => {
  const filter = (mode: 'normal' | 'aggressive' = 'normal') =>
    filterOf(
      {
        layout: 'json',
        address: ['ip'],
        where: { app: 'shop' },
        matchWhere: [
          { where: { msg: { contains: 'login failed' } }, counts: 1, mode: 'normal', ...place },
          { where: { event: 'lockout' }, counts: 3, mode: 'normal', ...place },
          { where: { event: 'probe' }, counts: 1, mode: 'aggressive', ...place },
        ],
        successWhere: [{ where: { event: 'login.ok' }, counts: 1, mode: 'normal', ...place }],
        exceptWhere: { user: 'monitor' },
      },
      { mode },
    );
  const line = (more: string): string => `{"ip":"192.0.2.7","app":"shop",${more}}`;

  it('count what they say, and the first that holds is the one', () => {
    expect(judged(filter(), line('"msg":"login failed"'))).toMatchObject({ counts: 1, pattern: 0 });
    expect(judged(filter(), line('"event":"lockout"'))).toMatchObject({ counts: 3, pattern: 1 });
    expect(judged(filter(), line('"msg":"login failed","event":"lockout"'))).toMatchObject({ pattern: 0 });
  });

  it('are narrowed by "where", and taken in by mode', () => {
    expect(judged(filter(), '{"ip":"192.0.2.7","app":"blog","event":"lockout"}')).toMatch(/^no-match/);
    expect(judged(filter(), line('"event":"probe"'))).toMatch(/^no-match/);
    expect(judged(filter('aggressive'), line('"event":"probe"'))).toMatchObject({ pattern: 2 });
  });

  it('speak for an address where they are a success, which "where" and "except" do not touch', () => {
    const told = { outcome: 'success', counts: 0, pattern: 0 };
    expect(judged(filter(), '{"ip":"192.0.2.7","event":"login.ok","user":"monitor"}')).toMatchObject(told);
    expect(judged(filter(), line('"msg":"login failed","event":"login.ok"'))).toMatchObject({
      outcome: 'match',
    });
    expect(judged(filter(), line('"msg":"login failed","user":"monitor"'))).toMatchObject({
      outcome: 'excepted',
    });
  });

  it('are read from a file', () => {
    const { definition, faults } = fromYaml(`service: shop
layout: json
program: shop
address: [ip, req.ip]
time: at
match:
  - msg: { contains: 'login failed' }
  - { where: { event: lockout }, counts: 0, mode: aggressive }
success: { event: [login.ok, 7], ok: true }
except: { user: monitor }
`);
    expect(faults).toEqual([]);
    expect(definition).toMatchObject({
      match: [],
      success: [],
      program: ['shop'],
      address: ['ip', 'req.ip'],
      time: ['at'],
      matchWhere: [
        { where: { msg: { contains: ['login failed'] } }, counts: 1, mode: 'normal', line: 7, column: 5 },
        { where: { event: 'lockout' }, counts: 0, mode: 'aggressive', line: 8, column: 5 },
      ],
      successWhere: [{ where: { event: ['login.ok', 7], ok: true }, counts: 1, mode: 'normal' }],
      exceptWhere: { user: 'monitor' },
    });
  });

  it.each([
    ['layout: json\naddress: ip', '"where" is missing'],
    ['layout: json\nmatch: { a: b }', '"address" is missing'],
    ['layout: logfmt\naddress: ip', '"where" is missing'],
    ["layout: json\naddress: ip\nmatch: '^x'", 'must be a mapping'],
    ['layout: json\naddress: ip\nmatch: [{ where: { a: b }, count: 2 }]', 'did you mean "counts"?'],
    [
      'layout: json\naddress: ip\nmatch: [{ where: { a: b }, counts: session }]',
      'name the field: session: reqId',
    ],
    ['layout: json\naddress: ip\nmatch: [{ a: { prefx: b } }]', 'did you mean "prefix"?'],
    ['layout: access\nwhere: {}\nsuccess: { a: b }', '"success" means nothing with layout access'],
    ['layout: plain\naddress: ip\nmatch: x', '"address" means nothing with layout plain'],
  ])('or are faults there: %j', (yaml, told) => {
    expect(fromYaml(`service: x\n${yaml}\n`).faults.join('\n')).toContain(told);
  });

  it('do as the guide says', () => {
    const guide = readFileSync(new URL('../../docs/filters.md', import.meta.url), 'utf8');
    const [, section] = guide.split('\n## JSON and logfmt\n');
    const [, yaml] = /^```yaml\n([^]*?)^```/m.exec(section!)!;
    const { definition, faults } = fromYaml(yaml!);
    expect(faults).toEqual([]);
    expect(definition?.samples).toHaveLength(2);
    expect(proveFilter(filterOf(definition!))).toEqual([]);
  });

  it('are no patterns', () => {
    expect(fromYaml('service: x\nlayout: json\naddress: ip\nwhere: {}\n').faults).toEqual([]);
    expect(
      faultsOf({
        layout: 'json',
        address: ['ip'],
        where: {},
        match: [{ regex: '<ip>', counts: 1, mode: 'normal', ...place }],
      })[0]!.code,
    ).toBe('E_FILTER_LAYOUT');
  });
});

describe('what evidence shows of a record', () => {
  it('is what conditions name and who it was', () => {
    expect(
      verdict(
        json({ msg: 'no', 'a.b': { present: false } }),
        '{"ip":"192.0.2.7","msg":"no","user":"ann","username":"n","login":"l","email":"e","other":"x"}',
      ),
    ).toEqual({ ip: '192.0.2.7', msg: 'no', user: 'ann', username: 'n', login: 'l', email: 'e' });
  });

  it('is decoded as UTF-8, control characters and all', () => {
    expect(verdict(json({}), '{"ip":"192.0.2.7","user":"\\u001b[2J\\"ü\\ud83d\\udca9\\ud83d"}')).toEqual({
      ip: '192.0.2.7',
      user: '\u001b[2J"ü💩\ufffd',
    });
  });

  it('is any field that a sample names', () => {
    const { definition } = fromYaml(`service: shop
layout: json
address: ip
where: {}
samples:
  - line: '{"ip":"192.0.2.7","shop":{"cart":[{"id":7}]},"time":1767607872}'
    yields: { ip: 192.0.2.7, shop.cart.0.id: 7, time: '2026-01-05T10:11:12.000Z', counts: 1 }
`);
    expect(proveFilter(filterOf(definition!))).toEqual([]);
  });
});

describe('a line that says two things at once', () => {
  const filter = json({ msg: 'no' }, { address: ['ip', 'req.ip'] });

  it.each([
    ['{"ip":"203.0.113.9","ip":"192.0.2.7","msg":"no"}', 'ip'],
    ['{"ip":"192.0.2.7","\\u0069p":"192.0.2.7","msg":"no"}', 'ip'],
    ['{"msg":"no","msg":"yes","ip":"192.0.2.7"}', 'msg'],
    ['{"msg":"no","req":{"ip":"192.0.2.7"},"req":{}}', 'req'],
    ['{"msg":"no","req":{"ip":"192.0.2.7","ip":null}}', 'req.ip'],
    ['{"msg":"no","req":{"ip":"192.0.2.7"},"req.ip":"203.0.113.9"}', 'req.ip'],
    ['{"msg":"no","ip":"192.0.2.7","time":1767607872,"time":0}', 'time'],
  ])('is believed in nothing: %s', (line, twice) =>
    expect(judged(filter, line)).toBe(`no-layout: the line has the field "${twice}" twice`),
  );

  it('is one only in what the filter reads', () => {
    expect(
      verdict(
        filter,
        '{"a":1,"a":2,"ip":"192.0.2.7","body":{"ip":1,"ip":2},"msg":"no","user":"x","user":"y"}',
      ),
    ).toMatchObject({ ip: '192.0.2.7' });
  });
});

describe('a line that is no JSON object', () => {
  const filter = json({});

  it.each([
    '',
    ' ',
    'x',
    'x{"ip":"192.0.2.7"}',
    '2026-01-05 10:11:12 {"ip":"192.0.2.7"}',
    '{"ip":"192.0.2.7"}x',
    '{"ip":"192.0.2.7"}{"ip":"192.0.2.7"}',
    '[{"ip":"192.0.2.7"}]',
    '"ip"',
    '{"ip":"192.0.2.7"',
    '{"ip":"192.0.2.7',
    '{"ip":"192.0.2.7",}',
    '{"ip":"192.0.2.7" "a":1}',
    "{'ip':'192.0.2.7'}",
    '{ip:"192.0.2.7"}',
    '{"ip":"192.0.2.7","a":01}',
    '{"ip":"192.0.2.7","a":+1}',
    '{"ip":"192.0.2.7","a":NaN}',
    '{"ip":"192.0.2.7","a":"\\q"}',
    '{"ip":"192.0.2.7","a":"\\u12"}',
    '{"ip":"192.0.2.7","a":"\t"}',
    '{"ip":"192.0.2.7","a":[1,]}',
    '{"ip":"192.0.2.7","a":[,1]}',
    '{"ip":"192.0.2.7","a":[1}',
    '{"ip":"192.0.2.7","a":{"b":1]}',
    '\uFEFF{"ip":"192.0.2.7"}',
    '\0\x01\xff',
  ])('is no match: %j', (line) => {
    expect(judged(filter, line)).toBe('no-layout: the line is not a JSON object');
    expect(scan([filter], `${bytes(line)}\n{"ip":"192.0.2.8"}\n`)).toMatchObject([
      { match: { address: { text: '192.0.2.8' } } },
    ]);
  });

  it('is read where only nginx and Apache would write it so', () => {
    const filter = json({ a: 'x\xe4"', b: { present: false }, d: '-' }, { layout: 'json' });
    const line = '{"ip":"192.0.2.7","a":"x\\xC3\\xa4\\"","b":,"c":{"e":-,"f":[{"g": }]},"d":-}';
    expect(verdict(filter, line)).toMatchObject({ ip: '192.0.2.7' });
  });

  it('is any that JSON.parse refuses, and no other', () => {
    const wanted = [
      { path: 'ip', once: false },
      { path: 'a.b', once: false },
      { path: 'a.0', once: false },
    ];
    const reader = createJsonReader(wanted);
    const piece = fc.constantFrom(
      ...['{', '}', '[', ']', ':', ',', '"', '\\', '\\u00e4', '"ip"', '"a"', '"b"', '{"ip":', '1', '-', '.'],
      ...[
        '0',
        'e',
        'E+',
        'true',
        'null',
        'fals',
        ' ',
        '\t',
        '\r',
        'x',
        '"x"',
        '\\n',
        '\x01',
        'ü',
        '{}',
        '[]',
      ],
    );
    const damaged = fc.tuple(fc.json(), fc.nat(), piece, fc.nat(3)).map(([text, at, what, cut]) => {
      const index = at % (text.length + 1);
      return text.slice(0, index) + what + text.slice(index + cut);
    });
    const text = fc.oneof(
      damaged,
      fc.array(piece, { maxLength: 16 }).map((pieces) => `{${pieces.join('')}}`),
      fc.jsonValue().map((value) => JSON.stringify({ ip: value, a: value })),
    );
    fc.assert(
      fc.property(text, (line) => {
        fc.pre(!/\n/.test(line) && !/:\s*(?:-?\s*[,}])|\\[xv]/.test(line));
        const before = `"}\n`;
        const raw = bytes(line);
        const fault = reader.read(`${before}${raw}\n"}`, before.length, before.length + raw.length);
        const parsed = parsedObject(line);
        expect(fault === undefined, JSON.stringify(line)).toBe(parsed !== undefined);
        if (!parsed) return;
        expect(asText(reader.value(0)), JSON.stringify(line)).toBe(expectedOf(parsed['ip']));
      }),
      { numRuns: 3_000 },
    );

    function parsedObject(line: string): Record<string, unknown> | undefined {
      try {
        const value: unknown = JSON.parse(line);
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        return isObject ? (value as Record<string, unknown>) : undefined;
      } catch {
        return undefined;
      }
    }
    /** As a number where it is one: JSON may write it in several ways. */
    function asText(value: string | undefined): string | undefined {
      const text = value === undefined ? undefined : Buffer.from(value, 'latin1').toString('utf8');
      return text !== undefined && text.trim() !== '' && !Number.isNaN(Number(text))
        ? String(Number(text))
        : text;
    }
    function expectedOf(value: unknown): string | undefined {
      if (typeof value === 'string') return value === '' ? undefined : asText(bytes(value));
      if (typeof value === 'number' || typeof value === 'boolean') return asText(String(value));
      return undefined;
    }
  });

  it('never throws, whatever the bytes', () => {
    const filter = json({ 'a.b': { regex: 'x' } }, { address: ['ip', 'a.0.ip'] });
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          for (const line of [
            text,
            `{"ip":"${text}"}`,
            `{"${text}":1,"ip":"192.0.2.7","a":{"b":"x${text}"}}`,
          ])
            expect(() => filter.judge(line, NOW)).not.toThrow();
        },
      ),
    );
  });
});

describe('how much a record may hold', () => {
  const filter = json({});
  const LIMIT = 256 * 1024;

  it('is 256 KiB', () => {
    const line = (length: number): string => {
      const [before, behind] = ['{"ip":"192.0.2.7","a":"', '"}'];
      return before + 'x'.repeat(length - before.length - behind.length) + behind;
    };
    expect(verdict(filter, line(LIMIT))).toEqual({ ip: '192.0.2.7' });
    expect(judged(filter, line(LIMIT + 1))).toBe('no-layout: the line is longer than 256 KiB');
  });

  it('is any depth: a client who has a body of his own logged would evade by it', () => {
    const deep = (open: string, close: string): string =>
      `{"body":${open.repeat(20_000)}1${close.repeat(20_000)},"ip":"192.0.2.7"}`;
    expect(verdict(filter, deep('[', ']'))).toEqual({ ip: '192.0.2.7' });
    expect(verdict(filter, deep('{"ip":', '}'))).toEqual({ ip: '192.0.2.7' });
    expect(verdict(filter, deep('[', '}'))).toBe('no-layout');
  });

  it('takes time in proportion to it, line after line', () => {
    const lines = ['{"'.padEnd(20_000, 'a'), '{"ip":"'.padEnd(20_000, '\\\\'), '['.repeat(20_000)];
    const text = `${lines.join('\n')}\n`.repeat(100);
    expect(scan([filter], text)).toEqual([]);
  });
});

describe('the search for literals', () => {
  const literals = (where: Conditions, more: Partial<FilterDefinition> = {}) =>
    engineOf(json(where, more)).engine.literals?.map(({ bytes: text, fold }) =>
      fold ? `${text} (i)` : text,
    );

  it.each([
    [{ msg: { contains: 'login failed' } }, ['login failed']],
    [{ msg: 'login failed' }, ['"login failed']],
    [{ msg: { prefix: 'login' } }, ['"login']],
    [{ msg: { suffix: 'failed' } }, ['failed']],
    [{ msg: ['one', 'two'] }, ['"one', '"two']],
    [{ msg: { contains: ["can't log in"] } }, ['t log in']],
    [{ msg: { prefix: '/api/login' } }, ['login']],
    [{ msg: { contains: 'für immer' } }, ['r immer']],
    [{ msg: { regex: '(?i)^login (?:failed|denied)$' } }, ['login failed (i)', 'login denied (i)']],
    [{ level: 50, msg: { contains: 'login' } }, ['login']],
    [{ id: 20249 }, ['20249']],
    [{ id: [20249, 5286307], s: 'I', c: 'ACCESS' }, ['"ACCESS']],
    [{ ok: false, msg: 'no' }, ['"no']],
  ] satisfies [Conditions, string[]][])('of %j is %j', (where, expected) =>
    expect(literals(where)).toEqual(expected),
  );

  it.each<Conditions>([
    {},
    { ok: true },
    { level: '40-60' },
    { msg: { present: true } },
    { msg: '<>' },
    { msg: { contains: 'für' } },
    { ip: 'in 192.0.2.0/24' },
  ])('is for nothing with %j, and that is told', (where) => {
    expect(literals(where)).toBeUndefined();
  });

  it('is for one text of each case', () => {
    expect(
      literals(
        { msg: { contains: 'login failed' } },
        { successWhere: [{ where: { event: 'login.ok' }, counts: 1, mode: 'normal', ...place }] },
      ),
    ).toEqual(['"login.ok', 'login failed']);
  });

  it('passes over no line that is a match', () => {
    const texts = ['login failed', 'für', "can't", '</a>', '"x"', 'a\\b', 'a/b', '401', 'true', '💩 x y z'];
    const encoders = [
      (value: string) => JSON.stringify(value),
      (value: string) => JSON.stringify(value).replace(/\//g, '\\/'),
      (value: string) =>
        JSON.stringify(value).replace(
          /[<>&'+`\x7f-\uffff]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
        ),
    ];
    for (const text of texts)
      for (const where of [
        { msg: text },
        { msg: { contains: text } },
        { msg: { prefix: text } },
        { msg: { suffix: text } },
        { msg: { regex: `^${text.replace(/[\\/]/g, '\\$&')}` } },
      ] satisfies Conditions[])
        for (const encode of encoders) {
          const line = bytes(`{"ip":"192.0.2.7","msg":${encode(text)}}`);
          expect(scan([json(where)], `${line}\n`), `${JSON.stringify(where)} ${line}`).toHaveLength(1);
        }
  });
});

describe('forgeries of records', () => {
  const filter = json(
    { msg: { contains: 'login failed' }, level: '40-60', ok: false, kind: { present: true } },
    { address: ['ip', 'req.ip'] },
  );

  it('begin with a record that matches, as several encoders write it', () => {
    const [trial] = trials(filter);
    const lines = trial!.skeletons.map((skeleton) => honestLine(skeleton, trial!.frame, '192.0.2.7'));
    expect(lines[0]).toBe(
      '{"time":"2026-01-05T10:11:12.123Z","user":"x","msg":"xlogin failedx","level":40,"ok":false,"kind":"x","ip":"192.0.2.7","url":"x"}',
    );
    expect(lines[1]).toContain('"req":{"ip":"192.0.2.7"}');
    for (const line of lines) expect(trial!.filter.judge(line, NOW).outcome).toBe('match');
  });

  it('fill each field that conditions leave open, and are JSON whatever they hold', () => {
    const [trial] = trials(filter);
    expect(trial).toMatchObject({ mustMatch: true, outcome: 'failure' });
    const seen = { user: 0, url: 0, msg: 0, kind: 0 };
    for (const { line } of forge(trial!.skeletons[0]!, trial!.others, trial!.frame)) {
      const record = JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as Record<string, string>;
      for (const key of Object.keys(seen) as (keyof typeof seen)[])
        if (/203\.0\.113\.66|2001:db8:bad/.test(record[key]!)) seen[key]++;
    }
    for (const [key, times] of Object.entries(seen)) expect(times, key).toBeGreaterThan(100);
  });

  it.each([
    ['a case that no record could be made up for', { msg: { contains: 'a', regex: '^b$' } }],
    ['an address that is none of theirs', { ip: 'in 198.51.100.0/24' }],
    ['no condition at all', {}],
    ['a path within another', { a: 'x', 'a.b': { present: false } }],
    ['a place in a list', { 'a.1.b': 'x' }],
    ['a glob and a network', { a: { glob: 'x*y?' }, b: { in: ['10.0.0.0/8'] }, c: 'in 10.0.0.0/8' }],
  ] satisfies [string, Conditions][])('are made for %s', (_what, where) => {
    expect(proveFilter(json(where))).toEqual([]);
  });

  it('find a filter out that takes the address from what a client wrote', () => {
    // The reader is sound, so that the filter has to be bent by hand: it reads `user` where it says `ip`.
    const bent = json({}, { samples: [], address: ['ip'] });
    const [trial] = trials(bent);
    const wrong = json({}, { address: ['user', 'ip'] });
    const forged = [...forge(trial!.skeletons[0]!, trial!.others, trial!.frame)].filter(
      ({ line, honest }) => {
        const told = wrong.judge(line, NOW);
        return 'match' in told && told.match.address.text !== honest;
      },
    );
    expect(forged.length).toBeGreaterThan(0);
  });
});

describe('an access log in JSON', () => {
  const login = (logFormat = 'json') =>
    filterOf(
      { layout: 'access', where: { method: 'POST', path: '/login', status: [401, 403] } },
      { logFormat },
    );
  const LINES = {
    nginx:
      '{"time_local":"05/Jan/2026:11:11:12 +0100","remote_addr":"192.0.2.7","remote_user":"ann","request":"POST //x/../%6cogin?a=b HTTP/1.1","status":"401","body_bytes_sent":"179","http_referer":"-","http_user_agent":"curl/8.5.0"}',
    'nginx with its parts':
      '{"msec":1767607872.000,"remote_addr":"192.0.2.7","remote_user":"ann","request_method":"POST","request_uri":"/login?a=b","uri":"/index.php","args":"a=b","server_protocol":"HTTP/1.1","status":401,"http_x_forwarded_for":"203.0.113.9","http_user_agent":"curl/8.5.0","http_host":"www.example.net"}',
    Caddy:
      '{"level":"info","ts":1767607872.0004567,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"40022","client_ip":"203.0.113.9","proto":"HTTP/1.1","method":"POST","host":"www.example.net","uri":"/login?a=b","headers":{"X-Forwarded-For":["203.0.113.9"],"User-Agent":["curl/8.5.0"]}},"bytes_read":12,"user_id":"ann","duration":0.01,"size":179,"status":401,"resp_headers":{}}',
    'Caddy before 2.5':
      '{"level":"error","ts":1767607872,"msg":"handled request","request":{"remote_addr":"192.0.2.7:40022","proto":"HTTP/1.1","method":"POST","host":"www.example.net","uri":"/login?a=b","headers":{"User-Agent":["curl/8.5.0"]}},"user_id":"ann","status":401}',
    Traefik:
      '{"ClientAddr":"192.0.2.7:40022","ClientHost":"203.0.113.9","ClientPort":"40022","ClientUsername":"ann","DownstreamContentSize":179,"DownstreamStatus":401,"OriginStatus":200,"RequestHost":"www.example.net","RequestMethod":"POST","RequestPath":"/login?a=b","RequestProtocol":"HTTP/1.1","StartUTC":"2026-01-05T10:11:11.9Z","request_User-Agent":"curl/8.5.0","level":"info","msg":"","time":"2026-01-05T10:11:12Z"}',
    'pino-http':
      '{"level":30,"time":1767607872000,"pid":1,"hostname":"web","req":{"id":1,"method":"POST","url":"/login?a=b","query":{"remoteAddress":"203.0.113.9"},"headers":{"host":"www.example.net","user-agent":"curl/8.5.0"},"remoteAddress":"::ffff:192.0.2.7","remotePort":40022},"res":{"statusCode":401,"headers":{}},"user":"ann","responseTime":3,"msg":"request completed"}',
    Apache:
      '{"time":"[05/Jan/2026:11:11:12 +0100]","remoteIP":"192.0.2.7","user":"ann","host":"www.example.net","request":"/login","query":"?a=b","method":"POST","protocol":"HTTP/1.1","status":"401","userAgent":"curl/8.5.0","referer":"\\xe4\\"x"}',
  };

  it.each(Object.entries(LINES))('of %s is read', (name, line) => {
    const filter = login();
    expect(judged(filter, line)).toMatchObject({ ip: '192.0.2.7', at: AT, counts: 1 });
    expect(verdict(filter, line)).toMatchObject({
      method: 'POST',
      path: '/login',
      query: 'a=b',
      ...(name === 'pino-http' ? {} : { protocol: 'HTTP/1.1' }),
      status: '401',
      user: 'ann',
    });
    expect(scan([filter], `${line}\n`)).toHaveLength(1);
    const byAgent = filterOf(
      { layout: 'access', where: { user_agent: { prefix: 'curl' }, http_user_agent: 'curl/8.5.0' } },
      { logFormat: 'json' },
    );
    expect(verdict(byAgent, line)).toMatchObject({ user_agent: 'curl/8.5.0' });
  });

  it.each([
    ['GET', '/login', 401],
    ['POST', '/logins', 401],
    ['POST', '/login', 200],
    ['POST', '/../login', 401],
  ])('takes no line with %s %s %i', (method, uri, status) => {
    expect(
      verdict(login(), JSON.stringify({ request: { remote_ip: '192.0.2.7', method, uri }, status })),
    ).toBe('no-match');
  });

  it.each(['//login', '/%6cogin', '/./login', '/x/../login', '/login?a=b', 'http://h/login'])(
    'is not evaded by writing %s',
    (uri) =>
      expect(
        verdict(
          login(),
          JSON.stringify({ request: { remote_ip: '192.0.2.7', method: 'POST', uri }, status: 401 }),
        ),
      ).toMatchObject({ path: '/login' }),
  );

  it('is not evaded by a header that the client makes up', () => {
    const headers = { 'User-Agent.0': ['x'], 'User-Agent': ['evil', 'x'], Remote_ip: ['203.0.113.9'] };
    const request = { headers, method: 'POST', uri: '/', remote_ip: '192.0.2.7' };
    const filter = filterOf({ layout: 'access', where: { user_agent: 'evil' } }, { logFormat: 'json' });
    expect(verdict(filter, JSON.stringify({ status: 200, request }))).toMatchObject({ ip: '192.0.2.7' });
  });

  it('has every path as a field, and tells the usual names', () => {
    const filter = filterOf(
      { layout: 'access', where: { 'request.tls.proto': 'h2', request: { prefix: 'POST /login' } } },
      { logFormat: 'json' },
    );
    const request = {
      remote_ip: '192.0.2.7',
      method: 'POST',
      uri: '/login',
      proto: 'HTTP/2.0',
      tls: { proto: 'h2' },
    };
    expect(verdict(filter, JSON.stringify({ request, status: 401 }))).toMatchObject({
      request: 'POST /login HTTP/2.0',
    });
    expect(fieldsOf('access', 'json')).toEqual(
      expect.arrayContaining(['ip', 'method', 'path', 'query', 'status', 'user', 'host', 'user_agent']),
    );
    expect(fieldsOf('json', undefined)).toEqual([]);
  });

  it('is one object a line for all filters of a source', () => {
    const filters = [
      login(),
      filterOf({ layout: 'access', where: { path: { prefix: '/' } } }, { logFormat: 'json' }),
    ];
    const keys = filters.map((filter) => engineOf(filter).engine.framing.key);
    expect(new Set(keys).size).toBe(1);
    const text = Object.values(LINES)
      .map((line) => `${line}\n`)
      .join('');
    const found = scan(filters, text);
    expect(found.filter(({ filter }) => filter === 0)).toHaveLength(Object.keys(LINES).length);
    expect(found.filter(({ filter }) => filter === 1)).toHaveLength(Object.keys(LINES).length);
  });

  it('knows the address by each of its names', () => {
    const where = { ip: 'in 192.0.2.0/24', remote_addr: '192.0.2.7' };
    const filter = filterOf({ layout: 'access', where }, { logFormat: 'json' });
    for (const line of Object.values(LINES)) expect(verdict(filter, line)).toMatchObject({ ip: '192.0.2.7' });
    expect(verdict(filter, LINES.Caddy.replaceAll('192.0.2.7', '192.0.2.8'))).toBe('no-match');
  });

  it('holds against forgeries', () => expect(proveFilter(login())).toEqual([]));

  describe('whose nginx format is written out', () => {
    const format =
      'escape=json {"at":"$time_iso8601","client":{"addr":"$remote_addr","ip":"$http_x_forwarded_for"},"r":"$request","s":$status,"up":$upstream_response_time,"ua":"${http_user_agent}","what":"$host$uri"}';
    const line = (parts: string): string =>
      `{"at":"2026-01-05T10:11:12+00:00","client":{"addr":"192.0.2.7","ip":"203.0.113.9"},${parts}}`;

    it('is read by what the format says', () => {
      const filter = login(format);
      const told = line('"r":"POST /login HTTP/1.1","s":401,"up":,"ua":"x","what":"h/"');
      expect(judged(filter, told)).toMatchObject({ ip: '192.0.2.7', at: AT });
      expect(proveFilter(filter)).toEqual([]);
      const byAgent = filterOf({ layout: 'access', where: { user_agent: 'x' } }, { logFormat: format });
      expect(verdict(byAgent, told)).toMatchObject({ path: '/login' });
      const byHost = filterOf(
        { layout: 'access', where: { host: { present: true } } },
        { logFormat: format },
      );
      expect(verdict(byHost, told)).toBe('no-match');
    });

    it.each([
      ['escape=json {"a":"$request"}', 'no $remote_addr'],
      ['escape=json {"a":"x$remote_addr"}', 'no $remote_addr'],
      ['escape=json {"a":"$remote_addr"', 'is not a JSON object'],
      ['escape=json $remote_addr', 'is not a JSON object'],
      ['escape=json {"a":"$remote_addr","u":$http_user_agent}', '$http_user_agent stands without quotes'],
    ])('or refused: %s', (logFormat, told) => {
      expect(faultsOf({ layout: 'access', where: {} }, { logFormat })).toEqual([
        { code: 'E_FILTER_LOG_FORMAT', text: expect.stringContaining(told) },
      ]);
    });
  });

  describe('behind trusted proxies', () => {
    const trustedProxies = [parseNetwork('10.0.0.0/8')!.network];
    const behind = filterOf(
      { layout: 'access', where: { status: 401 } },
      { logFormat: 'json', trustedProxies },
    );
    const told = (line: object): unknown => {
      const found = behind.judge(JSON.stringify(line), NOW);
      return 'match' in found
        ? [found.match.address.text, found.match.via?.text]
        : `${found.outcome}: ${found.why}`;
    };

    it('names whom the header names', () => {
      const request = { remote_ip: '10.0.0.2', headers: { 'X-Forwarded-For': ['203.0.113.9, 192.0.2.7'] } };
      expect(told({ status: 401, request })).toEqual(['192.0.2.7', '10.0.0.2']);
      expect(told({ status: 401, request: { ...request, remote_ip: '192.0.2.8' } })).toEqual([
        '192.0.2.8',
        undefined,
      ]);
      const traefik = {
        DownstreamStatus: 401,
        ClientAddr: '10.0.0.2:1',
        ClientHost: '203.0.113.9, 192.0.2.7',
      };
      expect(told(traefik)).toEqual(['192.0.2.7', '10.0.0.2']);
      expect(told({ ...traefik, ClientHost: '10.0.0.2' })).toMatch(/^no-match: a trusted proxy/);
    });

    it('is told where there is none', () => {
      expect(told({ status: 401, remote_addr: '10.0.0.2' })).toMatch(/^no-layout: a trusted proxy/);
    });
  });
});
