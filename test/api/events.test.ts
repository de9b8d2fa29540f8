import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import { ask as askApp } from '../support/app.ts';
import type { LiveEvent, Role } from '../../src/api/contract.ts';
import { createClient, createServer } from '../../src/api/index.ts';
import type { Server, ServerOptions } from '../../src/api/index.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { SHAPES } from '../../src/api/shapes.ts';
import { BailiffError } from '../../src/errors.ts';
import { silentLog } from '../../src/ports.ts';
import { eventually } from '../support/run.ts';
import { createFakeControl, HOSTILE, match } from './fake-control.ts';
import type { FakeControl } from './fake-control.ts';

const EVENTS: LiveEvent[] = [
  match(),
  {
    ...{ id: 'fake-2', at: '2026-01-05T10:11:13.000Z', kind: 'ban', what: 'imposed', ban: 1, jail: 'sshd' },
    ...{
      address: '192.0.2.7',
      since: '2026-01-05T10:11:12.000Z',
      until: null,
      nth: 2,
      reason: HOSTILE,
      by: 'jail',
    },
  },
  { id: 'fake-3', at: '2026-01-05T10:11:14.000Z', kind: 'mode', mode: 'stood-down', was: 'enforcing' },
];

let folder: string;
let server: Server | undefined;
let control: FakeControl;
const open: IncomingMessage[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-events-'));
  control = createFakeControl();
});
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(limits: ServerOptions['limits'] = {}): Promise<Server> {
  server = await createServer(control, { folder, version: '0.1.0', limits }, { log: silentLog });
  return server;
}

async function ask(role: Role = 'control', query = '', headers: Record<string, string> = {}) {
  const path = `/v1/events${query}`;
  const outgoing = request({ socketPath: join(folder, `${role}.sock`), path, agent: false, headers });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  open.push(incoming);
  incoming.on('error', () => undefined);
  return incoming;
}

/** Everything that comes, as it comes. */
function hear(incoming: IncomingMessage): { text: string; ended: boolean } {
  const heard = { text: '', ended: false };
  incoming.setEncoding('utf8').on('data', (piece: string) => (heard.text += piece));
  incoming.on('close', () => (heard.ended = true));
  return heard;
}

const dataOf = (text: string): LiveEvent[] =>
  [...text.matchAll(/^data: (.*)\n/gm)].map(([, json]) => JSON.parse(json!) as LiveEvent);

describe('a reader', () => {
  test('gets each event as the API describes it, and his place before the first', async () => {
    await start();
    const incoming = await ask();
    expect(incoming.headers['content-type']).toBe('text/event-stream');
    const heard = hear(incoming);
    for (const event of EVENTS) control.tell(event);
    await eventually('all three are there', () => dataOf(heard.text).length === 3);
    expect(heard.text.startsWith('id: fake-0\n\n')).toBe(true);
    expect(heard.text).toContain('id: fake-2\nevent: ban\ndata: {');
    expect(dataOf(heard.text)).toEqual(EVENTS);
    for (const event of EVENTS) expect(v.safeParse(SHAPES.LiveEvent, event).issues).toBeUndefined();
  });

  test('of status.sock gets no hostile text', async () => {
    await start();
    const heard = hear(await ask('status'));
    for (const event of EVENTS) control.tell(event);
    const events = await eventually('all are there', () => {
      const data = dataOf(heard.text);
      return data.length === 3 && data;
    });
    expect(events[0]).not.toHaveProperty('text');
    expect(events[0]).not.toHaveProperty('fields');
    expect(events[0]).toMatchObject({ address: '192.0.2.7', count: 3 });
    expect(events[1]).toMatchObject({ reason: '' });
    expect(heard.text).not.toContain(JSON.stringify(HOSTILE).slice(1, -1));
  });

  test('asks with filters, and goes on behind the id of the header', async () => {
    await start();
    await ask('control', '?jail=a&jail=b&kind=ban&address=192.0.2.0%2F24&after=x-1&last=5', {
      'last-event-id': 'x-2',
    });
    expect(control.calls).toEqual([
      ['events', { jail: ['a', 'b'], kind: ['ban'], address: ['192.0.2.0/24'], after: 'x-2', last: 5 }],
    ]);
  });

  test.each(['?kind=bann', '?last=many', '?jails=a', '?after='])(
    'is told what is wrong with %s',
    async (query) => {
      await start();
      const incoming = await ask('control', query);
      expect(incoming.statusCode).toBe(400);
      expect(control.listeners.size).toBe(0);
    },
  );

  test('whom the daemon refuses gets its fault', async () => {
    await start();
    control.answer('events', new BailiffError('E_UNKNOWN_JAIL', 'There is no jail "x".'));
    expect((await ask('control', '?jail=x')).statusCode).toBe(404);
  });

  test('that goes leaves nothing behind', async () => {
    await start();
    const incoming = await ask();
    expect(control.listeners.size).toBe(1);
    incoming.destroy();
    await eventually('nobody listens', () => control.listeners.size === 0);
  });

  test('that only asks for the head listens to nothing', async () => {
    const app = createApp(control, 'control', ROUTES, silentLog);
    const response = await askApp(app, '/v1/events', { method: 'HEAD' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(control.listeners.size).toBe(0);
  });

  test('hears a sign of life when nothing happens', async () => {
    await start({ heartbeat: 20 });
    const heard = hear(await ask());
    await eventually('it beats', () => heard.text.includes(': still here\n\n: still here\n\n'));
  });
});

describe('a reader who does not read', () => {
  /** An event that no buffer of the system takes many of. */
  const long = (index: number): LiveEvent => match({ id: `fake-${index}`, text: 'x'.repeat(10_000) });

  test('is cut off, and another one misses nothing', async () => {
    await start({ backlog: 500 });
    const deaf = await ask();
    deaf.pause();
    const closed = new Promise((resolve) => deaf.once('close', resolve));
    const heard = hear(await ask());
    let told = 0;
    await eventually('the deaf one is cut off', () => {
      for (let i = 0; i < 50; i++) control.tell(long(++told));
      return control.listeners.size === 1;
    });
    await eventually('the other one has all', () => dataOf(heard.text).length === told);
    expect(heard.ended).toBe(false);
    expect(told).toBeLessThan(5_000);
    deaf.resume();
    await closed;
    expect(deaf.complete).toBe(false);
  });

  test('does not hold up the end', async () => {
    const { close } = await start();
    const deaf = await ask();
    deaf.pause();
    const heard = hear(await ask('status'));
    for (let i = 0; i < 1_000; i++) control.tell(long(i));
    await close();
    await eventually('both are gone', () => heard.ended && control.listeners.size === 0);
  });
});

test('readers are capped, a socket each, and a place that is given up can be taken', async () => {
  await start({ readers: 3 });
  const readers = [await ask(), await ask(), await ask()];
  const refused = await ask();
  expect(refused.statusCode).toBe(503);
  const heard = hear(refused);
  await eventually('it is told why', () => heard.text.includes('"code":"E_TOO_MANY_READERS"'));
  expect((await ask('status')).statusCode).toBe(200);
  expect(control.listeners.size).toBe(4);
  readers[0]!.destroy();
  await eventually('there is room', () => control.listeners.size === 3);
  expect((await ask()).statusCode).toBe(200);
});

describe('the client', () => {
  test('gives the events, remembers its place, and ends when told to', async () => {
    await start();
    const over = new AbortController();
    const reader = await createClient(folder).events({ kind: ['match'], after: 'x-1', last: 3 }, over.signal);
    expect(control.calls).toEqual([['events', { kind: ['match'], after: 'x-1', last: 3 }]]);
    for (const event of EVENTS) control.tell(event);
    const got: LiveEvent[] = [];
    for await (const event of reader.events) {
      expect(reader.at).toBe(event.id);
      if (got.push(event) === 3) over.abort();
    }
    expect(got).toEqual(EVENTS);
    await eventually('nobody listens', () => control.listeners.size === 0);
  });

  test('throws what the daemon answers, and E_NOT_RUNNING where none is', async () => {
    const client = createClient(folder);
    const { signal } = new AbortController();
    await expect(client.events({}, signal)).rejects.toMatchObject({ code: 'E_NOT_RUNNING' });
    await start({ readers: 0 });
    await expect(client.events({}, signal)).rejects.toMatchObject({ code: 'E_TOO_MANY_READERS' });
  });
});
