// What a running daemon tells while it works: events to those who listen, and how it is to those who ask.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LiveEvent } from '../../src/api/contract.ts';
import { BAILIFF } from '../support/built.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { ended, eventually } from '../support/run.ts';

let folder: string;
let log: string;
let daemon: Daemon | undefined;
const open: { destroy(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-live-'));
  mkdirSync(join(folder, 'logs'));
  log = join(folder, 'logs', 'access.log');
  writeFileSync(log, '');
});
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  await daemon?.end('SIGKILL');
  daemon = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function refused(address: string, agent = 'curl/8'): string {
  const date = new Date();
  const stamp = `${String(date.getUTCDate()).padStart(2, '0')}/${date.toUTCString().slice(8, 11)}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
  return `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "${agent}"\n`;
}

const start = (jail: object = {}): Promise<Daemon> =>
  startDaemon({
    folder: join(folder, 'bailiff'),
    config: { jails: { login: { filter: 'nginx-login', logs: [log], maxRetry: 3, ...jail } } },
    args: ['--firewall', 'memory'],
  });

const socketOf = (role: string): string => join(folder, 'bailiff', 'run', `${role}.sock`);

/** Listens from now on. */
function listen(role: 'status' | 'control', query = '', after?: string) {
  const heard = { text: '', status: 0, ended: false };
  return new Promise<{ events: () => LiveEvent[]; heard: typeof heard; incoming: IncomingMessage }>(
    (resolve) => {
      const headers = after === undefined ? {} : { 'last-event-id': after };
      const asked = request(
        { socketPath: socketOf(role), path: `/v1/events${query}`, headers },
        (incoming) => {
          open.push(incoming);
          heard.status = incoming.statusCode!;
          incoming.setEncoding('utf8').on('data', (piece: string) => (heard.text += piece));
          incoming.on('error', () => undefined).on('close', () => (heard.ended = true));
          const events = (): LiveEvent[] =>
            [...heard.text.matchAll(/^data: (.*)\n/gm)].map(([, json]) => JSON.parse(json!) as LiveEvent);
          resolve({ events, heard, incoming });
        },
      );
      asked.on('error', () => undefined).end();
    },
  );
}

const summary = (event: LiveEvent): string =>
  [
    event.kind,
    'outcome' in event ? event.outcome : 'what' in event ? event.what : 'by' in event ? event.by : '',
  ].join(' ');

test('a match, the ban, the kernel’s answer and the release are told in this order, hostile text on one socket only', async () => {
  daemon = await start({ banTime: '3s' });
  const control = await listen('control', '?kind=match&kind=ban&kind=kernel&kind=release');
  const status = await listen('status', '?jail=login&address=198.51.100.0/24');
  appendFileSync(log, refused('198.51.100.1', 'HOSTILE').repeat(3));
  await eventually('all is over', () => control.events().length === 7);
  expect(control.events().map(summary)).toEqual([
    ...['match counted', 'match counted', 'match ban', 'ban imposed', 'kernel blocked'],
    ...['release expired', 'kernel released'],
  ]);
  expect(control.events()[1]).toMatchObject({ count: 2, of: 3, file: log, line: 2, address: '198.51.100.1' });
  expect(control.events()[1]).toMatchObject({ text: expect.stringContaining('HOSTILE') });
  expect(status.events().map(summary)).toContain('release expired');
  expect(status.heard.text).not.toContain('HOSTILE');
});

test('status tells the way to the kernel, the hour and the last line; --exit-code tells monitoring', async () => {
  daemon = await start();
  const modes = await listen('status', '?kind=mode');
  const before = await daemon.caughtUp();
  expect(before).toMatchObject({
    latency: { bans: 0, median: null },
    sources: [{ lastLine: null }],
    intent: 'enforcing',
  });
  appendFileSync(log, refused('198.51.100.1').repeat(3) + refused('198.51.100.2').repeat(2));
  await daemon.ban('198.51.100.1', (ban) => ban.state === 'blocked');
  const after = await daemon.caughtUp();
  expect(after).toMatchObject({
    firewall: { blocked: 1 },
    health: { ok: true, problems: [] },
    latency: { bans: 1 },
  });
  expect(after.latency!.median).toBeGreaterThan(0);
  expect(after.latency!.p99).toBe(after.latency!.median);
  const { hour } = after.jails[0]!;
  expect(hour!.matches.reduce((sum, one) => sum + one, 0)).toBe(5);
  expect(hour!.bans.reduce((sum, one) => sum + one, 0)).toBe(1);
  expect(Date.parse(after.sources[0]!.lastLine!)).toBeGreaterThanOrEqual(Date.parse(before.startedAt));

  const asked = async () => {
    const { code, stdout } = await daemon!.verb('status', '--exit-code');
    return [code, stdout.split(':')[0]];
  };
  expect(await asked()).toEqual([0, 'OK']);
  await daemon.verb('teardown');
  expect(await asked()).toEqual([1, 'PROBLEM']);
  await daemon.verb('arm');
  expect(await asked()).toEqual([0, 'OK']);
  expect(modes.events()).toMatchObject([
    { mode: 'stood-down', was: 'enforcing' },
    { mode: 'enforcing', was: 'stood-down' },
  ]);
  rmSync(log);
  mkdirSync(log);
  await eventually('the log is a fault', async () => (await asked())[0] === 1);
  await daemon.end();
  expect((await asked())[0]).toBe(69);
});

test('a fault is told when it comes to stand, and who comes back after a crash hears of the gap', async () => {
  daemon = await start();
  const first = await listen('status', '?kind=fault');
  appendFileSync(log, Buffer.from([0xff, 0xfe, 10]));
  await eventually('the fault is told', () => first.events().length > 0);
  expect(first.events()).toMatchObject([{ what: 'raised', code: 'E_SOURCE_ENCODING', source: log }]);
  const { id } = first.events()[0]!;
  const again = await listen('status', '?kind=fault', id);
  expect(again.events()).toEqual([]);
  await daemon.end('SIGKILL');
  daemon = await start();
  const later = await listen('status', '', id);
  await eventually('the gap is told', () => later.events().length > 0);
  expect(later.events()[0]).toMatchObject({ kind: 'gap', why: 'restarted' });
});

describe('who takes more than is meant for one', () => {
  /** Kilobytes that the daemon holds. */
  const memory = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon!.pid}/status`, 'utf8'))![1]);

  async function write(lines: number): Promise<void> {
    const before = (await daemon!.status()).sources[0]!.lines;
    for (let written = 0; written < lines; written += 1_000)
      appendFileSync(log, refused('203.0.113.200', 'x'.repeat(400)).repeat(1_000));
    // Forty megabytes, each line told to nine readers: on a machine that others use it takes its time.
    await eventually(
      'all is read',
      async () => (await daemon!.status()).sources[0]!.lines === before + lines,
      120_000,
      100,
    );
  }

  /** Asks for events and never reads an answer. */
  async function beDeaf(): Promise<Socket> {
    const socket = connect(socketOf('control'));
    open.push(socket);
    socket.pause();
    await new Promise<void>((resolve) =>
      socket.once('connect', () =>
        socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n', () => resolve()),
      ),
    );
    return socket;
  }

  test(
    'readers who never read are cut off, nobody waits for them, and memory stays bounded',
    { timeout: 300_000 },
    async () => {
      daemon = await start({ maxRetry: 1_000_000 });
      await write(60_000);
      const usual = memory();
      await Promise.all(Array.from({ length: 8 }, beDeaf));
      const awake = await listen('status', '?kind=ban');
      await eventually('they listen', () => write(1_000).then(() => true));
      await write(90_000);
      // Measured: 100 MB more, and no more than that with twice the lines. Did the readers' events wait without a bound: 217 MB.
      expect(memory() - usual).toBeLessThan(160_000);
      expect(awake.heard.ended).toBe(false);
      expect(awake.heard.status).toBe(200);
      // The log counts what it says again, and tells the count at its end.
      await daemon.end();
      expect(daemon.output().match(/reader of events cut off: too slow"/g)).toHaveLength(1);
      expect(daemon.output()).toMatch(/reader of events cut off: too slow \(repeated 7 times\)/);
    },
  );

  test('readers are capped, and the other socket answers', async () => {
    daemon = await start();
    const readers = await Promise.all(Array.from({ length: 40 }, () => listen('status')));
    const statuses = readers.map(({ heard }) => heard.status);
    expect(statuses.filter((one) => one === 200)).toHaveLength(16);
    expect(statuses.filter((one) => one === 503)).toHaveLength(24);
    expect((await listen('control')).heard.status).toBe(200);
    expect((await daemon.verb('ping')).code).toBe(0);
  });
});

test('`watch` tells it in a pipe, goes on over a restart, and ends with the signal', async () => {
  daemon = await start();
  const places = ['--runtime', join(folder, 'bailiff', 'run')];
  const child = spawn(BAILIFF, [...places, 'watch', '--kind', 'match,ban,gap'], { stdio: 'pipe' });
  open.push({ destroy: () => child.kill('SIGKILL') });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  await eventually('it listens', () => {
    appendFileSync(log, refused('198.51.100.9', '\x1b[31m\u202e'));
    return out.includes('\tmatch\tlogin\t198.51.100.9\t');
  });
  await daemon.end();
  // One that was back at once would go unnoticed, but for the gap.
  await eventually('it says that the daemon is gone', () => err !== '');
  daemon = await start();
  await eventually('it listens again', () => out.includes('\tgap\t\t\trestarted\t'));
  appendFileSync(log, refused('198.51.100.7').repeat(3));
  await eventually('the ban is told', () => out.includes('\tban\tlogin\t198.51.100.7\timposed\t'));
  expect(err).toBe('bailiff: the daemon is gone; waiting for it\nbailiff: the daemon is there again\n');
  expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u);
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual({ code: 0, signal: undefined });
});
