// Others take our bans out of the kernel, a real one, and a real daemon puts them back: by event, where a program can hear it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNetwork, type Network } from '../firewall/network.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { launcherWithout } from '../support/hidden.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

/** What the looks by the clock alone would need is 5 s for each. */
const FLUSHES = 10;

needs(
  'root',
  'ip',
  'nft',
  'iptables',
  'ipset',
  'perl',
)('what others take out of the kernel', { timeout: 180_000 }, () => {
  let network: Network;
  let folder: string;
  let daemon: Daemon;

  beforeEach(async () => {
    network = await createNetwork();
    folder = mkdtempSync(join(tmpdir(), 'bailiff-rearm-'));
  });
  afterEach(async () => {
    await daemon.end('SIGKILL');
    await network.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const host = () => network.server.host;
  const nft = (...args: string[]): Promise<string> => host().runOk(program('nft'), args);
  const kernel = async (): Promise<string> =>
    (await nft('list', 'ruleset')) + (await host().runOk(program('ipset'), ['save']));
  const rearmed = async (): Promise<number> => (await daemon.status()).firewall.rearmed!;
  const isHeard = async (): Promise<boolean> => (await daemon.status()).firewall.noticedBy === 'event';
  const start = async (kind: string, bailiff?: string): Promise<void> => {
    daemon = await startDaemon({
      folder,
      config: {},
      host: host(),
      args: ['--firewall', kind],
      ...(bailiff === undefined ? {} : { bailiff }),
    });
    await daemon.verb('ban', network.attacker.host.ipv4, '2001:db8:c0::/64', '--for', '1h');
    await eventually('it hears', isHeard);
  };

  /** Does something, and waits until it was answered once more. */
  async function answered(what: string, task: () => Promise<unknown>): Promise<void> {
    const before = await rearmed();
    await task();
    await eventually(`${what} is answered`, async () => (await rearmed()) > before);
    expect(await rearmed(), `${what}: ${daemon.output()}`).toBe(before + 1);
  }

  it('with nftables: a flush, a set, an element, a rule in front are put back, and what others do beside is not; torn down it stays torn down', async () => {
    const { attacker, bystander } = network;
    await start('nftables');
    for (let count = 0; count < FLUSHES; count++) {
      // Other tables present and not.
      if (count % 2 === 0)
        await nft('add table inet other; add chain inet other input { type filter hook input priority 0; }');
      await answered('a flush', () => nft('flush', 'ruleset'));
      expect(await kernel()).toContain(attacker.host.ipv4);
    }
    expect(await attacker.isShutOut()).toBe(true);
    expect(await attacker.isShutOut({ family: 6 })).toBe(true);
    expect(await bystander.reaches()).toBe(true);

    const set = 'inet bailiff ban4_32_any';
    await answered('an element', () => nft(`delete element ${set} { ${attacker.host.ipv4} }`));
    expect(await nft('list', 'set', 'inet', 'bailiff', 'ban4_32_any')).toContain(attacker.host.ipv4);
    await answered('a set', () => nft('flush', 'set', 'inet', 'bailiff', 'ban6_64_any'));
    expect(await attacker.isShutOut({ family: 6 })).toBe(true);
    await answered('a rule in front', () => nft('insert rule inet bailiff prerouting accept'));
    expect(await attacker.isShutOut()).toBe(true);
    // One that still names our set, and lets by whom it holds.
    await answered('a rule that was narrowed', async () => {
      const [, handle] = /ban4_32_any .*# handle (\d+)/.exec(
        await nft('-a', 'list chain inet bailiff prerouting'),
      )!;
      await nft(
        `replace rule inet bailiff prerouting handle ${handle} ip saddr @ban4_32_any tcp dport 9 drop`,
      );
    });
    expect(await attacker.isShutOut()).toBe(true);
    await answered('a table put to sleep', () => nft('add table inet bailiff { flags dormant; }'));
    expect(await attacker.isShutOut()).toBe(true);

    // What is put back ends when it would have: its hour began with the ban.
    const [, left] = /timeout (\S+) expires/.exec(
      await nft('list', 'set', 'inet', 'bailiff', 'ban4_32_any'),
    )!;
    // An hour and the kernel's half minute, less what has gone by.
    expect(left).toMatch(/^(?:1h(?:[12]?\d)s|1h|5\dm\S*)$/);
    const { faults } = await daemon.status();
    expect(faults).toMatchObject([
      { code: 'W_FIREWALL_CONTESTED', message: expect.stringContaining('"nft"') },
    ]);

    const before = await rearmed();
    await daemon.verb('unban', attacker.host.ipv4);
    await daemon.verb('ban', attacker.host.ipv4, '192.0.2.99');
    await nft('add table inet other; delete table inet other');
    expect(await attacker.isShutOut()).toBe(true);
    // Announcements come in order: once this one is answered, those were read.
    await answered('the last', () => nft(`delete element ${set} { 192.0.2.99 }`));
    expect(await rearmed()).toBe(before + 1);

    // The child that hears is started again when it dies.
    const child = await eventually('the child', () => monitorOf());
    process.kill(child, 'SIGKILL');
    const next = await eventually('another child', () => monitorOf() !== child && monitorOf());
    await eventually('it hears again', isHeard);
    await answered('a flush', () => nft('flush', 'ruleset'));
    // Torn down it stays torn down, until it is armed; and the child ends with the daemon.
    await daemon.verb('teardown');
    await nft('add table inet other; flush ruleset');
    expect(await kernel()).toBe('');
    await daemon.verb('arm');
    expect(await attacker.isShutOut()).toBe(true);
    await daemon.end('SIGKILL');
    await eventually('the child is gone', () => !isAlive(next));
  });

  it('with nftables and no perl: a flush and an element, heard by nft itself', async () => {
    const { attacker } = network;
    await start('nftables', launcherWithout(folder, 'perl'));
    await answered('a flush', () => nft('flush', 'ruleset'));
    await answered('an element', () =>
      nft(`delete element inet bailiff ban4_32_any { ${attacker.host.ipv4} }`),
    );
    expect(await attacker.isShutOut()).toBe(true);
    const child = await eventually('the child', () => monitorOf('nft\0monitor'));
    await daemon.end('SIGKILL');
    await eventually('the child is gone', () => !isAlive(child));
  });

  it('with iptables: the raw table flushed, the jump to our chain passed by, sets emptied', async () => {
    const { attacker, bystander } = network;
    await start('iptables');
    const iptables = (...args: string[]) => host().runOk(program('iptables'), ['-t', 'raw', ...args]);
    for (let count = 0; count < 3; count++) {
      await answered('a flush', () => (count === 1 ? nft('flush', 'ruleset') : iptables('-F')));
      expect(await attacker.isShutOut()).toBe(true);
    }
    // One that may go on to ours stays ahead of it.
    await iptables('-I', 'PREROUTING', '-p', 'udp', '-j', 'NOTRACK');
    await answered('a rule in front', () => iptables('-I', 'PREROUTING', '-j', 'ACCEPT'));
    expect(await attacker.isShutOut()).toBe(true);
    expect(await bystander.reaches()).toBe(true);
    expect(await iptables('-S', 'PREROUTING')).toBe(
      '-P PREROUTING ACCEPT\n-A PREROUTING -j bailiff-prerouting\n-A PREROUTING -j ACCEPT\n-A PREROUTING -p udp -j NOTRACK\n',
    );
    // Nobody announces what happens to sets: the look every five seconds finds it.
    await answered('an emptied set', () => host().runOk(program('ipset'), ['flush', 'bailiff-ban4-32-any']));
    expect(await attacker.isShutOut()).toBe(true);
  });

  /** The pid of what the daemon hears the kernel by. */
  function monitorOf(words = 'nft-listen.pl'): number | undefined {
    const children = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8')
      .trim()
      .split(' ');
    return children.map(Number).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(words));
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
