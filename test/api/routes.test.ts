import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import type { Role } from '../../src/api/contract.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { SHAPES } from '../../src/api/shapes.ts';
import { BODY_LIMIT } from '../../src/api/wire.ts';
import { BailiffError } from '../../src/errors.ts';
import { silentLog } from '../../src/ports.ts';
import type { Log } from '../../src/ports.ts';
import { ask as askApp } from '../support/app.ts';
import type { Asked } from '../support/app.ts';
import { HOSTILE, ban, createFakeControl } from './fake-control.ts';

interface Answer {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

function setUp(role: Role = 'control', log: Log = silentLog) {
  const control = createFakeControl();
  const app = createApp(control, role, ROUTES, log);
  const ask = async (method: string, path: string, init: Asked = {}): Promise<Answer> => {
    const { status, headers, text } = await askApp(app, path, { method, ...init });
    return {
      status,
      headers,
      json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  };
  const post = (path: string, body: unknown, type = 'application/json'): Promise<Answer> =>
    ask('POST', path, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': type },
    });
  return { control, ask, post };
}

describe('answers', () => {
  const asked: [string, string, unknown?][] = [
    ['GET', '/v1/ping'],
    ['GET', '/v1/status'],
    ['GET', '/v1/bans'],
    ['GET', '/v1/history?address=192.0.2.7'],
    ['POST', '/v1/bans', { addresses: ['192.0.2.7'] }],
    ['DELETE', '/v1/bans?address=192.0.2.7'],
    ['POST', '/v1/reports', { jail: 'app', address: '192.0.2.7', outcome: 'failure' }],
    ['POST', '/v1/attempts', { addresses: ['192.0.2.7'], jail: 'sshd' }],
    ['POST', '/v1/administrators', { address: '192.0.2.7' }],
    ['POST', '/v1/teardown'],
    ['POST', '/v1/arm'],
    ['POST', '/v1/reload', { confirm: '5m', release: true }],
    ['POST', '/v1/confirm'],
    ['POST', '/v1/jails/enable', { jails: ['api'] }],
    ['POST', '/v1/jails/disable', { jails: ['api'] }],
    ['GET', '/v1/log?level=warn&jail=sshd&since=2026-01-05T10:00:00Z&after=7&wait=20'],
    ['GET', '/v1/openapi.json'],
  ];

  test.each(asked)('%s %s has the shape that the API describes', async (method, path, body) => {
    const { ask, post } = setUp();
    const answer = body === undefined ? await ask(method, path) : await post(path, body);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    const route = ROUTES.find((each) => each.method === method && each.path === path.split('?')[0])!;
    expect(v.safeParse(SHAPES[route.answers], answer.json).issues).toBeUndefined();
  });

  test('every route of the table is asked above', () => {
    const names = asked.map(([method, path]) => `${method} ${path.split('?')[0]}`);
    // Streams have no end that one could wait for: events.test.ts asks them.
    const whole = ROUTES.filter((route) => !route.streams);
    expect(names.toSorted()).toEqual(whole.map((route) => `${route.method} ${route.path}`).toSorted());
  });
});

describe('requests reach the daemon', () => {
  test('a list of bans with its jail, its switch and its page', async () => {
    const { control, ask } = setUp();
    await ask('GET', '/v1/bans?jail=sshd&all=true&after=17');
    await ask('GET', '/v1/bans?all=false');
    expect(control.calls).toEqual([
      ['bans', { jail: 'sshd', all: true, after: '17' }],
      ['bans', { all: false }],
    ]);
  });

  test('a ban with everything that one may say', async () => {
    const { control, post } = setUp();
    const request = {
      addresses: ['192.0.2.7', '2001:db8::/64'],
      jail: 'sshd',
      for: '10m',
      reason: 'noise',
      force: true,
    };
    await post('/v1/bans', request);
    await post('/v1/bans', { addresses: ['192.0.2.7'], for: 600 }, 'application/json; charset=utf-8');
    expect(control.calls).toEqual([
      ['ban', request],
      ['ban', { addresses: ['192.0.2.7'], for: 600 }],
    ]);
  });

  test('a page of its log, with numbers as numbers; whatever is none is refused', async () => {
    const { control, ask } = setUp();
    await ask('GET', '/v1/log?level=warn&jail=sshd&since=2026-01-05T10:00:00Z&after=7&wait=20');
    for (const query of ['after=-1', 'after=x', 'after=', 'wait=21', 'level=all', 'since=now'])
      expect([query, (await ask('GET', `/v1/log?${query}`)).status]).toEqual([query, 400]);
    expect(control.calls).toEqual([
      ['log', { level: 'warn', jail: 'sshd', since: '2026-01-05T10:00:00Z', after: 7, wait: 20 }],
    ]);
    expect((await setUp('status').ask('GET', '/v1/log')).status).toBe(403);
  });

  test('an unban of addresses, of a jail, of everything', async () => {
    const { control, ask } = setUp();
    await ask('DELETE', '/v1/bans?address=192.0.2.7&address=2001:db8::/64&jail=sshd');
    await ask('DELETE', '/v1/bans?jail=sshd');
    await ask('DELETE', '/v1/bans?all=true');
    expect(control.calls).toEqual([
      ['unban', { addresses: ['192.0.2.7', '2001:db8::/64'], jail: 'sshd' }],
      ['unban', { all: true, jail: 'sshd' }],
      ['unban', { all: true, jail: undefined }],
    ]);
  });

  test.each([
    '',
    '?address=',
    '?jail=',
    '?all=',
    '?all=false',
    '?address=&jail=sshd',
    '?address=192.0.2.7&all=true',
  ])('an unban that says "%s" lifts nothing', async (query) => {
    const { control, ask } = setUp();
    const answer = await ask('DELETE', `/v1/bans${query}`);
    expect(answer).toMatchObject({ status: 400, json: { code: 'E_USAGE' } });
    expect(control.calls).toEqual([]);
  });
});

describe('requests that are refused', () => {
  test('an unknown key in a body, with the nearest that exists', async () => {
    const { control, post } = setUp();
    const answer = await post('/v1/bans', { addresses: ['192.0.2.7'], jial: 'sshd' });
    expect(answer).toMatchObject({ status: 400, json: { code: 'E_USAGE' } });
    expect(answer.json['message']).toContain('unknown key "jial", did you mean "jail"?');
    expect(control.calls).toEqual([]);
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'the key %s, which every object inherits',
    async (key) => {
      const { post, ask } = setUp();
      const answer = await post('/v1/bans', `{"addresses": ["192.0.2.7"], "${key}": 1}`);
      expect(answer).toMatchObject({ status: 400, json: { code: 'E_USAGE' } });
      expect(await ask('GET', `/v1/bans?${key}=1`)).toMatchObject({ status: 400 });
    },
  );

  test.each([
    '/v1/ping?x=1',
    '/v1/bans?limit=5',
    '/v1/bans?jail=a&jail=b',
    '/v1/history',
    '/v1/history?address=',
  ])('GET %s, whose query has a key too many, too often or too few', async (path) => {
    expect(await setUp().ask('GET', path)).toMatchObject({ status: 400, json: { code: 'E_USAGE' } });
  });

  test.each<[object, string]>([
    [{}, '"addresses" is missing'],
    [{ addresses: [] }, '"addresses" must not be empty'],
    [{ addresses: '192.0.2.7' }, '"addresses" must be a list'],
    [{ addresses: ['192.0.2.7', 1] }, '"addresses.1" must be a text'],
    [{ addresses: ['x'.repeat(65)] }, '"addresses.0" is too long: 64 characters at most'],
    [{ addresses: ['192.0.2.7'], for: true }, '"for" must be a text or a number'],
    [{ addresses: ['192.0.2.7'], for: -1 }, '"for" must be at least 0'],
    [{ addresses: ['192.0.2.7'], force: 'yes' }, '"force" must be true or false'],
    [{ addresses: ['192.0.2.7'], forse: true }, 'unknown key "forse", did you mean "force"?'],
  ])('what is wrong with the body %j is said in words', async (body, problem) => {
    const { json } = await setUp().post('/v1/bans', body);
    expect(json).toMatchObject({ code: 'E_USAGE', problems: [problem] });
  });

  test('so is what a switch in the query takes', async () => {
    const { json } = await setUp().ask('GET', '/v1/bans?all=');
    expect(json).toMatchObject({ problems: ['"all" must be "true" or "1" or "false" or "0"'] });
  });

  test.each([
    ['a list', []],
    ['null', null],
    ['no addresses', {}],
    ['an empty list of addresses', { addresses: [] }],
    ['a number for an address', { addresses: [1] }],
    ['a text for a switch', { addresses: ['192.0.2.7'], force: 'yes' }],
    ['no JSON', '{"addresses": ['],
  ])('a ban whose body is %s', async (_what, body) => {
    const { control, post } = setUp();
    expect(await post('/v1/bans', body)).toMatchObject({ status: 400, json: { code: 'E_USAGE' } });
    expect(control.calls).toEqual([]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'a body of the type "%s"',
    async (type) => {
      const { control, post } = setUp();
      expect(await post('/v1/bans', { addresses: ['192.0.2.7'] }, type)).toMatchObject({ status: 400 });
      expect(control.calls).toEqual([]);
    },
  );

  test('a body where none is wanted', async () => {
    const { control, post } = setUp();
    expect(await post('/v1/teardown', { force: true })).toMatchObject({ status: 400 });
    expect(control.calls).toEqual([]);
    expect(await post('/v1/teardown', {})).toMatchObject({ status: 200 });
  });

  test('a body over 1 MiB', async () => {
    const { control, post } = setUp();
    const body = JSON.stringify({ addresses: ['192.0.2.7'], reason: 'x'.repeat(BODY_LIMIT) });
    expect(await post('/v1/bans', body)).toMatchObject({ status: 413, json: { code: 'E_BODY_TOO_LARGE' } });
    expect(control.calls).toEqual([]);
  });

  test('an unknown route, with the nearest that exists', async () => {
    const answer = await setUp().ask('GET', '/v1/stauts');
    expect(answer).toMatchObject({ status: 404, json: { code: 'E_UNKNOWN_ROUTE' } });
    expect(answer.json['message']).toContain('/v1/status');
  });

  test('another method, with those that the route takes', async () => {
    const answer = await setUp().ask('PUT', '/v1/bans');
    expect(answer).toMatchObject({
      status: 405,
      json: { code: 'E_METHOD', allowed: ['GET', 'POST', 'DELETE'] },
    });
    expect(answer.headers.get('allow')).toBe('GET, POST, DELETE');
  });

  test('whatever a browser sends', async () => {
    const { control, ask } = setUp();
    const answer = await ask('POST', '/v1/teardown', { headers: { origin: 'http://evil.example' } });
    expect(answer).toMatchObject({ status: 403, json: { code: 'E_NOT_PERMITTED' } });
    expect(control.calls).toEqual([]);
  });
});

describe('status.sock', () => {
  test('serves reads without hostile text and nothing else', async () => {
    const { control, ask } = setUp('status');
    for (const route of ROUTES.filter((each) => !each.streams)) {
      const answer = await ask(route.method, route.path);
      const isServed =
        ['/v1/ping', '/v1/status', '/v1/openapi.json'].includes(route.path) ||
        `${route.method} ${route.path}` === 'GET /v1/bans';
      expect([route.path, answer.status]).toEqual([route.path, isServed ? 200 : 403]);
    }
    expect(control.calls.map(([method]) => method)).toEqual(['ping', 'status', 'bans', 'ping']);
  });

  test('leaves the reasons of bans out, since they may quote a log line', async () => {
    const { control, ask } = setUp('status');
    control.answer('bans', { items: [ban({ reason: HOSTILE })], next: '1' });
    const answer = await ask('GET', '/v1/bans');
    expect(answer.json).toEqual({ items: [ban({ reason: '' })], next: '1' });
  });
});

describe('report.sock', () => {
  test('takes reports, and serves nothing else', async () => {
    const { control, ask, post } = setUp('report');
    for (const route of ROUTES) {
      if (route.path === '/v1/reports') continue;
      expect([route.path, (await ask(route.method, route.path)).status]).toEqual([route.path, 403]);
    }
    expect(control.calls).toEqual([]);
    expect((await post('/v1/reports', REPORT)).status).toBe(200);
    expect(control.calls).toEqual([['report', { reports: [REPORT] }]]);
  });

  test('status.sock takes none', async () => {
    const { control, post } = setUp('status');
    expect(await post('/v1/reports', REPORT)).toMatchObject({
      status: 403,
      json: { code: 'E_NOT_PERMITTED' },
    });
    expect(control.calls).toEqual([]);
  });
});

const REPORT = { jail: 'app', address: '192.0.2.7', outcome: 'failure' };

describe('reports', () => {
  const whole = {
    ...REPORT,
    fields: { user: HOSTILE, n: 1, deep: [{ a: null }] },
    at: 1_767_607_872,
    id: 'x',
  };

  test('come with everything that one may say, alone or several', async () => {
    const { control, post } = setUp('report');
    await post('/v1/reports', whole);
    await post('/v1/reports', { reports: [whole, { ...REPORT, at: '2026-01-05T10:11:12Z' }] });
    expect(control.calls).toEqual([
      ['report', { reports: [whole] }],
      ['report', { reports: [whole, { ...REPORT, at: '2026-01-05T10:11:12Z' }] }],
    ]);
  });

  test.each([
    [{}, 'missing'],
    [{ ...REPORT, outcome: 'ban' }, '"outcome" must be'],
    [{ ...REPORT, jial: 'x' }, 'unknown key "jial", did you mean "jail"?'],
    [{ ...REPORT, id: '' }, '"id" must not be empty'],
    [{ ...REPORT, id: 'x'.repeat(129) }, '"id" is too long'],
    [{ ...REPORT, address: 'x'.repeat(65) }, '"address" is too long'],
    [{ ...REPORT, at: true }, '"at" must be a text or a number'],
    [{ reports: [REPORT], id: 'x' }, '"reports" stands alone'],
    [{ reports: [] }, '"reports" must not be empty'],
    [{ reports: Array.from({ length: 1_001 }, () => REPORT) }, '"reports" is too long: 1000 entries'],
  ])('%# that make no sense are refused, and say why', async (body, why) => {
    const { control, post } = setUp('report');
    const answer = await post('/v1/reports', body);
    expect(answer).toMatchObject({ status: 400, json: { code: 'E_USAGE' } });
    expect(answer.json['message']).toContain(why);
    expect(control.calls).toEqual([]);
  });

  test.each([[['a']], ['text'], [7], [null], [{ ['x'.repeat(9_999)]: 'x'.repeat(9_999) }]])(
    'whatever stands in its fields, a report counts (%#)',
    async (fields) => {
      const { control, post } = setUp('report');
      expect((await post('/v1/reports', { ...REPORT, fields })).status).toBe(200);
      expect(control.calls).toEqual([['report', { reports: [{ ...REPORT, fields }] }]]);
    },
  );

  test('of several, one that makes no sense keeps no other from counting', async () => {
    const { control, post } = setUp('report');
    const bad = { ...REPORT, address: 'x'.repeat(100), id: 'a' };
    const { status, json } = await post('/v1/reports', {
      reports: [bad, REPORT, null, { ...REPORT, extra: 1 }, whole],
    });
    expect(status).toBe(200);
    expect(json).toMatchObject([
      { address: 'x'.repeat(64), outcome: 'refused', code: 'E_USAGE', id: 'a' },
      { address: '192.0.2.7', outcome: 'counted' },
      { address: '', outcome: 'refused' },
      { address: '192.0.2.7', outcome: 'refused', why: expect.stringContaining('"extra"') },
      { address: '192.0.2.7', outcome: 'counted' },
    ]);
    expect(control.calls).toEqual([['report', { reports: [REPORT, whole] }]]);
  });

  test('a single one that the daemon refuses is a fault', async () => {
    const { control, post } = setUp('report');
    const refused = { address: 'x', outcome: 'refused', code: 'E_ADDRESS', why: '"x" is not an address' };
    control.answer('report', [refused]);
    expect(await post('/v1/reports', { ...REPORT, address: 'x' })).toMatchObject({
      status: 400,
      json: { code: 'E_ADDRESS', message: '"x" is not an address', address: 'x' },
    });
    expect((await post('/v1/reports', { reports: [REPORT] })).json).toEqual([refused]);
  });
});

describe('faults', () => {
  test('of the daemon keep their code, status, message and facts', async () => {
    const { control, ask } = setUp();
    const fault = new BailiffError('E_UNKNOWN_JAIL', 'there is no jail "x"', { jail: 'x', code: 'forged' });
    control.answer('bans', fault);
    expect(await ask('GET', '/v1/bans?jail=x')).toMatchObject({
      status: 404,
      json: { code: 'E_UNKNOWN_JAIL', message: 'there is no jail "x"', jail: 'x' },
    });
  });

  test('of ours are logged, and tell the client nothing', async () => {
    const logged: object[] = [];
    const { control, ask } = setUp('control', { ...silentLog, error: (facts) => void logged.push(facts) });
    const defect = new TypeError('secret of /etc/shadow');
    control.answer('status', defect);
    const answer = await ask('GET', '/v1/status');
    expect(answer).toMatchObject({ status: 500, json: { code: 'E_INTERNAL' } });
    expect(JSON.stringify(answer.json)).not.toContain('secret');
    expect(logged).toEqual([{ err: defect, method: 'GET', path: '/v1/status' }]);
  });
});

test('the OpenAPI document describes every route, its query, its body and its sockets', async () => {
  const { json } = await setUp().ask('GET', '/v1/openapi.json');
  expect(json['openapi']).toBe('3.1.1');
  expect(json['info']).toMatchObject({ version: '0.1.0' });
  const paths = json['paths'] as Record<string, Record<string, Record<string, unknown>>>;
  for (const route of ROUTES) {
    const operation = paths[route.path]![route.method.toLowerCase()]!;
    const parameters = (operation['parameters'] ?? []) as { name: string }[];
    expect(parameters.map((each) => each.name)).toEqual(Object.keys(route.query));
    expect('requestBody' in operation).toBe(Object.keys(route.body).length > 0);
  }
  const schemas = (json['components'] as { schemas: Record<string, unknown> }).schemas;
  const named = JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g);
  for (const [, name] of named) expect(schemas).toHaveProperty(name!);
  expect(paths['/v1/history']!['get']!['parameters']).toEqual([
    expect.objectContaining({ name: 'address', required: true }),
  ]);
  expect(paths['/v1/history']!['get']!['x-sockets']).toEqual(['control.sock']);
});
