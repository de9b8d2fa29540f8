// The lock-out drill, first part: a real kernel between an administrator, an attacker and the host, in namespaces.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { createNetwork } from '../firewall/network.ts';
import type { Network } from '../firewall/network.ts';
import { needs } from '../support/programs.ts';

const drill = needs('root', 'ip', 'nft');
/** A log line has him; he comes from the colleague's namespace, by another address. */
const ADMIN = '198.51.101.1';
const folder = mkdtempSync(join(tmpdir(), 'bailiff-lockout-'));
const log = join(folder, 'logs', 'auth.log');
const env: Record<string, string> = {};
let network: Network;
let daemon: Daemon;

function says(message: string): void {
  const date = new Date();
  const stamp = `${date.toUTCString().slice(8, 11)} ${String(date.getUTCDate()).padStart(2, ' ')} ${date.toISOString().slice(11, 19)}`;
  appendFileSync(log, `${stamp} web sshd[812]: ${message}\n`);
}

function tenWrongPasswords(address: string): void {
  for (let i = 0; i < 10; i++) says(`Failed password for root from ${address} port 40022 ssh2`);
}

drill('in a real kernel', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    network = await createNetwork();
    await network.bystander.host.addAddress(ADMIN);
    mkdirSync(join(folder, 'logs'));
    writeFileSync(log, '');
    const jails = { sshd: { filter: 'sshd', logs: [log], zone: 'UTC', maxRetry: 5 } };
    const args = ['--firewall', 'nftables', '--no-watch'];
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      config: { jails },
      host: network.server.host,
      args,
      env,
    });
  });

  afterAll(async () => {
    await daemon?.end();
    await network?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test('ten wrong passwords lock out neither who logged in nor who speaks to the daemon; anybody else they do', async () => {
    const { attacker, bystander: colleague, server } = network;
    const { ipv4: his } = colleague.host;
    says(`Accepted publickey for ops from ${ADMIN} port 40022 ssh2`);
    await daemon.caughtUp();
    env['SSH_CONNECTION'] = `${his} 40022 ${server.host.ipv4} 22`;
    expect(await daemon.verb('reload')).toMatchObject({ code: 0 });
    for (const address of [ADMIN, his, attacker.host.ipv4]) tenWrongPasswords(address);
    await daemon.ban(attacker.host.ipv4, ({ state }) => state === 'blocked');
    const status = await daemon.caughtUp();
    expect(status.jails[0]).toMatchObject({ state: 'active', bansTotal: 1, banned: 1, ignored: 20 });
    expect(status.administrators).toMatchObject([{ address: his, by: 'command' }]);
    expect(await attacker.isShutOut()).toBe(true);
    expect([await colleague.reaches({ from: ADMIN }), await colleague.reaches()]).toEqual([true, true]);

    const known = await daemon.verb('history', his);
    expect(known.stdout).toMatch(/^protected\tsshd\t.*\tcommand$/m);
    // He can't ban himself by a slip, but if he means it.
    const refused = await daemon.verb('ban', his);
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringMatching(/an administrator ran bailiff from .*--force/),
    ]);
    expect((await daemon.verb('ban', '--force', '--for', '1m', his)).code).toBe(0);
    expect(await colleague.isShutOut()).toBe(true);
  });
});
