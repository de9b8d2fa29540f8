// Real packets against the real kernel, between network namespaces of the test's own.
import { describe, expect, it } from 'vitest';
import { chooseFirewall, createFirewall, createWitness } from '../../src/firewall/index.ts';
import { silentLog, type Exec } from '../../src/ports.ts';
import { needs, program } from '../support/programs.ts';
import { block, EVERYTHING, net, release, summary } from './conformance.ts';
import { setStage } from './stage.ts';
import { execIn } from './worlds.ts';

const inKernel = needs('root', 'ip', 'nft', 'iptables', 'ipset');

inKernel.each(['nftables', 'iptables'] as const)('%s in a real kernel', { timeout: 30_000 }, (kind) => {
  const stage = setStage(kind);
  const { soon, apply } = stage;

  const nft = (...args: string[]): Promise<string> => stage.server.host.runOk(program('nft'), args);

  describe.each([
    { family: 4, own: 'ipv4' },
    { family: 6, own: 'ipv6' },
  ] as const)('over IPv$family', ({ family, own }) => {
    it('a blocked address reaches nothing, another everything, and after the release it does again', async () => {
      await apply(block(stage.attacker.host[own], soon()));
      expect(await stage.attacker.isShutOut({ family })).toBe(true);
      expect(await stage.attacker.isShutOut({ family, port: 22 })).toBe(true);
      expect(await stage.attacker.isShutOut({ family, port: 53, protocol: 'udp' })).toBe(true);
      expect(await stage.bystander.reaches({ family })).toBe(true);
      await apply(release(stage.attacker.host[own]));
      expect(await stage.attacker.reaches({ family })).toBe(true);
      expect(await stage.attacker.reaches({ family, port: 53, protocol: 'udp' })).toBe(true);
    });

    it('a connection that was open is cut, and another stays open', async () => {
      const kept = { family, keep: `kept-${family}` };
      expect(await stage.attacker.reaches(kept)).toBe(true);
      expect(await stage.bystander.reaches(kept)).toBe(true);
      await apply(block(stage.attacker.host[own], soon()));
      expect(await stage.attacker.isShutOut(kept)).toBe(true);
      expect(await stage.bystander.reaches(kept)).toBe(true);
    });

    it('an allowed address passes although it is blocked, by itself and by its network', async () => {
      const address = stage.attacker.host[own];
      const around = net(`${address}/${family === 4 ? 24 : 64}`).text;
      await apply(block(address, soon()), block(around, soon()));
      expect(await stage.attacker.isShutOut({ family })).toBe(true);
      await stage.firewall.allow([net(address)]);
      expect(await stage.attacker.reaches({ family })).toBe(true);
      await stage.firewall.allow([net(`${address}/${family === 4 ? 25 : 48}`), net('10.0.0.0/8')]);
      expect(await stage.attacker.reaches({ family })).toBe(true);
      await stage.firewall.allow([]);
      expect(await stage.attacker.isShutOut({ family })).toBe(true);
    });

    it('only the ports of the scope are closed, for TCP and UDP unless one is named', async () => {
      const address = stage.attacker.host[own];
      const ssh = { family, port: 22 };
      const web = { family, port: 80 };
      const dns = { family, port: 53, protocol: 'udp' } as const;
      const both = { protocol: 'any', ports: [22, 53] } as const;
      await apply(block(address, soon(), both));
      expect(await stage.attacker.isShutOut(ssh)).toBe(true);
      expect(await stage.attacker.reaches(web)).toBe(true);
      expect(await stage.attacker.isShutOut(dns)).toBe(true);
      const tcp = { protocol: 'tcp', ports: [22, 53] } as const;
      await apply(release(address, both), block(address, soon(), tcp));
      expect(await stage.attacker.isShutOut(ssh)).toBe(true);
      expect(await stage.attacker.reaches(web)).toBe(true);
      expect(await stage.attacker.reaches(dns)).toBe(true);
      await apply(release(address, tcp), block(address, soon(), { protocol: 'udp', ports: [] }));
      expect(await stage.attacker.reaches(ssh)).toBe(true);
      expect(await stage.attacker.isShutOut(dns)).toBe(true);
    });

    it('fragments of a blocked address are dropped, each of them', async () => {
      const large = { family, port: 53, protocol: 'udp', size: 4_000 } as const;
      expect(await stage.attacker.reaches(large)).toBe(true);
      await apply(block(stage.attacker.host[own], soon()));
      expect(await stage.attacker.isShutOut(large)).toBe(true);
      expect((await stage.firewall.dropped()).packets).toBeGreaterThanOrEqual(3);
      expect((await stage.firewall.dropped()).bytes).toBeGreaterThan(4_000);
    });
  });

  it('a network closes all addresses in it and none beside it', async () => {
    for (const address of ['198.51.100.130', '198.51.101.1', '2001:db8:c0::bad', '2001:db8:c0:1::bad'])
      await stage.attacker.host.addAddress(address);
    await apply(block('198.51.100.0/24', soon()), block('2001:db8:c0::/64', soon()));
    expect(await stage.attacker.isShutOut({ from: '198.51.100.130' })).toBe(true);
    expect(await stage.attacker.reaches({ from: '198.51.101.1' })).toBe(true);
    expect(await stage.attacker.isShutOut({ family: 6, from: '2001:db8:c0::bad' })).toBe(true);
    expect(await stage.attacker.reaches({ family: 6, from: '2001:db8:c0:1::bad' })).toBe(true);
    // Lengths that end inside a byte.
    await apply(release('198.51.100.0/24'), block('198.51.100.0/23', soon()));
    await apply(release('2001:db8:c0::/64'), block('2001:db8:c0::/63', soon()));
    expect(await stage.attacker.isShutOut({ from: '198.51.101.1' })).toBe(true);
    expect(await stage.attacker.isShutOut({ family: 6, from: '2001:db8:c0:1::bad' })).toBe(true);
    expect(await stage.bystander.reaches()).toBe(true);
    await apply(block('0.0.0.0/0', soon()));
    expect(await stage.bystander.isShutOut()).toBe(true);
    expect(await stage.bystander.reaches({ family: 6 })).toBe(true);
  });

  it('the host still reaches itself while others are blocked', async () => {
    await apply(block(stage.attacker.host.ipv4, soon()), block(stage.attacker.host.ipv6, soon()));
    expect(await stage.server.reaches({ to: '127.0.0.1' })).toBe(true);
    expect(await stage.server.reaches({ to: '::1' })).toBe(true);
  });

  it('what is dropped is counted, and nothing else', async () => {
    await apply(block(stage.attacker.host.ipv4, soon()));
    expect(await stage.bystander.reaches()).toBe(true);
    expect(await stage.firewall.dropped()).toEqual({ packets: 0, bytes: 0 });
    await stage.attacker.isShutOut({ protocol: 'udp', port: 53 });
    expect(await stage.firewall.dropped()).toEqual({ packets: 1, bytes: 29 });
    // More rules, in both families.
    await apply(
      block(stage.attacker.host.ipv6, soon()),
      block('203.0.113.0/24', soon(), { protocol: 'udp', ports: [9] }),
    );
    await stage.attacker.isShutOut({ protocol: 'udp', port: 53 });
    expect(await stage.firewall.dropped()).toEqual({ packets: 2, bytes: 58 });
  });

  it('without the right to change the firewall it says what is needed', async () => {
    const before = [program('setpriv'), '--reuid=65534', '--regid=65534', '--clear-groups'];
    const powerless = createFirewall(kind, {
      exec: execIn(stage.server.host.namespace, ...before),
      clock: stage.clock,
      log: silentLog,
    });
    const unavailable = {
      code: 'E_FIREWALL_UNAVAILABLE',
      message: expect.stringContaining('CAP_NET_ADMIN'),
    };
    await expect(powerless.prepare([])).rejects.toMatchObject(unavailable);
    await expect(powerless.teardown()).rejects.toMatchObject(unavailable);
    await powerless.close();
  });

  if (kind !== 'nftables') return;

  it('what is dropped is counted, and counted on when rules are added or put in order', async () => {
    await apply(block(stage.attacker.host.ipv4, soon()));
    expect(await stage.firewall.dropped()).toEqual({ packets: 0, bytes: 0 });
    await stage.attacker.isShutOut({ protocol: 'udp', port: 53 });
    const first = await stage.firewall.dropped();
    expect(first).toEqual({ packets: 1, bytes: 29 });
    await apply(block(stage.attacker.host.ipv6, soon()));
    await nft('insert', 'rule', 'inet', 'bailiff', 'prerouting', 'tcp dport 9 drop');
    await stage.firewall.prepare([net('198.51.100.7')]);
    expect(await nft('list', 'chain', 'inet', 'bailiff', 'prerouting')).not.toContain('dport 9');
    expect(await stage.firewall.dropped()).toEqual(first);
    await stage.attacker.isShutOut({ protocol: 'udp', port: 53 });
    expect(await stage.firewall.dropped()).toEqual({ packets: 2, bytes: 58 });
  });

  it('a table of another run keeps its bans, and is moved to the right hook', async () => {
    await apply(block(stage.attacker.host.ipv4, soon()));
    await stage.firewall.close();
    const [set, rule] = ['ban4_32_any', 'ip saddr @ban4_32_any counter packets 7 bytes 9 drop'];
    await nft(
      'flush chain inet bailiff prerouting; delete chain inet bailiff prerouting; ' +
        'add chain inet bailiff prerouting { type filter hook output priority 0; policy accept; }; ' +
        `add rule inet bailiff prerouting ${rule}`,
    );
    expect(await stage.attacker.reaches()).toBe(true);
    // What stands there was once taken for a kernel that does not know nftables.
    expect(await chooseFirewall(stage.exec)).toMatchObject({ kind: 'nftables' });
    const next = createFirewall('nftables', { exec: stage.exec, clock: stage.clock, log: silentLog });
    await next.prepare([]);
    expect(await stage.attacker.isShutOut()).toBe(true);
    expect(summary(await next.list(), stage.clock.now())).toEqual([`${stage.attacker.host.ipv4} any: 600`]);
    expect((await next.dropped()).packets).toBeGreaterThan(7);
    expect(await nft('list', 'set', 'inet', 'bailiff', set)).toContain(stage.attacker.host.ipv4);
    await next.close();
  });

  it('another table with flags, as firewalld makes them, is in the way of nothing', async () => {
    const { attacker, exec } = stage;
    const witness = createWitness('nftables', exec)!;
    await nft('add table inet other { flags dormant; }; add table ip nat');
    await stage.firewall.prepare([]);
    await apply(block(attacker.host.ipv4, soon()));
    expect(await attacker.isShutOut()).toBe(true);
    expect(await stage.firewall.isWhole()).toBe(true);
    expect(await witness.holds(EVERYTHING, net(attacker.host.ipv4))).toBe(true);
    expect((await witness.surroundings())?.tables).toEqual(
      expect.arrayContaining(['inet other', 'inet bailiff']),
    );
    await nft('delete table inet other; delete table ip nat');
  });

  it('a table that was put to sleep is woken up', async () => {
    const owner = { id: `${process.pid}_1`, isAlive: () => false };
    const next = createFirewall('nftables', { exec: stage.exec, clock: stage.clock, log: silentLog, owner });
    await next.prepare([]);
    await apply(block(stage.attacker.host.ipv4, soon()));
    await nft('add table inet bailiff { flags dormant; }');
    expect(await stage.attacker.reaches()).toBe(true);
    // It may wake it up itself, where it can't read what nft says of it.
    if (!(await next.isWhole())) await next.prepare([]);
    expect(await stage.attacker.isShutOut()).toBe(true);
    await nft('add table inet bailiff { flags dormant; }');
    await next.prepare([]);
    expect(await stage.attacker.isShutOut()).toBe(true);
    await next.close();
  });

  it('a flushed ruleset is put back by the next change', async () => {
    await stage.firewall.allow([net(stage.bystander.host.ipv4)]);
    await apply(block(stage.attacker.host.ipv4, soon()));
    await nft('flush', 'ruleset');
    expect(await stage.attacker.reaches()).toBe(true);
    const changes = [block(stage.attacker.host.ipv4, soon()), block(stage.bystander.host.ipv4, soon())];
    const outcomes = await stage.firewall.apply(changes, stage.clock.now());
    expect(outcomes).toEqual(changes.map(() => ({ outcome: 'applied', rebuilt: true })));
    expect(await stage.attacker.isShutOut()).toBe(true);
    expect(await stage.bystander.reaches()).toBe(true);
  });

  it('a session that can’t read what it is to include costs nothing: nft itself is asked, and from then on at once', async () => {
    const runs: (string | undefined)[] = [];
    const laid: string[] = [];
    const blind: Exec = {
      ...stage.exec,
      spawn(...asked) {
        const child = stage.exec.spawn(...asked);
        return child && { ...child, lay: (text) => (laid.push(text), '/nonexistent/script') };
      },
      run(request) {
        if (request.args[0] === '-f') runs.push(request.input);
        return stage.exec.run(request);
      },
    };
    const other = createFirewall('nftables', { exec: blind, clock: stage.clock, log: silentLog });
    const some = Array.from({ length: 100 }, (_, index) => block(`198.51.100.${index}`, soon()));
    const all = [...some, block(stage.attacker.host.ipv4, soon())];
    const outcomes = all.map(() => ({ outcome: 'applied' }));
    expect(await other.apply(all, stage.clock.now())).toEqual(outcomes);
    expect(await stage.attacker.isShutOut()).toBe(true);
    const before = laid.length;
    expect(runs.slice(-1)).toEqual(laid.slice(-1));
    expect(
      await other.apply(
        some.map(({ network }) => release(network.text)),
        stage.clock.now(),
      ),
    ).toEqual(outcomes.slice(1));
    expect(laid).toHaveLength(before);
    await other.close();
  });

  it('a long transaction goes through the session, also where the table has to be made anew', async () => {
    const runs: string[] = [];
    const watched: Exec = {
      ...stage.exec,
      run(request) {
        runs.push(request.args.join(' '));
        return stage.exec.run(request);
      },
    };
    const other = createFirewall('nftables', { exec: watched, clock: stage.clock, log: silentLog });
    const some = Array.from({ length: 1_000 }, (_, index) =>
      block(`10.0.${index >> 8}.${index & 255}`, soon()),
    );
    const all = [...some, block(stage.attacker.host.ipv4, soon())];
    await other.apply(all, stage.clock.now());
    expect(await stage.attacker.isShutOut()).toBe(true);
    expect(runs.filter((args) => args.startsWith('-f'))).toEqual([]);
    await stage.exec.run({
      file: stage.exec.find('nft')!,
      args: ['delete', 'table', 'inet', 'bailiff'],
      timeout: 10_000,
    });
    expect((await other.apply(all, stage.clock.now())).at(-1)).toEqual({ outcome: 'applied', rebuilt: true });
    expect(await stage.attacker.isShutOut()).toBe(true);
    expect([...(await other.list())]).toHaveLength(1_001);
    await other.close();
  });

  it('a killed session is replaced, and its transaction is not lost', async () => {
    const pids: number[] = [];
    const watched: Exec = {
      ...stage.exec,
      spawn(...asked) {
        const child = stage.exec.spawn(...asked);
        if (child) pids.push(child.pid);
        return child;
      },
    };
    const other = createFirewall('nftables', { exec: watched, clock: stage.clock, log: silentLog });
    await other.apply([block('192.0.2.99', soon())], stage.clock.now());
    process.kill(pids[0]!, 'SIGKILL');
    expect(await other.apply([block(stage.attacker.host.ipv4, soon())], stage.clock.now())).toEqual([
      { outcome: 'applied' },
    ]);
    expect(await stage.attacker.isShutOut()).toBe(true);
    await other.apply([release(stage.attacker.host.ipv4)], stage.clock.now());
    await other.apply([release('192.0.2.99')], stage.clock.now());
    expect(pids).toHaveLength(2);
    expect([...(await other.list())]).toEqual([]);
    await other.close();
  });

  it('a set that somebody else made unfit refuses its own addresses only', async () => {
    await nft('add set inet bailiff ban4_24_any { type ipv6_addr; }');
    const changes = [block('203.0.113.0/24', soon()), block(stage.attacker.host.ipv4, soon())];
    const [unfit, fit] = await stage.firewall.apply(changes, stage.clock.now());
    expect(unfit).toMatchObject({ outcome: 'refused' });
    expect(fit).toEqual({ outcome: 'applied' });
    expect(await stage.attacker.isShutOut()).toBe(true);
  });

  it('nothing outside its table is touched, and nothing of it is left', async () => {
    await nft('add table inet other; add chain inet other input { type filter hook input priority 0; }');
    const others = await nft('list', 'ruleset', 'inet').then((all) =>
      all.slice(all.indexOf('table inet other')),
    );
    await apply(block(stage.attacker.host.ipv4, soon(), EVERYTHING), block('2001:db8::/64', undefined));
    await stage.firewall.prepare([net('198.51.100.7')]);
    await stage.firewall.teardown();
    expect(await nft('list', 'ruleset')).toBe(others);
    await nft('delete', 'table', 'inet', 'other');
  });
});
