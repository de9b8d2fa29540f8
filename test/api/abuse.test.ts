// What somebody who may open a socket can do to the others, and to those who use the other sockets: nothing.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer } from '../../src/api/index.ts';
import type { Server, ServerOptions } from '../../src/api/index.ts';
import { createTurns } from '../../src/api/turns.ts';
import { silentLog } from '../../src/ports.ts';
import { eventually } from '../support/run.ts';
import { createFakeControl } from './fake-control.ts';
import type { FakeControl } from './fake-control.ts';

let folder: string;
let server: Server | undefined;
let sockets: Socket[];
let control: FakeControl;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-abuse-'));
  sockets = [];
  control = createFakeControl();
  control.answer('report', ({ reports }: { reports: { address: string }[] }) =>
    reports.map(({ address }) => ({ address, outcome: 'counted' })),
  );
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(limits: ServerOptions['limits'] = {}): Promise<void> {
  server = await createServer(control, { folder, version: '0.1.0', limits }, { log: silentLog });
}

async function open(name: 'control' | 'status' | 'report'): Promise<Socket> {
  const socket = connect({ path: join(folder, `${name}.sock`), allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => undefined); // cut off while it sends
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the server ends the connection. */
async function listenTo(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  socket.once('end', () => socket.destroy());
  await closed(socket);
  return text;
}

/** Also where it was cut off, which `once` would call a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const PING = 'GET /v1/ping HTTP/1.1\r\nConnection: close\r\n\r\n';
const REPORT = { jail: 'app', address: '203.0.113.7', outcome: 'failure' };

/** A request to report as it goes over the wire. */
function post(body: unknown, ...headers: string[]): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const head = ['POST /v1/reports HTTP/1.1', 'Content-Type: application/json', ...headers];
  return [...head, `Content-Length: ${Buffer.byteLength(text)}`, '', text].join('\r\n');
}

/** Asks on a connection of its own. @returns the status. */
async function ask(name: 'control' | 'status' | 'report', request: string): Promise<number> {
  const socket = await open(name);
  socket.write(request);
  return Number((await listenTo(socket)).split(' ')[1]);
}
const reported = (): number => control.calls.filter(([method]) => method === 'report').length;

describe('who takes his time', () => {
  const slow = { headers: 100, request: 200, interval: 20 };

  test.each([
    ['says nothing', ''],
    ['never ends its headers', 'POST /v1/reports HTTP/1.1\r\nX: y\r\n'],
    ['never ends its body', post(REPORT).slice(0, -9)],
  ])('a crowd that %s fills its own socket alone, and only for a time', async (_how, said) => {
    await start({ ...slow, connections: 4 });
    // Four times as many as on the others.
    const crowd = await Promise.all(Array.from({ length: 16 }, () => open('report')));
    for (const socket of crowd) socket.write(said);
    const oneMore = await open('report');
    expect(await listenTo(oneMore)).toBe('');
    expect(await Promise.all([ask('control', PING), ask('status', PING)])).toEqual([200, 200]);
    for (const text of await Promise.all(crowd.map(listenTo))) expect(text).toContain('408');
    expect(await ask('report', post(REPORT, 'Connection: close'))).toBe(200);
  });

  test('a body that comes byte by byte is ended as well', async () => {
    await start(slow);
    const socket = await open('report');
    // So long, and so slowly, that it would never end by itself.
    const request = post({ ...REPORT, fields: { note: 'x'.repeat(5_000) } });
    let sent = request.length - 5_000;
    socket.write(request.slice(0, sent));
    const drip = setInterval(() => socket.write(request[sent++]!), 5);
    // He may be cut off in the middle of a write, and then doesn't get to read why.
    await new Promise<void>((resolve) => {
      socket.on('error', () => {}).once('close', resolve);
      socket.resume();
    });
    clearInterval(drip);
    expect([sent < request.length, reported()]).toEqual([true, 0]);
  });

  test('who never takes his answer is cut off', async () => {
    control.answer('bans', { items: Array.from({ length: 20_000 }, () => 'x'.repeat(200)), next: null });
    await start({ silence: 100, connections: 1 });
    const socket = await open('control');
    socket.pause();
    socket.write('GET /v1/bans HTTP/1.1\r\n\r\n');
    await eventually('it is asked', () => control.calls.length > 0);
    // There is room for one.
    await eventually('there is room again', async () => (await ask('control', PING)) === 200);
    await listenTo(socket.resume());
    expect(socket.bytesRead).toBeLessThan(20_000 * 200);
  });
});

describe('who is there by half', () => {
  test.each([
    ['goes', (socket: Socket) => socket.destroy()],
    ['will say nothing more', (socket: Socket) => socket.end()],
  ])(
    'a client that %s before its answer has reported all the same, and nobody notices',
    async (_how, leave) => {
      const gone = Promise.withResolvers<void>();
      control.answer('report', async ({ reports }: { reports: unknown[] }) => {
        await gone.promise;
        return reports.map(() => ({ address: '203.0.113.7', outcome: 'counted' }));
      });
      await start();
      const socket = await open('report');
      socket.write(post(REPORT));
      await eventually('it has come', () => reported() === 1);
      const answer = listenTo(socket);
      leave(socket);
      await answer;
      gone.resolve();
      expect(await ask('report', post(REPORT, 'Connection: close'))).toBe(200);
    },
  );

  test('one that goes within its body has reported nothing', async () => {
    await start();
    const socket = await open('report');
    socket.write(post(REPORT).slice(0, -9));
    socket.end();
    await listenTo(socket);
    expect([await ask('report', post(REPORT, 'Connection: close')), reported()]).toEqual([200, 1]);
  });
});

describe('who sends more than there is room for', () => {
  test.each([
    ['headers over 16 KiB', `GET /v1/ping HTTP/1.1\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['two thousand headers', `GET /v1/ping HTTP/1.1\r\n${'X: yyyyyyyyyyyyyy\r\n'.repeat(2_000)}\r\n`, 431],
    ['a path over 16 KiB', `GET /v1/ping?${'x'.repeat(17_000)} HTTP/1.1\r\n\r\n`, 431],
    [
      'two lengths',
      'POST /v1/reports HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['what is no HTTP', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['no length that there is', 'POST /v1/reports HTTP/1.1\r\nContent-Length: -1\r\n\r\n', 400],
    [
      'a chunk whose extension never ends',
      `POST /v1/reports HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(17_000)}`,
      413,
    ],
  ])('%s: refused', async (_what, request, status) => {
    await start();
    const socket = await open('report');
    socket.write(request);
    const [head = '', body = ''] = (await listenTo(socket)).split('\r\n\r\n');
    expect(Number(head.split(' ')[1])).toBe(status);
    expect(head.toLowerCase()).toContain('content-type: application/json');
    expect(JSON.parse(body)).toEqual({ code: 'E_USAGE', message: expect.stringMatching(/^[a-z].{20,}/) });
    expect(control.calls).toEqual([]);
    expect(await ask('report', post(REPORT, 'Connection: close'))).toBe(200);
  });

  test('garbage behind an answer that is still on its way ends the connection, and adds nothing to the answer', async () => {
    await start();
    const socket = await open('status');
    socket.write('GET /v1/events HTTP/1.1\r\n\r\n');
    await once(socket, 'readable');
    const whole = listenTo(socket);
    socket.write('\x16\x03\x01');
    expect((await whole).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
  });

  const HUGE = 100 * 1024 * 1024;
  const JSON_BODY = 'Content-Type: application/json';
  /** Sends the head, and then so many bytes as anybody takes. @returns how many those were, and what was answered. */
  async function pour(head: readonly string[], frame = (piece: string) => piece) {
    const socket = await open('report');
    const answered = listenTo(socket);
    socket.write([...head, '', ''].join('\r\n'));
    const piece = frame('x'.repeat(64 * 1024));
    let sent = 0;
    const end = closed(socket);
    for (let isOver = false; !isOver && sent < HUGE; sent += isOver ? 0 : piece.length)
      isOver = await Promise.race([
        end.then(() => true),
        new Promise<boolean>((resolve) => socket.write(piece, (error) => resolve(Boolean(error)))),
      ]);
    return { sent, status: Number((await answered).split(' ')[1]) };
  }

  test.each([
    ['its length told', ['POST /v1/reports HTTP/1.1', JSON_BODY, `Content-Length: ${HUGE}`], 413],
    ['to a route that is not there', ['POST /v1/nothing HTTP/1.1', `Content-Length: ${HUGE}`], 404],
    ["to another socket's route", ['POST /v1/bans HTTP/1.1', JSON_BODY, `Content-Length: ${HUGE}`], 403],
  ])('a body of 100 MB, %s: answered, and cut off after little more', async (_how, head, status) => {
    await start();
    const poured = await pour(head);
    expect(poured.status).toBe(status);
    expect(poured.sent).toBeLessThan(4 * 1024 * 1024);
    expect(await ask('report', post(REPORT, 'Connection: close'))).toBe(200);
  });

  test('a body of 100 MB in chunks: answered, and cut off after little more', async () => {
    await start();
    const head = ['POST /v1/reports HTTP/1.1', JSON_BODY, 'Transfer-Encoding: chunked'];
    const poured = await pour(head, (piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
    expect(poured.status).toBe(413);
    expect(poured.sent).toBeLessThan(4 * 1024 * 1024);
  });

  test('whoever has read his answer and doesn’t go on with a large body is cut off, too', async () => {
    await start();
    const socket = await open('report');
    socket.write(`POST /v1/reports HTTP/1.1\r\n${JSON_BODY}\r\nContent-Length: ${HUGE}\r\n\r\n[`);
    expect(await listenTo(socket)).toContain('413');
  });

  test('a body that is a little too large costs nobody his connection', async () => {
    await start();
    const socket = await open('report');
    const answers = listenTo(socket);
    socket.write(post('x'.repeat(1024 * 1024 + 1)));
    socket.write(post(REPORT, 'Connection: close'));
    const text = await answers;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  test('bodies that are too much together: the last ones are refused, until the others have gone', async () => {
    await start();
    const body = JSON.stringify({ ...REPORT, fields: 'x'.repeat(1024 * 1024 - 200) });
    const half = post(body, 'Connection: close').slice(0, -9);
    // Sixteen of the largest fit; one after another, so that none is refused for those that come after it.
    const crowd: Socket[] = [];
    for (let count = 0; count < 16; count++) {
      const socket = await open('report');
      crowd.push(socket);
      await new Promise((resolve) => socket.write(half, resolve));
    }
    const little = post({ ...REPORT, fields: 'x'.repeat(4_096) }, 'Connection: close');
    await eventually('all have come', async () => (await ask('report', little)) === 503);
    expect(await ask('control', post(REPORT, 'Connection: close'))).toBe(200);
    const before = reported();
    for (const socket of crowd) socket.write(body.slice(-9));
    expect((await Promise.all(crowd.map(listenTo))).filter((text) => text.includes('200 OK'))).toHaveLength(
      16,
    );
    expect(await ask('report', post(REPORT, 'Connection: close'))).toBe(200);
    expect(reported() - before).toBe(17);
  });

  test('eight requests may wait on a connection and are answered in order; one more ends it', async () => {
    const open1 = Promise.withResolvers<void>();
    control.answer('report', async ({ reports }: { reports: { address: string }[] }) => {
      await open1.promise;
      return reports.map(({ address }) => ({ address, outcome: 'counted' }));
    });
    await start();
    const requests = (count: number) =>
      Array.from({ length: count }, (_, n) => post({ ...REPORT, address: `203.0.113.${n}` })).join('');
    const greedy = await open('report');
    greedy.write(requests(500));
    expect(await listenTo(greedy)).toBe('');
    const taken = reported();
    expect(taken).toBeLessThanOrEqual(8);
    const modest = await open('report');
    modest.write(requests(7) + post({ ...REPORT, address: '203.0.113.7' }, 'Connection: close'));
    const answers = listenTo(modest);
    await eventually('all have come', () => reported() === taken + 8);
    open1.resolve();
    expect([...(await answers).matchAll(/203\.0\.113\.(\d)/g)].map(([, n]) => n).join('')).toBe('01234567');
  });
});

describe('who sends without end', () => {
  test('a thousand reports in a body are worked on in parts', async () => {
    await start();
    const reports = Array.from({ length: 1_000 }, () => REPORT);
    expect(await ask('report', post({ reports }, 'Connection: close'))).toBe(200);
    const sizes = control.calls.map(([, asked]) => (asked as { reports: unknown[] }).reports.length);
    expect(sizes).toEqual([250, 250, 250, 250]);
  });

  test('the reports of a crowd are spread over rounds of the event loop, and control.sock is answered between them', async () => {
    let round = 0;
    let isOver = false;
    const count = (): void => {
      round++;
      if (!isOver) setImmediate(count);
    };
    const inRound: number[] = [];
    control.answer('report', ({ reports }: { reports: { address: string }[] }) => {
      inRound[round] = (inRound[round] ?? 0) + 1;
      return reports.map(({ address }) => ({ address, outcome: 'counted' }));
    });
    await start();
    const owner = await open('control');
    // Two of these are more than a round takes.
    const body = { reports: Array.from({ length: 250 }, () => REPORT) };
    const crowd = await Promise.all(Array.from({ length: 64 }, () => open('report')));
    // Connections are accepted one a round: until all are, there is no crowd.
    for (const socket of crowd) {
      socket.write(post(REPORT));
      await once(socket, 'data');
    }
    const accepted = reported();
    inRound.length = 0;
    const answers = crowd.map(listenTo);
    setImmediate(count);
    for (const socket of crowd) socket.write(post(body, 'Connection: close'));
    await eventually('the first is worked on', () => reported() > accepted);
    owner.write(PING);
    await once(owner, 'data');
    const before = reported();
    await Promise.all(answers);
    isOver = true;
    expect([before < accepted + 64, reported()]).toEqual([true, accepted + 64]);
    expect(Math.max(...inRound.filter(Boolean))).toBeLessThanOrEqual(2);
  });

  test('a round takes so much and no more, in order, and always something', async () => {
    const turns = createTurns(10);
    let round = 0;
    let isOver = false;
    const count = (): void => {
      round++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const done: [number, number][] = [];
    const takes = [4, 4, 4, 4, 50, 1, 1].map(async (cost) => {
      await turns.take(cost);
      done.push([cost, round]);
    });
    await Promise.all(takes);
    isOver = true;
    const rounds = done.map(([, at]) => at);
    expect(done.map(([cost]) => cost)).toEqual([4, 4, 4, 4, 50, 1, 1]);
    expect(rounds).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });
});
