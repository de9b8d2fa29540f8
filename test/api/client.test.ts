import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import type { Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient, createServer } from '../../src/api/index.ts';
import type { Server } from '../../src/api/index.ts';
import { BailiffError } from '../../src/errors.ts';
import { silentLog } from '../../src/ports.ts';
import { createFakeControl } from './fake-control.ts';
import type { FakeControl } from './fake-control.ts';

let folder: string;
let control: FakeControl;
let server: Server;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-client-'));
  control = createFakeControl();
  server = await createServer(control, { folder: join(folder, 'run'), version: '0.1.0' }, { log: silentLog });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('every method asks the daemon and gives its answer', async () => {
  const client = createClient(join(folder, 'run'));
  const direct = createFakeControl();
  const request = { addresses: ['192.0.2.7'], jail: 'sshd', for: 600, reason: 'x & y = z', force: true };
  const filter = { jail: 'a b&c', all: true, after: '7' };
  expect(await client.ping()).toEqual(direct.ping());
  expect(await client.status()).toEqual(await direct.status());
  expect(await client.bans(filter)).toEqual(await direct.bans(filter));
  expect(await client.ban(request)).toEqual(await direct.ban(request));
  expect(await client.unban({ addresses: ['2001:db8::/64'], jail: 'sshd' })).toEqual(
    await direct.unban({ addresses: ['2001:db8::/64'], jail: 'sshd' }),
  );
  expect(await client.history('2001:db8::/64')).toEqual(await direct.history('2001:db8::/64'));
  const reports = [{ jail: 'app', address: '192.0.2.7', outcome: 'failure' as const, id: 'x' }];
  expect(await client.report({ reports })).toEqual(await direct.report({ reports }));
  const attempt = { addresses: ['192.0.2.7'], jail: 'sshd' };
  expect(await client.attempt(attempt)).toEqual(await direct.attempt(attempt));
  expect(await client.teardown()).toEqual(await direct.teardown());
  expect(await client.arm()).toEqual(await direct.arm());
  expect(await client.log({ level: 'warn', after: 7, wait: 1 })).toEqual(
    await direct.log({ level: 'warn', after: 7, wait: 1 }),
  );
  expect(control.calls).toEqual(direct.calls);
});

test('an empty list of addresses bans and lifts nothing', async () => {
  const client = createClient(join(folder, 'run'));
  expect([await client.ban({ addresses: [] }), await client.unban({ addresses: [] })]).toEqual([[], []]);
  expect(control.calls).toEqual([]);
});

test('a fault of the daemon comes as the same fault, facts and all', async () => {
  control.answer('history', new BailiffError('E_ADDRESS', 'no address', { address: 'x' }));
  await expect(createClient(join(folder, 'run')).history('x')).rejects.toMatchObject({
    code: 'E_ADDRESS',
    message: 'no address',
    facts: { address: 'x' },
  });
});

test('status.sock refuses what only control.sock serves', async () => {
  const client = createClient(join(folder, 'run'), 'status');
  await expect(client.history('192.0.2.7')).rejects.toMatchObject({ code: 'E_NOT_PERMITTED', exit: 77 });
  await expect(client.ban({ addresses: ['192.0.2.7'] })).rejects.toMatchObject({ code: 'E_NOT_PERMITTED' });
  expect(control.calls).toEqual([]);
});

describe('where nobody answers', () => {
  test('no socket, and a socket whose daemon is gone, are E_NOT_RUNNING', async () => {
    await server.close();
    await expect(createClient(join(folder, 'run')).ping()).rejects.toMatchObject({
      code: 'E_NOT_RUNNING',
      exit: 69,
    });
    await expect(createClient('/nonexistent').ping()).rejects.toMatchObject({ code: 'E_NOT_RUNNING' });
  });

  test('a connection that breaks off is E_NOT_RUNNING', async () => {
    const other: NetServer = createNetServer((socket) => socket.destroy());
    other.listen(join(folder, 'control.sock'));
    await once(other, 'listening');
    await expect(createClient(folder).ping()).rejects.toMatchObject({ code: 'E_NOT_RUNNING' });
    other.close();
  });

  test('a path that fits no socket says so', async () => {
    await expect(createClient(`/${'x'.repeat(100)}`).ping()).rejects.toMatchObject({ code: 'E_SOCKET_PATH' });
  });

  test('a socket that may not be opened is E_NOT_PERMITTED', async () => {
    const self = process.geteuid!();
    // As its owner: the mode decides. Root may open everything, so for a moment it is nobody.
    chmodSync(folder, 0o711);
    if (self !== 0) chmodSync(join(folder, 'run/control.sock'), 0);
    try {
      if (self === 0) process.seteuid!(65_534);
      await expect(createClient(join(folder, 'run')).ping()).rejects.toMatchObject({
        code: 'E_NOT_PERMITTED',
        exit: 77,
      });
    } finally {
      if (self === 0) process.seteuid!(self);
    }
  });
});
