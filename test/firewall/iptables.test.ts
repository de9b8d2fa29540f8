// What only iptables with ipset has to cope with, in the real kernel: sets that outlive their rules, ends that ipset can't
// count to, other people's rules in the same table, programs of three kinds that may be missing.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFirewall, type Firewall, type FirewallPorts, liftOthers } from '../../src/firewall/index.ts';
import type { Clock, Exec } from '../../src/ports.ts';
import { needs, program } from '../support/programs.ts';
import { block, net, release, summary, WEB } from './conformance.ts';
import { createNetwork, type Network } from './network.ts';
import { createRecordingLog, execIn } from './worlds.ts';
import { createClock } from '../../src/daemon/system.ts';

const APPLIED = { outcome: 'applied' };
const REBUILT = { outcome: 'applied', rebuilt: true };

needs(
  'root',
  'ip',
  'nft',
  'iptables',
  'ipset',
)('iptables', { timeout: 30_000 }, () => {
  const clock = createClock();
  let network: Network;
  let exec: Exec;
  let log: ReturnType<typeof createRecordingLog>;
  let firewall: Firewall;
  let attacker: Network['attacker'];
  let bystander: Network['bystander'];

  beforeAll(async () => {
    network = await createNetwork();
    ({ attacker, bystander } = network);
    exec = execIn(network.server.host.namespace);
  }, 60_000);
  afterAll(() => network.remove());
  beforeEach(async () => {
    firewall = create();
    await firewall.prepare([]);
  });
  afterEach(async () => {
    await firewall.teardown();
    await firewall.close();
    expect(await everything()).toBe('');
  });

  /** An iptables of this namespace, with some of its doors exchanged. */
  function create(ports: Partial<FirewallPorts> = {}): Firewall {
    log = createRecordingLog();
    return createFirewall('iptables', { exec, clock, log, ...ports });
  }

  const soon = (): number => clock.now() + 600_000;
  const apply = (...changes: Parameters<Firewall['apply']>[0]) => firewall.apply(changes, clock.now());
  const listed = async (): Promise<string[]> => summary(await firewall.list(), clock.now());
  const warnings = (): string[] => log.entries.map(({ message }) => message);
  const run = async (name: string, args: readonly string[], input = ''): Promise<string> => {
    const file = exec.find(name)!;
    const { code, stdout, stderr } = await exec.run({ file, args, input, timeout: 10_000 });
    if (code !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const ipset = (...args: string[]) => run('ipset', args);
  const iptables = (...args: string[]) => run('iptables-nft', ['-t', 'raw', ...args]);
  const nft = (text: string) => run('nft', ['-f', '-'], text);
  /** All that a host has of this kind, but for what packets count. */
  const everything = async (): Promise<string> =>
    `${await run('nft', ['-s', 'list', 'ruleset'])}${await ipset('save')}`.replaceAll(
      /counter packets \d+ bytes \d+/g,
      'counter',
    );
  /** An exec that `change` sees first. */
  const through = (change: Partial<Exec>): Exec => ({ ...exec, ...change });

  describe('rules that vanish while the sets stay', () => {
    it.each([
      ['are flushed', () => iptables('--flush')],
      ['lose the jump to them', () => iptables('--flush', 'PREROUTING')],
      ['go with the whole ruleset', () => nft('flush ruleset')],
      ['give way to those of a restore', () => run('iptables-nft-restore', [], '*raw\nCOMMIT\n')],
    ])('because they %s come back with the next change, and the outcome says so', async (_, vanish) => {
      await firewall.allow([net(bystander.host.ipv4)]);
      await apply(block(attacker.host.ipv4, soon()));
      expect(await firewall.isWhole()).toBe(true);
      await vanish();
      expect(await firewall.isWhole()).toBe(false);
      expect(await attacker.reaches()).toBe(true);
      const changes = [block('192.0.2.77', soon()), block(bystander.host.ipv4, soon())];
      expect(await apply(...changes)).toEqual([REBUILT, REBUILT]);
      expect(warnings()).toContain('rules or sets had vanished from the kernel and were made anew');
      expect(await attacker.isShutOut()).toBe(true);
      expect(await bystander.reaches()).toBe(true);
      expect(await apply(block('192.0.2.78', soon()))).toEqual([APPLIED]);
    });

    it('block nothing: the listing says so, and prepare puts them back', async () => {
      await apply(block(attacker.host.ipv4, soon()));
      await iptables('--flush');
      expect(await listed()).toEqual([]);
      await firewall.prepare([]);
      expect(await listed()).toEqual([`${attacker.host.ipv4} any: 600`]);
      expect(await attacker.isShutOut()).toBe(true);
    });

    it('and those of IPv6 are told from those of IPv4', async () => {
      await apply(block(attacker.host.ipv4, soon()), block(attacker.host.ipv6, soon()));
      await run('ip6tables-nft', ['-t', 'raw', '--flush']);
      expect(await listed()).toEqual([`${attacker.host.ipv4} any: 600`]);
      await firewall.prepare([]);
      expect(await attacker.isShutOut({ family: 6 })).toBe(true);
    });
  });

  it('sets that vanish too are made anew with the change, and only with it', async () => {
    await firewall.allow([net(bystander.host.ipv4)]);
    await apply(block(attacker.host.ipv4, soon()));
    await nft('flush ruleset');
    await ipset('destroy');
    const changes = [block('192.0.2.77', soon()), block(bystander.host.ipv4, soon()), release('192.0.2.1')];
    expect(await apply(...changes)).toEqual([REBUILT, REBUILT, REBUILT]);
    expect(await listed()).toEqual(['192.0.2.77 any: 600', `${bystander.host.ipv4} any: 600`]);
    expect(await bystander.reaches()).toBe(true);
  });

  it('rules that other hands moved into our chain go, with the counts of ours kept', async () => {
    await apply(block(attacker.host.ipv4, soon()));
    await attacker.isShutOut({ protocol: 'udp', port: 53 });
    await iptables('-I', 'bailiff-prerouting', '1', '-p', 'tcp', '--dport', '9', '-j', 'DROP');
    await iptables('-A', 'PREROUTING', '-j', 'bailiff-prerouting');
    await firewall.prepare([]);
    const saved = await iptables('--list-rules');
    expect(saved).not.toContain('dport 9');
    expect(saved.match(/-A PREROUTING -j bailiff-prerouting/g)).toHaveLength(1);
    expect(await firewall.dropped()).toEqual({ packets: 1, bytes: 29 });
  });

  it('ports that were changed by hand are told as not blocked, and set right by the next block', async () => {
    const scope = { protocol: 'tcp', ports: [22, 80] } as const;
    await apply(block(attacker.host.ipv4, soon(), scope));
    await ipset('flush', 'bailiff-ports-22-80');
    expect(await listed()).toEqual([]);
    expect(await attacker.reaches()).toBe(true);
    await apply(block(attacker.host.ipv4, soon(), scope));
    expect(await listed()).toEqual([`${attacker.host.ipv4} tcp 22 80: 600`]);
    expect(await attacker.isShutOut()).toBe(true);
  });

  describe('an end that ipset can not count to', () => {
    const DAY = 86_400_000;
    const timeoutOf = async (address: string): Promise<number> =>
      Number(new RegExp(`${address} timeout (\\d+)`).exec(await ipset('save', 'bailiff-ban4-32-any'))?.[1]);

    it('is cut in the kernel, told in full, and forgotten when a shorter one takes its place', async () => {
      const until = clock.now() + 60 * DAY;
      await apply(block('192.0.2.7', until));
      expect(await timeoutOf('192.0.2.7')).toBeGreaterThan(2_147_000);
      expect([...(await firewall.list())]).toMatchObject([{ until }]);
      await apply(block('192.0.2.7', clock.now() + 60_000));
      expect(await listed()).toEqual(['192.0.2.7 any: 60']);
    });

    it('is renewed by a listing once half of the kernel’s time is over, and not before', async () => {
      const until = clock.now() + 60 * DAY;
      const element = ['add', '-exist', 'bailiff-ban4-32-any'];
      await apply(block('192.0.2.7', until));
      await ipset(...element, '192.0.2.7', 'timeout', '100', 'comment', `until ${until}`);
      await ipset(...element, '192.0.2.8', 'timeout', '2000000', 'comment', `until ${until}`);
      expect([...(await firewall.list())]).toMatchObject([{ until }, { until }]);
      expect(await timeoutOf('192.0.2.7')).toBeGreaterThan(2_147_000);
      expect(await timeoutOf('192.0.2.8')).toBeLessThanOrEqual(2_000_000);
    });

    it('is looked after by itself, every few days, until the firewall is closed', async () => {
      const due: (() => void)[] = [];
      const cancelled: unknown[] = [];
      const ticking: Clock = {
        ...clock,
        schedule(after, task) {
          // How long the session may be silent is none of it.
          if (after < DAY) return clock.schedule(after, task);
          expect(after).toBeLessThan((2_147_483_000 / 2) * 0.9);
          due.push(task);
          return () => void cancelled.push(task);
        },
      };
      const other = create({ clock: ticking });
      await other.prepare([]);
      const until = clock.now() + 60 * DAY;
      await other.apply([block('192.0.2.7', until)], clock.now());
      await ipset(
        ...['add', '-exist', 'bailiff-ban4-32-any', '192.0.2.7', 'timeout', '100'],
        ...['comment', `until ${until}`],
      );
      due[0]!();
      await other.dropped(); // Waits its turn.
      expect(await timeoutOf('192.0.2.7')).toBeGreaterThan(2_147_000);
      expect(due).toHaveLength(2);
      await other.close();
      expect(cancelled).toContain(due[1]);
    });
  });

  describe('what is refused', () => {
    it('is each address that has no room in a full set; the others go in', async () => {
      const first = 'create bailiff-ban4-32-any hash:net maxelem 2 timeout 0 comment';
      await run('ipset', ['restore'], `${first}\n`);
      await firewall.list();
      let starts = 0;
      const counting = through({
        run(request) {
          starts++;
          return exec.run(request);
        },
      });
      await firewall.close();
      firewall = create({ exec: counting });
      await firewall.list();
      starts = 0;
      const full = { outcome: 'refused', why: expect.stringContaining('full') };
      const changes = [
        ...Array.from({ length: 40 }, (_, index) => block(`192.0.2.${index}`, soon())),
        release('192.0.2.0'),
        block('203.0.113.0/24', soon()),
      ];
      expect(await apply(...changes)).toEqual([
        ...[APPLIED, APPLIED],
        ...Array.from({ length: 38 }, () => full),
        ...[APPLIED, APPLIED],
      ]);
      expect(await listed()).toEqual(['192.0.2.1 any: 600', '203.0.113.0/24 any: 600']);
      // A set that is full is not asked once for each of them.
      expect(starts).toBeLessThan(20);
    });

    it('is what a set that somebody else made unfit should hold, and nothing else', async () => {
      await ipset('create', 'bailiff-ban4-24-any', 'hash:net', 'family', 'inet6');
      const changes = [block('203.0.113.0/24', soon()), block(attacker.host.ipv4, soon(), WEB)];
      expect(await apply(...changes)).toEqual([{ outcome: 'refused', why: expect.any(String) }, APPLIED]);
      expect(await attacker.isShutOut()).toBe(true);
    });

    it('is IPv6 where the kernel has none: IPv4 is blocked all the same, and the log says so', async () => {
      const without6 = through({
        run: (request) =>
          request.file.includes('ip6tables')
            ? Promise.resolve({
                outcome: 'exited',
                code: 3,
                stdout: '',
                stderr: "can't initialize ip6tables",
              })
            : exec.run(request),
      });
      const other = create({ exec: without6 });
      await other.prepare([]);
      expect(warnings()).toEqual(['IPv6 can not be blocked on this host']);
      const changes = [block(attacker.host.ipv6, soon()), block(attacker.host.ipv4, soon())];
      expect(await other.apply(changes, clock.now())).toEqual([
        { outcome: 'refused', why: "can't initialize ip6tables" },
        APPLIED,
      ]);
      expect(await attacker.isShutOut()).toBe(true);
      expect(summary(await other.list(), clock.now())).toEqual([`${attacker.host.ipv4} any: 600`]);
      await other.close();
    });
  });

  describe('programs', () => {
    const without = (...missing: string[]): Exec =>
      through({ find: (name) => (missing.includes(name) ? undefined : exec.find(name)) });

    it.each(['prepare', 'list', 'apply', 'dropped', 'teardown'] as const)(
      'that are missing are told as such by %s',
      async (call) => {
        const lacking = create({ exec: without('ipset', 'iptables-nft-save', 'iptables-save') });
        const calls = {
          prepare: () => lacking.prepare([]),
          list: () => lacking.list(),
          apply: () => lacking.apply([block('192.0.2.7', undefined)], clock.now()),
          dropped: () => lacking.dropped(),
          teardown: () => lacking.teardown(),
        };
        await expect(calls[call]()).rejects.toMatchObject({
          code: 'E_FIREWALL_UNAVAILABLE',
          message: expect.stringContaining('install the packages iptables and ipset'),
        });
      },
    );

    it.each([
      ['+net_admin,+net_raw', undefined],
      ['+net_admin', 'CAP_NET_RAW beside CAP_NET_ADMIN'],
    ])('of a user with the capabilities %s serve, or say what they lack', async (capabilities, lack) => {
      const before = [
        ...[program('setpriv'), '--reuid=65534', '--regid=65534', '--clear-groups'],
        ...[`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`],
        `--bounding-set=-all,${capabilities}`,
      ];
      const other = create({ exec: execIn(network.server.host.namespace, ...before) });
      await firewall.teardown();
      if (lack === undefined) {
        await other.prepare([]);
        await other.apply([block(attacker.host.ipv4, soon())], clock.now());
        expect(summary(await other.list(), clock.now())).toEqual([`${attacker.host.ipv4} any: 600`]);
        expect(await attacker.isShutOut()).toBe(true);
      } else
        await expect(other.prepare([])).rejects.toMatchObject({
          code: 'E_FIREWALL_UNAVAILABLE',
          message: expect.stringContaining(lack),
        });
      await other.close();
    });

    it('of the legacy variant serve where there is no other, and the log says so', async () => {
      await firewall.teardown();
      const legacy = through({
        find(name) {
          if (name.includes('tables-nft')) return undefined;
          return exec.find(name.replace(/^(ip6?tables)-/, '$1-legacy-'));
        },
      });
      const other = create({ exec: legacy });
      await other.prepare([net(bystander.host.ipv4)]);
      expect(warnings()).toEqual(['no nft variant of iptables is installed; the legacy one is used']);
      const changes = [
        block(attacker.host.ipv4, soon()),
        block(attacker.host.ipv6, soon(), WEB),
        block(bystander.host.ipv4, soon()),
      ];
      expect(await other.apply(changes, clock.now())).toEqual([APPLIED, APPLIED, APPLIED]);
      expect(await attacker.isShutOut()).toBe(true);
      expect(await attacker.isShutOut({ family: 6 })).toBe(true);
      expect(await attacker.reaches({ family: 6, port: 22 })).toBe(true);
      expect(await bystander.reaches()).toBe(true);
      expect((await other.dropped()).packets).toBeGreaterThan(0);
      expect(await run('nft', ['list', 'ruleset'])).toBe('');
      await other.teardown();
      for (const name of ['iptables-legacy', 'ip6tables-legacy'])
        expect(await run(name, ['-t', 'raw', '--list-rules'])).toBe(
          '-P PREROUTING ACCEPT\n-P OUTPUT ACCEPT\n',
        );
      await other.close();
    });
  });

  describe('other people’s rules', () => {
    it('in the same table stay, with their counts, and so does the table', async () => {
      await firewall.teardown();
      const theirs = ['-A', 'PREROUTING', '-p', 'udp', '--dport', '4000', '-j', 'NOTRACK'];
      await iptables('--policy', 'OUTPUT', 'ACCEPT');
      await iptables(...theirs);
      await ipset('create', 'theirs', 'hash:ip');
      await ipset('create', 'bailiff', 'hash:ip');
      const before = await everything();
      await firewall.prepare([net('198.51.100.7')]);
      await apply(block(attacker.host.ipv4, soon(), WEB), block('2001:db8::/64', undefined));
      expect(await attacker.isShutOut()).toBe(true);
      await firewall.teardown();
      expect(await everything()).toBe(before);
      await nft('delete table ip raw');
      await ipset('destroy');
    });

    it('that came into a table of our making stay in it', async () => {
      await iptables('-A', 'PREROUTING', '-p', 'udp', '--dport', '4000', '-j', 'ACCEPT');
      await firewall.teardown();
      const saved = await iptables('--list-rules');
      expect(saved).toContain('--dport 4000 -j ACCEPT');
      expect(saved).not.toContain('bailiff');
      await nft('delete table ip raw');
    });

    it.each(['before ours', 'after ours'])('that nft put into the raw table %s stay', async (when) => {
      const native =
        'add table ip raw; add chain ip raw pre { type filter hook prerouting priority -300; }; ' +
        'add set ip raw theirs { type ipv4_addr; }; add rule ip raw pre ip saddr @theirs drop';
      await firewall.teardown();
      if (when === 'before ours') await nft(native);
      await firewall.prepare([]);
      if (when === 'after ours') await nft(native);
      expect(await apply(block(attacker.host.ipv4, soon()))).toEqual([APPLIED]);
      expect(await attacker.isShutOut()).toBe(true);
      await firewall.teardown();
      const left = await everything();
      expect(left).toContain('ip saddr @theirs drop');
      expect(left).not.toContain('bailiff');
      await nft('delete table ip raw');
    });

    it('see the packets of allowed addresses too', async () => {
      await firewall.allow([net(attacker.host.ipv4)]);
      await apply(block(attacker.host.ipv4, soon()));
      expect(await attacker.reaches()).toBe(true);
      await iptables('-A', 'PREROUTING', '-s', attacker.host.ipv4, '-j', 'DROP');
      expect(await attacker.isShutOut()).toBe(true);
      await iptables('-D', 'PREROUTING', '-s', attacker.host.ipv4, '-j', 'DROP');
    });

    it('that ask one of our sets keep it, which is told instead of "torn down"', async () => {
      await apply(block(attacker.host.ipv4, soon()));
      const rule = ['-m', 'set', '--match-set', 'bailiff-ban4-32-any', 'src', '-j', 'ACCEPT'];
      await iptables('-A', 'OUTPUT', ...rule);
      await expect(firewall.teardown()).rejects.toMatchObject({
        code: 'E_FIREWALL_UNAVAILABLE',
        message: expect.stringContaining('bailiff-ban4-32-any'),
      });
      await iptables('-D', 'OUTPUT', ...rule);
      await nft('delete table ip raw');
    });
  });

  it('a set that the kernel lets go of a little late is waited for', async () => {
    let late = 2;
    const slow = through({
      spawn: () => undefined,
      run(request) {
        if (!request.input?.startsWith('destroy') || late-- <= 0) return exec.run(request);
        const stderr =
          'ipset v7.17: Error in line 1: Set cannot be destroyed: it is in use by a kernel component';
        return Promise.resolve({ outcome: 'exited', code: 1, stdout: '', stderr });
      },
    });
    const other = create({ exec: slow });
    await other.prepare([]);
    await other.teardown();
    expect(late).toBe(-1);
    expect(await everything()).toBe('');
    await other.close();
  });

  describe('two daemons', () => {
    const owner = (id: string, ...alive: string[]) => ({
      id,
      isAlive: (other: string) => alive.includes(other),
    });

    it('do not enforce in one network namespace; the mark of a dead one is replaced', async () => {
      const [first, second] = ['4194304_123456789012', '77_5'];
      const one = create({ owner: owner(first) });
      await one.prepare([]);
      const two = create({ owner: owner(second, first) });
      await expect(two.prepare([])).rejects.toMatchObject({
        code: 'E_ALREADY_RUNNING',
        message: expect.stringContaining('pid 4194304'),
      });
      const heir = create({ owner: owner(second) });
      await heir.prepare([]);
      await expect(create({ owner: owner(first, second) }).prepare([])).rejects.toMatchObject({
        code: 'E_ALREADY_RUNNING',
      });
      await heir.close();
      await create({ owner: owner(first, second) }).prepare([]);
    });

    it('of two back ends: what a dead one blocked is lifted, what a living one blocks is not', async () => {
      const nftables = createFirewall('nftables', { exec, clock, log, owner: owner('1_1') });
      await nftables.prepare([]);
      await nftables.apply([block(attacker.host.ipv4, soon())], clock.now());
      expect(await liftOthers('iptables', { exec, clock, log, owner: owner('2_2', '1_1') })).toEqual([]);
      expect(warnings()).toEqual(['bans of another back end stay in force']);
      expect(await attacker.isShutOut()).toBe(true);
      expect(await liftOthers('iptables', { exec, clock, log, owner: owner('2_2') })).toEqual(['nftables']);
      expect(await attacker.reaches()).toBe(true);
      await nftables.close();
      await apply(block(attacker.host.ipv4, soon()));
      expect(await liftOthers('nftables', { exec, clock, log, owner: owner('2_2') })).toEqual(['iptables']);
      expect(await attacker.reaches()).toBe(true);
      expect(await liftOthers('nftables', { exec, clock, log, owner: owner('2_2') })).toEqual([]);
    });
  });
});
