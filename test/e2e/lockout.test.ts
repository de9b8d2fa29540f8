// The lock-out drill, first part: a real kernel between an administrator, an attacker and the host, in namespaces.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Client, Internet } from '../support/namespaces.ts';

type Name = 'admin' | 'colleague' | 'attacker';
const folder = mkdtempSync(join(tmpdir(), 'bailiff-lockout-'));
const log = join(folder, 'logs', 'auth.log');
const env: Record<string, string> = {};
let internet: Internet<Name>;
let daemon: Daemon;

beforeAll(async () => {
  internet = await createInternet('admin', 'colleague', 'attacker');
  mkdirSync(join(folder, 'logs'));
  writeFileSync(log, '');
  const jails = { sshd: { filter: 'sshd', logs: [log], zone: 'UTC', maxRetry: 5 } };
  const args = ['--firewall', 'nftables', '--no-watch'];
  daemon = await startDaemon({
    folder: join(folder, 'bailiff'),
    config: { jails },
    host: internet.server,
    args,
    env,
  });
});

afterAll(async () => {
  await daemon?.end();
  await internet?.remove();
  rmSync(folder, { recursive: true, force: true });
});

function says(message: string): void {
  const date = new Date();
  const stamp = `${date.toUTCString().slice(8, 11)} ${String(date.getUTCDate()).padStart(2, ' ')} ${date.toISOString().slice(11, 19)}`;
  appendFileSync(log, `${stamp} web sshd[812]: ${message}\n`);
}

function tenWrongPasswords({ ipv4 }: Client): void {
  for (let i = 0; i < 10; i++) says(`Failed password for root from ${ipv4} port 40022 ssh2`);
}

const reaches = async ({ run }: Client): Promise<boolean> =>
  (await run('/usr/bin/ping', ['-c', '1', '-W', '1', internet.server.ipv4])).code === 0;

test('ten wrong passwords lock out neither who logged in nor who speaks to the daemon; anybody else they do', async () => {
  const { admin, colleague, attacker } = internet.clients;
  says(`Accepted publickey for ops from ${admin.ipv4} port 40022 ssh2`);
  await daemon.caughtUp();
  env['SSH_CONNECTION'] = `${colleague.ipv4} 40022 ${internet.server.ipv4} 22`;
  expect(await daemon.verb('reload')).toMatchObject({ code: 0 });
  for (const client of [admin, colleague, attacker]) tenWrongPasswords(client);
  await daemon.ban(attacker.ipv4, ({ state }) => state === 'blocked');
  const status = await daemon.caughtUp();
  expect(status.jails[0]).toMatchObject({ state: 'active', bansTotal: 1, banned: 1, ignored: 20 });
  expect(status.administrators).toMatchObject([{ address: colleague.ipv4, by: 'command' }]);
  expect([await reaches(admin), await reaches(colleague), await reaches(attacker)]).toEqual([
    true,
    true,
    false,
  ]);

  const known = await daemon.verb('history', colleague.ipv4);
  expect(known.stdout).toMatch(/^sshd\t.*\tcommand$/m);
  // He can't ban himself by a slip, but if he means it.
  const refused = await daemon.verb('ban', colleague.ipv4);
  expect([refused.code, refused.stdout]).toEqual([
    1,
    expect.stringMatching(/an administrator ran bailiff from .*--force/),
  ]);
  expect((await daemon.verb('ban', '--force', '--for', '1m', colleague.ipv4)).code).toBe(0);
  expect(await reaches(colleague)).toBe(false);
});
