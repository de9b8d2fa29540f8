import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect, createServer as createNetServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer } from '../../src/api/index.ts';
import type { Server, ServerOptions } from '../../src/api/index.ts';
import { silentLog } from '../../src/ports.ts';
import { createFakeControl } from './fake-control.ts';
import type { FakeControl } from './fake-control.ts';

let folder: string;
let servers: Server[];
let sockets: Socket[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-api-'));
  [servers, sockets] = [[], []];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  options: Partial<ServerOptions> = {},
  control: FakeControl = createFakeControl(),
): Promise<Server> {
  const server = await createServer(
    control,
    { folder: join(folder, 'run'), version: '0.1.0', ...options },
    { log: silentLog },
  );
  servers.push(server);
  return server;
}

const at = (name: string): string => join(folder, 'run', name);
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

async function open(path: string): Promise<Socket> {
  const socket = connect(path);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the server ends the connection. */
async function listenTo(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

describe('who may open what', () => {
  test('the folder can be entered and not listed, control.sock is the owner’s, status.sock its group’s', async () => {
    const server = await start({ statusGroup: process.getegid!() });
    expect(server.paths).toEqual([at('control.sock'), at('status.sock'), at('report.sock')]);
    expect(modeOf(join(folder, 'run'))).toBe(0o711);
    expect(modeOf(at('control.sock'))).toBe(0o600);
    expect(modeOf(at('status.sock'))).toBe(0o660);
    expect(statSync(at('status.sock')).isSocket()).toBe(true);
  });

  test.runIf(process.geteuid!() === 0)(
    'status.sock and report.sock get the groups that were named, control.sock gets none',
    async () => {
      await start({ statusGroup: 4, reportGroup: 5 });
      expect(statSync(at('report.sock')).gid).toBe(5);
      expect(modeOf(at('report.sock'))).toBe(0o660);
      expect(statSync(at('status.sock')).gid).toBe(4);
      expect(statSync(at('control.sock')).gid).toBe(process.getegid!());
    },
  );

  test.runIf(process.geteuid!() === 0)(
    'without a group of its own, report.sock is not for the group that may see',
    async () => {
      const before = process.getegid!();
      process.setegid!(65_534);
      try {
        await start();
      } finally {
        process.setegid!(before);
      }
      expect(modeOf(at('status.sock'))).toBe(0o660);
      expect(modeOf(at('report.sock'))).toBe(0o600);
    },
  );

  test('modes hold whatever the mask is, and the mask stays as it was', async () => {
    const before = process.umask(0o000);
    try {
      await start();
      expect(process.umask()).toBe(0o000);
      expect(modeOf(join(folder, 'run'))).toBe(0o711);
      expect(modeOf(at('control.sock'))).toBe(0o600);
      expect(modeOf(at('status.sock'))).toBe(0o660);
    } finally {
      process.umask(before);
    }
  });

  test('a folder that holds other things keeps its mode', async () => {
    chmodSync(folder, 0o750);
    writeFileSync(join(folder, 'notes'), 'mine');
    await start({ folder });
    expect(modeOf(folder)).toBe(0o750);
  });

  test.each([0o777, 0o707])(
    'a folder with mode %o, where anyone could swap the sockets, is refused',
    async (mode) => {
      mkdirSync(join(folder, 'run'));
      chmodSync(join(folder, 'run'), mode);
      await expect(start()).rejects.toMatchObject({ code: 'E_NOT_PERMITTED' });
      expect(existsSync(at('control.sock'))).toBe(false);
    },
  );

  test('a symbolic link in the place of the folder is refused', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'run'));
    await expect(start()).rejects.toMatchObject({ code: 'E_NOT_PERMITTED' });
  });

  test('a folder that can not be made is a clear fault', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(start({ folder: join(folder, 'file', 'run') })).rejects.toMatchObject({
      code: 'E_NOT_PERMITTED',
      facts: { why: 'ENOTDIR' },
    });
  });
});

describe('what is there already', () => {
  /** A socket file whose server is dead. */
  async function leaveStale(path: string): Promise<void> {
    mkdirSync(join(folder, 'run'), { recursive: true });
    const other = createNetServer().listen(join(folder, 'other.sock'));
    await once(other, 'listening');
    const { renameSync } = await import('node:fs');
    // Renamed, so that its closing doesn't remove it: as after kill -9.
    renameSync(join(folder, 'other.sock'), path);
    other.close();
    await once(other, 'close');
  }

  test('a socket that no one answers on is replaced', async () => {
    await leaveStale(at('control.sock'));
    await leaveStale(at('status.sock'));
    await start();
    const socket = await open(at('control.sock'));
    socket.end('GET /v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await listenTo(socket)).toContain('"version":"0.1.0"');
  });

  test('a live daemon is left alone, and the second one leaves nothing behind', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'E_ALREADY_RUNNING', exit: 75 });
    const socket = await open(at('status.sock'));
    socket.end('GET /v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await listenTo(socket)).toContain('200 OK');
  });

  test('where status.sock is taken, control.sock is closed again', async () => {
    mkdirSync(join(folder, 'run'));
    const other = createNetServer().listen(at('status.sock'));
    await once(other, 'listening');
    await expect(start()).rejects.toMatchObject({ code: 'E_ALREADY_RUNNING' });
    expect(existsSync(at('control.sock'))).toBe(false);
    other.close();
  });

  test('a file that is no socket is never removed', async () => {
    mkdirSync(join(folder, 'run'));
    writeFileSync(at('control.sock'), 'precious');
    await expect(start()).rejects.toMatchObject({ code: 'E_SOCKET_PATH' });
    expect(readFileSync(at('control.sock'), 'utf8')).toBe('precious');
  });

  test('a path of 107 bytes is taken, one of 108 refused before anything is made', async () => {
    const long = (bytes: number): string =>
      join(folder, 'x'.repeat(bytes - Buffer.byteLength(join(folder, 'x/control.sock')) + 1));
    const server = await start({ folder: long(107) });
    expect(server.paths[0]).toHaveLength(107);
    await expect(start({ folder: long(108) })).rejects.toMatchObject({ code: 'E_SOCKET_PATH' });
    expect(existsSync(long(108))).toBe(false);
  });
});

describe('who takes more than is meant for one', () => {
  test('connections beyond the cap are closed at once, and other sockets do not feel it', async () => {
    await start({ limits: { connections: 2 } });
    await open(at('status.sock'));
    await open(at('status.sock'));
    const third = await open(at('status.sock'));
    expect(await listenTo(third)).toBe('');
    const control = await open(at('control.sock'));
    control.end('GET /v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await listenTo(control)).toContain('200 OK');
  });

  test('a connection that never says anything, or never ends its headers or its body, is ended', async () => {
    await start({ limits: { headers: 50, request: 100, interval: 20 } });
    const mute = await open(at('status.sock'));
    const half = await open(at('status.sock'));
    half.write('GET /v1/ping HTTP/1.1\r\nHost: x\r\n');
    const bodyless = await open(at('control.sock'));
    bodyless.write(
      'POST /v1/bans HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    expect(await Promise.all([mute, half, bodyless].map(listenTo))).toEqual([
      expect.stringContaining('408'),
      expect.stringContaining('408'),
      expect.stringContaining('408'),
    ]);
  });

  test.each([
    ['with its length told', { 'content-length': String(2 * 1024 * 1024) }],
    ['in chunks of untold length', { 'transfer-encoding': 'chunked' }],
  ])('a body over 1 MiB %s is refused, and the daemon never hears of it', async (_how, headers) => {
    const control = createFakeControl();
    await start({}, control);
    const outgoing = request({
      socketPath: at('control.sock'),
      method: 'POST',
      path: '/v1/bans',
      agent: false,
      headers: { 'content-type': 'application/json', ...headers },
    });
    outgoing.on('error', () => undefined); // it is cut off while it still sends
    const answer = once(outgoing, 'response') as Promise<[{ statusCode: number; resume(): void }]>;
    outgoing.end(
      `{"addresses": ["192.0.2.7"], "reason": "${'x'.repeat(2 * 1024 * 1024)}"}`.slice(0, 2 * 1024 * 1024),
    );
    const [{ statusCode }] = await answer;
    expect(statusCode).toBe(413);
    expect(control.calls).toEqual([]);
    outgoing.destroy();
  });

  test('a small body in chunks is read', async () => {
    const control = createFakeControl();
    await start({}, control);
    const socket = await open(at('control.sock'));
    const [one, two] = ['{"addresses": ["192.0', '.2.7"]}'];
    socket.write(
      'POST /v1/bans HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n',
    );
    socket.write(`Transfer-Encoding: chunked\r\n\r\n${one.length.toString(16)}\r\n${one}\r\n`);
    socket.write(`${two.length.toString(16)}\r\n${two}\r\n0\r\n\r\n`);
    expect(await listenTo(socket)).toContain('200 OK');
    expect(control.calls).toEqual([['ban', { addresses: ['192.0.2.7'] }]]);
  });

  test('rubbish in place of HTTP is answered with 400 and does not stop the server', async () => {
    await start();
    const rubbish = await open(at('control.sock'));
    rubbish.write('\u0000\u0001\u0002 not HTTP at all\r\n\r\n');
    expect(await listenTo(rubbish)).toContain('400');
    const next = await open(at('control.sock'));
    next.end('GET /v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await listenTo(next)).toContain('200 OK');
  });

  test.each(['Host: x', 'Host: ../..//@evil:99999', 'Host:', 'X-Other: y'])(
    'the header "%s" changes nothing',
    async (header) => {
      await start();
      const socket = await open(at('status.sock'));
      socket.end(`GET /v1/ping HTTP/1.1\r\n${header}\r\nConnection: close\r\n\r\n`);
      expect(await listenTo(socket)).toContain('200 OK');
    },
  );
});

describe('closing', () => {
  test('what is in work is answered, idle connections are closed, and the socket files go', async () => {
    const control = createFakeControl();
    let finish = (): void => undefined;
    const entered = new Promise<void>((resolve) => {
      control.answer('arm', () => {
        resolve();
        return new Promise((done) => (finish = () => done({ mode: 'enforcing' })));
      });
    });
    const server = await start({}, control);
    const idle = await open(at('status.sock'));
    const busy = await open(at('control.sock'));
    busy.write('POST /v1/arm HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    const answer = listenTo(busy);
    await entered;
    const closed = server.close();
    await listenTo(idle);
    finish();
    expect(await answer).toContain('{"mode":"enforcing"}');
    await closed;
    expect(server.paths.map((path) => existsSync(path))).toEqual([false, false, false]);
    await server.close();
  });

  /** An answer that fits no buffer, and a client that has asked for it and takes nothing yet. */
  async function askForMuch(limits: ServerOptions['limits']): Promise<{ server: Server; client: Socket }> {
    const control = createFakeControl();
    control.answer('bans', { items: Array.from({ length: 20_000 }, () => 'x'.repeat(200)), next: null });
    const server = await start({ limits }, control);
    const client = await open(at('control.sock'));
    client.pause();
    client.write('GET /v1/bans HTTP/1.1\r\nHost: x\r\n\r\n');
    while (control.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return { server, client };
  }

  test('an answer on its way arrives whole', async () => {
    const { server, client } = await askForMuch({ grace: 60_000 });
    const closed = server.close();
    client.resume();
    const answer = await listenTo(client);
    expect(answer.length).toBeGreaterThan(20_000 * 200);
    expect(answer.endsWith('"next":null}\n')).toBe(true);
    await closed;
  });

  test('a client that does not take its answer does not hold it up', async () => {
    const { server, client } = await askForMuch({ grace: 50 });
    await server.close();
    expect(client.bytesRead).toBeLessThan(20_000 * 200);
  });
});
