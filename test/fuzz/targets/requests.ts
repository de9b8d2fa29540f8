// The sockets: raw bytes on each of them, and bodies as applications and administrators send them.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from '../../../src/api/index.ts';
import { createApp } from '../../../src/api/app.ts';
import { ask } from '../../support/app.ts';
import type { Role } from '../../../src/api/contract.ts';
import { ROUTES } from '../../../src/api/routes.ts';
import { CATALOGUE } from '../../../src/errors.ts';
import { type Log, silentLog } from '../../../src/ports.ts';
import { createFakeControl, type FakeControl } from '../../api/fake-control.ts';
import { holds, type Target } from '../target.ts';

const SOCKETS: readonly Role[] = ['control', 'status', 'report'];
/** Which of the daemon's doors each socket may lead to. */
const MAY: Readonly<Record<'status' | 'report', readonly string[]>> = {
  status: ['status', 'bans', 'subscribe', 'ping', 'events', 'listen'],
  report: ['report'],
};

function createControl(): FakeControl {
  const control = createFakeControl();
  control.answer('report', ({ reports }: { reports: { address: string }[] }) =>
    reports.map(({ address }) => ({ address, outcome: 'counted' })),
  );
  return control;
}

/** A defect is an error in the log: a fault of the request is none. */
function createAlarm(): Log & { defect: unknown } {
  const log = {
    ...silentLog,
    defect: undefined as unknown,
    error: (facts: object) => void (log.defect = facts),
  };
  return log;
}

function checkDoors(control: FakeControl, role: Role): void {
  const doors = role === 'control' ? undefined : MAY[role];
  for (const [method, asked] of control.calls.splice(0)) {
    holds(doors === undefined || doors.includes(method), `${role}.sock led to a wrong door`, method);
    if (method !== 'report') continue;
    for (const report of (asked as { reports: Record<string, unknown>[] }).reports)
      holds(
        typeof report['address'] === 'string' && typeof report['jail'] === 'string',
        'half a report',
        report,
      );
  }
}

export function httpTarget(): Target {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-fuzz-'));
  const control = createControl();
  const log = createAlarm();
  let server: Server | undefined;
  return {
    name: 'http',
    holds:
      'any bytes on any socket are answered or cut off, with JSON and no defect, and lead only to what the socket serves',
    seeds: [
      '\0GET /v1/ping HTTP/1.1\r\nConnection: close\r\n\r\n',
      '\x01GET /v1/bans?jail=a&all=true&after=1 HTTP/1.1\r\n\r\n',
      '\x02POST /v1/reports HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 58\r\n\r\n{"jail":"app","address":"203.0.113.7","outcome":"failure"}',
      '\0POST /v1/bans HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n{"addresses":["203.0.113.7"]}\r\n0\r\n\r\n',
      '\0DELETE /v1/bans?address=192.0.2.7 HTTP/1.1\r\n\r\nGET /v1/history?address=x HTTP/1.1\r\n\r\n',
      '\x02GET /v1/../v1/bans HTTP/1.1\r\nOrigin: x\r\n\r\n',
    ],
    words: [
      ...ROUTES.map(({ method, path }) => `${method} ${path} `),
      ' HTTP/1.1\r\n',
      '\r\n\r\n',
      'Content-Length: ',
      'Transfer-Encoding: chunked\r\n',
      'Content-Type: application/json\r\n',
      'Expect: 100-continue\r\n',
      'Upgrade: x\r\nConnection: upgrade\r\n',
      'HEAD ',
      'OPTIONS * ',
      'CONNECT x:1 ',
      '%2e%2e/',
      '//',
      'http://x/v1/ping',
      '?all=',
      '&',
      '{"reports":[',
      '"address":"',
    ],
    longest: 2_048,
    stepsPerByte: 2_000,
    share: 0.1,
    async run(input) {
      // On demand, so that its code is loaded while coverage looks on.
      const limits = { headers: 2_000, request: 2_000, silence: 2_000 };
      server ??= await createServer(control, { folder, version: '0.1.0', limits }, { log });
      const role = SOCKETS[input.charCodeAt(0) % 3 || 0]!;
      const socket = connect(join(folder, `${role}.sock`));
      let text = '';
      socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
      socket.on('error', () => undefined);
      const closed = once(socket, 'close').catch(() => undefined);
      socket.end(Buffer.from(input.slice(1), 'latin1'));
      await closed;
      checkDoors(control, role);
      holds(log.defect === undefined, 'a defect', String((log.defect as { err?: unknown } | undefined)?.err));
      for (const [, status] of text.matchAll(/^HTTP\/1\.1 (\d{3})/gm))
        holds(status !== '500', 'an answer of 500', text);
    },
    async close() {
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Which route in the first byte, which socket in the second; a query and a body, with a line feed between. */
export function bodiesTarget(): Target {
  const control = createControl();
  const log = createAlarm();
  const apps = SOCKETS.map((role) => ({ role, app: createApp(control, role, ROUTES, log) }));
  // Streams have no end that one could wait for.
  const routes = ROUTES.filter(({ streams }) => !streams);
  return {
    name: 'bodies',
    holds:
      'any query and body is answered as its route says or refused with a known code, never with a defect',
    seeds: [
      ...routes.map(
        (_, index) =>
          `${String.fromCharCode(index)}\0all=true&address=192.0.2.7&jail=a\n{"addresses":["192.0.2.7"],"jail":"a","for":"1h","confirm":"5m","jails":["a"]}`,
      ),
      '\x06\x02\n{"reports":[{"jail":"a","address":"192.0.2.7","outcome":"abuse","at":1767607872,"id":"x","fields":{"a":[1]}},null,{"id":7}]}',
    ],
    words: [
      '"reports":[',
      '"address":"',
      '"outcome":"failure"',
      '"at":',
      '"id":"',
      '"fields":{',
      '"force":true',
      '"for":',
      '"reason":"',
      'all=',
      '&after=',
      '&limit=',
      '&level=warn',
      '%',
      '{"__proto__":{"all":true}}',
      '"addresses":[',
      ']}',
      '},{',
    ],
    longest: 2_048,
    stepsPerByte: 4_000,
    async run(input) {
      const route = routes[(input.charCodeAt(0) || 0) % routes.length]!;
      const { role, app } = apps[(input.charCodeAt(1) || 0) % apps.length]!;
      const [query = '', ...rest] = input.slice(2).split('\n');
      const body = rest.join('\n');
      const { status, text } = await ask(app, `${route.path}?${encodeURI(query)}`, {
        method: route.method,
        ...(route.method === 'GET'
          ? {}
          : { body: Buffer.from(body, 'latin1'), headers: { 'content-type': 'application/json' } }),
      });
      checkDoors(control, role);
      holds(log.defect === undefined, 'a defect', String((log.defect as { err?: unknown } | undefined)?.err));
      const answer = JSON.parse(text) as { code?: string };
      if (status === 200) return;
      holds(
        answer.code !== undefined && answer.code in CATALOGUE && answer.code !== 'E_INTERNAL',
        'an unknown fault',
        answer,
      );
    },
  };
}
