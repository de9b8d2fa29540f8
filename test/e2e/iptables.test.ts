// The daemon on a host that blocks through iptables with ipset: with nftables hidden from it, and by --firewall.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNetwork, type Network } from '../firewall/network.ts';
import { BAILIFF } from '../support/built.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { launcherWithout } from '../support/hidden.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

needs(
  'root',
  'ip',
  'nft',
  'iptables',
  'ipset',
  'unshare',
)('on iptables', { timeout: 180_000 }, () => {
  let network: Network;
  let folder: string;
  let log: string;
  let daemon: Daemon | undefined;

  beforeEach(async () => {
    network = await createNetwork();
    folder = mkdtempSync(join(tmpdir(), 'bailiff-iptables-'));
    mkdirSync(join(folder, 'logs'));
    log = join(folder, 'logs', 'access.log');
    writeFileSync(log, '');
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
    daemon = undefined;
    await network.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (args: readonly string[], bailiff = BAILIFF): Promise<Daemon> =>
    startDaemon({
      folder: join(folder, 'bailiff'),
      config: { jails: { login: { filter: 'nginx-login', logs: [log], maxRetry: 3 } } },
      host: network.server.host,
      args,
      bailiff,
    });

  function attack(...addresses: string[]): void {
    const stamp = new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (.*) GMT$/, '$1/$2/$3:$4 +0000');
    for (const address of addresses)
      appendFileSync(log, `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "x"\n`.repeat(3));
  }

  const host = () => network.server.host;
  const kernel = async (): Promise<string> =>
    (await host().runOk(program('nft'), ['list', 'ruleset'])) +
    (await host().runOk(program('ipset'), ['save']));

  it('is chosen where nft is missing, says so, blocks what the log shows, and leaves the host as found', async () => {
    const { attacker, bystander } = network;
    daemon = await start([], launcherWithout(folder, 'nft'));
    await eventually('it says how it blocks', () =>
      daemon!.output().includes('blocking through iptables, because nft is not installed'),
    );
    const status = await daemon.status();
    expect(status).toMatchObject({ mode: 'enforcing', firewall: { kind: 'iptables', healthy: true } });
    expect((await daemon.verb('status')).stdout).toContain('iptables');

    attack(attacker.host.ipv4, attacker.host.ipv6);
    await daemon.ban(attacker.host.ipv4, ({ state }) => state === 'blocked');
    await daemon.ban('2001:db8:c0::/64', ({ state }) => state === 'blocked');
    expect(await attacker.isShutOut()).toBe(true);
    expect(await attacker.isShutOut({ family: 6 })).toBe(true);
    expect(await bystander.reaches()).toBe(true);
    expect((await daemon.status()).firewall.dropped!.packets).toBeGreaterThan(0);

    await daemon.verb('unban', '2001:db8:c0::/64');
    expect(await attacker.reaches({ family: 6 })).toBe(true);
    await daemon.end('SIGKILL');
    expect(await attacker.isShutOut()).toBe(true);

    // Started anew it knows what it blocked; nothing is lifted and nothing told twice.
    daemon = await start(['--firewall', 'iptables']);
    expect(await daemon.bans()).toMatchObject([{ address: attacker.host.ipv4, state: 'blocked' }]);
    expect(await attacker.isShutOut()).toBe(true);
    expect(await daemon.end()).toBe(0);
    expect(daemon.output()).toContain('to lift them all: bailiff teardown\n');
    expect(await attacker.isShutOut()).toBe(true);

    const torn = await daemon.verb('--json', 'teardown');
    expect(torn).toMatchObject({ code: 0, stderr: '' });
    expect(await kernel()).toBe('');
    expect(await attacker.reaches()).toBe(true);
  });

  it('takes over from nftables and hands back to it: what one back end blocked, the other lifts', async () => {
    const { attacker } = network;
    daemon = await start([]);
    expect((await daemon.status()).firewall.kind).toBe('nftables');
    attack(attacker.host.ipv4);
    await daemon.ban(attacker.host.ipv4, ({ state }) => state === 'blocked');
    await daemon.end();

    daemon = await start(['--firewall', 'iptables']);
    await eventually('the other table is gone', async () => !(await kernel()).includes('inet bailiff'));
    expect(await attacker.isShutOut()).toBe(true);
    await daemon.verb('unban', attacker.host.ipv4);
    expect(await attacker.reaches()).toBe(true);

    await daemon.verb('ban', attacker.host.ipv4);
    await daemon.end();
    daemon = await start([]);
    await eventually('the chains are gone', async () => !(await kernel()).includes('bailiff-'));
    expect(await attacker.isShutOut()).toBe(true);
    await daemon.verb('teardown');
    expect(await kernel()).toBe('');
  });

  it('asked for where it is missing says what to install and blocks nothing, rather than choose another', async () => {
    daemon = await start(['--firewall', 'iptables'], launcherWithout(folder, 'ipset'));
    await eventually('it says what is missing', () =>
      /DETECT ONLY: NOTHING IS BLOCKED.*apt-get install iptables ipset/.test(daemon!.output()),
    );
    expect(await daemon.status()).toMatchObject({
      mode: 'detect-only',
      firewall: { kind: 'iptables', healthy: false, fault: expect.stringContaining('ipset') },
    });
    expect(await kernel()).toBe('');
  });
});
