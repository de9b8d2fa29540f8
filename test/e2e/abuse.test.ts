// A real daemon whose sockets are abused by everybody who may open them: it refuses, stays small, and goes on blocking.
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../src/api/contract.ts';
import { createRandom } from '../crash/random.ts';
import { startDaemon, type Daemon } from '../support/daemon.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { eventually } from '../support/run.ts';

const SOCKETS: readonly Role[] = ['control', 'status', 'report'];
const MiB = 1024 * 1024;
const CLOSE = 'Connection: close\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

let folder: TemporaryFolder;
let log: string;
let daemon: Daemon;
const opened: Socket[] = [];
let attacker = 0;

beforeAll(async () => {
  folder = temporaryFolder('abuse');
  log = join(folder.path, 'auth.log');
  writeFileSync(log, '');
  daemon = await startDaemon({
    folder: folder.path,
    config: {
      jails: {
        sshd: { filter: 'sshd', logs: [log], maxRetry: 1, zone: 'UTC' },
        app: { reports: true, maxRetry: 3 },
      },
    },
    args: ['--firewall', 'memory', '--no-watch'],
  });
});
afterAll(async () => {
  await daemon?.end('SIGKILL');
  folder.remove();
});
afterEach(() => opened.splice(0).forEach((socket) => socket.destroy()));

/** @returns undefined where it has not yet accepted those who came before. */
function tryOpen(role: Role): Promise<Socket | undefined> {
  const socket = connect({ path: join(folder.path, 'run', `${role}.sock`), allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    // Later: cut off while it sends. That is what it is about.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EAGAIN' ? resolve(undefined) : reject(error),
    );
  });
}

async function open(role: Role): Promise<Socket> {
  const socket = await eventually(`${role}.sock accepts`, () => tryOpen(role));
  opened.push(socket);
  return socket;
}

/** All that comes until the connection is closed, by whatever end. */
async function answered(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
  socket.once('end', () => socket.destroy());
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** Asks as a client does, who waits for his answer. */
async function asked(role: Role, request: string): Promise<string> {
  const socket = await open(role);
  socket.write(request);
  return answered(socket);
}

/** Sends bytes and says nothing more. */
async function said(role: Role, bytes: string | Buffer): Promise<string> {
  const socket = await open(role);
  socket.end(bytes);
  return answered(socket);
}

const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);

/** Most memory that it ever had, in bytes. */
function peak(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}

/** It answers on each socket, and a line of a log still bans. */
async function isAlive(): Promise<void> {
  for (const role of SOCKETS)
    expect(statusOf(await asked(role, `GET /v1/ping HTTP/1.1\r\n${CLOSE}\r\n`))).toBe(
      role === 'report' ? 403 : 200,
    );
  const address = `203.0.113.${++attacker}`;
  const stamp = new Date().toISOString().replace(/\.\d+Z/, '+00:00');
  appendFileSync(log, `${stamp} web sshd[812]: Failed password for root from ${address} port 40022 ssh2\n`);
  expect((await daemon.ban(address)).jail).toBe('sshd');
}

test('garbage on every socket: 400 or nothing, and it goes on', async () => {
  const random = createRandom(5);
  const noise = Array.from({ length: 20 }, () =>
    Buffer.from(Uint8Array.from({ length: 1 + random.below(4_000) }, () => random.below(256))),
  );
  // The greeting of TLS, of HTTP/2, of SSH; a pickle; a request that is none; lines without end.
  const greetings = [
    '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'SSH-2.0-x\r\n',
    '\x80\x02]q\0.',
    'GET\r\n\r\n',
    '\r\n'.repeat(500),
    '\0'.repeat(9_000),
  ];
  for (const role of SOCKETS)
    for (const bytes of [...noise, ...greetings.map((text) => Buffer.from(text, 'latin1'))])
      expect([0, 400]).toContain(statusOf(await said(role, bytes)));
  await isAlive();
});

test.each(['announced', 'in chunks', 'longer than announced'])(
  'a body of 100 MB, %s, is refused and never held',
  async (how) => {
    const before = peak();
    const piece = Buffer.alloc(MiB, 'x');
    const length = { announced: 100 * MiB, 'in chunks': undefined, 'longer than announced': 10 }[how];
    const statuses: number[] = [];
    for (const role of ['report', 'control', 'report', 'control'] as const) {
      const socket = await open(role);
      const answer = answered(socket);
      const size = length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
      socket.write(`POST /v1/reports HTTP/1.1\r\n${JSON_TYPE}${size}\r\n\r\n`);
      for (let sent = 0; sent < 100 && !socket.destroyed; sent++) {
        if (length === undefined) socket.write(`${piece.length.toString(16)}\r\n`);
        const isTaken = socket.write(piece);
        if (length === undefined) socket.write('\r\n');
        // Until it takes more, or has cut us off.
        if (!isTaken) await Promise.race([once(socket, 'drain'), answer]).catch(() => undefined);
      }
      socket.end();
      statuses.push(statusOf(await answer));
    }
    // Where the connection was reset under the body, the answer may not have come through.
    for (const status of statuses)
      expect(how === 'longer than announced' ? [0, 400] : [0, 413]).toContain(status);
    // Four hundred were sent. What was thrown away lies about until the collector comes, but not all of it.
    expect(peak() - before).toBeLessThan(160 * MiB);
    await isAlive();
  },
);

test('500 half-open connections on each socket but control: there is room for the administrator, and for all once they are gone', async () => {
  const before = peak();
  const halves = [
    '',
    'POST /v1/reports HTTP/1.1\r\nX: y\r\n',
    `POST /v1/reports HTTP/1.1\r\n${JSON_TYPE}Content-Length: 900000\r\n\r\n{`,
  ];
  for (const role of ['report', 'status'] as const)
    for (let count = 0; count < 500; count++) {
      const socket = await open(role);
      socket.write(halves[count % halves.length]!);
    }
  expect(statusOf(await asked('control', `GET /v1/status HTTP/1.1\r\n${CLOSE}\r\n`))).toBe(200);
  expect((await daemon.verb('ban', '198.51.100.9')).code).toBe(0);
  expect(peak() - before).toBeLessThan(96 * MiB);
  opened.splice(0).forEach((socket) => socket.destroy());
  await isAlive();
});

/** Ways to write a path, or to say that another is meant, by which some servers or proxies lead elsewhere. */
const TRICKS = (path: string): string[] => [
  `//${path.slice(1)}`,
  `/v1/reports/..${path.slice(3)}`,
  `/v1/ping/../..${path}`,
  path.replace('/v1', '/v1/.'),
  path.replace('/v1', '/%76%31'),
  path.replaceAll('/', '%2f'),
  `${path}/`,
  `${path}%00`,
  `${path};role=control`,
  `${path}#/v1/reports`,
  path.toUpperCase(),
  `http://control.sock${path}`,
  `\\${path}`,
];

test('no spelling of a path, and no header, leads to what a socket does not serve', async () => {
  const bans = (await daemon.bans()).length;
  const body = JSON.stringify({ addresses: ['198.51.100.77'] });
  const headers = [
    '',
    'X-HTTP-Method-Override: POST\r\nX-Original-URL: /v1/bans\r\nX-Rewrite-URL: /v1/bans\r\n',
    'Host: control.sock\r\nX-Forwarded-Host: control\r\nForwarded: host=control.sock\r\nX-Role: control\r\n',
  ];
  for (const role of ['status', 'report'] as const)
    for (const path of ['/v1/bans', ...TRICKS('/v1/bans')])
      for (const more of headers) {
        const request = `POST ${path} HTTP/1.1\r\n${JSON_TYPE}${more}${CLOSE}Content-Length: ${body.length}\r\n\r\n${body}`;
        expect([400, 403, 404, 405], `${role} ${path}`).toContain(statusOf(await asked(role, request)));
      }
  for (const path of [...TRICKS('/v1/history?address=198.51.100.9'), ...TRICKS('/v1/log')])
    expect([400, 403, 404], path).toContain(
      statusOf(await asked('status', `GET ${path} HTTP/1.1\r\n${CLOSE}\r\n`)),
    );
  // A second request within the first, for whoever counts its bytes otherwise.
  const hidden = `POST /v1/bans HTTP/1.1\r\n${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;
  for (const smuggled of [
    `POST /v1/reports HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n${hidden}`,
    `POST /v1/reports HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    `POST /v1/reports HTTP/1.1\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n${hidden}`,
  ])
    expect(await said('report', smuggled)).not.toContain(' 200 ');
  expect((await daemon.bans()).length).toBe(bans);
  await isAlive();
});

test('SIGUSR1 opens no port for a debugger', async () => {
  process.kill(daemon.pid, 'SIGUSR1');
  await isAlive();
  const pending = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'latin1'))![1]!;
  // Nobody takes it: it waits, blocked.
  expect(BigInt(`0x${pending}`) & (1n << 9n)).not.toBe(0n);
  expect(daemon.output()).not.toContain('Debugger');
});
