// A web server behind a proxy: its log bears the proxy's address, and the client's in a header.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';

let folder: string;
let daemon: Daemon | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-proxy-'));
});
afterEach(async () => {
  await daemon?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const MEMORY = ['--firewall', 'memory'];

function lineOf(from: string, header: string): string {
  const [, day, month, year, time] = /(\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date().toUTCString())!;
  return `${from} - - [${day}/${month}/${year}:${time} +0000] "POST /login HTTP/1.1" 401 1 "-" "curl/8" "${header}"\n`;
}

test('who came through a trusted proxy is named, and the ban says that this host cannot enforce it', async () => {
  const log = join(folder, 'access.log');
  writeFileSync(log, '');
  const logFormat =
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
  const config = {
    trustedProxies: ['10.0.0.0/24'],
    jails: { login: { filter: 'nginx-login', logs: [log], logFormat, maxRetry: 2 } },
  };
  daemon = await startDaemon({ folder: join(folder, 'bailiff'), config, args: MEMORY });
  await daemon.caughtUp();
  for (const [from, header] of [
    ['10.0.0.5', '203.0.113.66, 192.0.2.7, 10.0.0.6'],
    ['10.0.0.5', '192.0.2.7'],
    ['198.51.100.9', '203.0.113.66'],
    ['198.51.100.9', '203.0.113.66'],
    ['10.0.0.5', '-'],
    ['10.0.0.5', '-'],
  ] as const)
    appendFileSync(log, lineOf(from, header));
  await daemon.caughtUp();

  const states = async (): Promise<string[]> =>
    (await daemon!.bans()).map((ban) => `${ban.address} ${ban.state}`).toSorted();
  const expected = ['192.0.2.7 unenforceable', '198.51.100.9 blocked'];
  await daemon.ban('198.51.100.9', (ban) => ban.state === 'blocked');
  expect(await states()).toEqual(expected);
  expect(await daemon.ban('192.0.2.7')).toMatchObject({
    why: expect.stringContaining('through the proxy 10.0.0.5'),
  });

  const refused = await daemon.verb('--json', 'ban', '--force', '10.0.0.5');
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject([
    { outcome: 'refused', why: expect.stringContaining('trustedProxies') },
  ]);

  // The ledger knows it too.
  expect(await daemon.end()).toBe(0);
  daemon = await startDaemon({ folder: join(folder, 'bailiff'), args: MEMORY });
  await daemon.ban('198.51.100.9', (ban) => ban.state === 'blocked');
  expect(await states()).toEqual(expected);
});

test('who came through a proxy on this very host is blocked: his packets pass its kernel', async () => {
  const log = join(folder, 'app.log');
  writeFileSync(log, '');
  const logFormat =
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"';
  const config = {
    trustedProxies: ['127.0.0.1', '::1'],
    jails: { login: { filter: 'nginx-login', logs: [log], logFormat, maxRetry: 2 } },
  };
  daemon = await startDaemon({ folder: join(folder, 'bailiff'), config, args: MEMORY });
  await daemon.caughtUp();
  for (const proxy of ['127.0.0.1', '127.0.0.1', '::1', '::1'])
    appendFileSync(log, lineOf(proxy, proxy === '::1' ? '192.0.2.8' : '192.0.2.7'));
  await daemon.caughtUp();
  for (const client of ['192.0.2.7', '192.0.2.8']) await daemon.ban(client, (ban) => ban.state === 'blocked');
  expect(await daemon.bans()).toHaveLength(2);
});
