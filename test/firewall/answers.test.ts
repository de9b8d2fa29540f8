// What banned addresses get to feel, by real packets against the real kernel.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../src/model.ts';
import { needs, program } from '../support/programs.ts';
import { block, EVERYTHING, net, REJECT, release, SLOW, summary } from './conformance.ts';
import { setStage } from './stage.ts';

const PROGRAM = fileURLToPath(new URL('./outcome.ts', import.meta.url));
const inKernel = needs('root', 'ip', 'nft', 'iptables', 'ipset');

inKernel.each(['nftables', 'iptables'] as const)('the answers of %s', { timeout: 30_000 }, (kind) => {
  const stage = setStage(kind);
  const { soon, apply } = stage;

  const ask = async (
    protocol: 'tcp' | 'udp',
    family: 4 | 6,
    { many = 1, port = protocol === 'udp' ? 53 : 80, from = [] as string[] } = {},
  ): Promise<{ answered: number; refused: number; silent: number }> => {
    const to = family === 4 ? stage.server.host.ipv4 : stage.server.host.ipv6;
    const args = [PROGRAM, protocol, to, String(port), String(many), ...from];
    return JSON.parse(await stage.attacker.host.runOk(process.execPath, args));
  };
  /** Counts resets that reach the attacker. */
  const nft = (...args: string[]): Promise<string> => stage.attacker.host.runOk(program('nft'), args);
  const resets = async (): Promise<number> =>
    Number(/packets (\d+)/.exec(await nft('list', 'chain', 'inet', 'seen', 'input'))![1]);

  describe.each([
    { family: 4, own: 'ipv4' },
    { family: 6, own: 'ipv6' },
  ] as const)('over IPv$family', ({ family, own }) => {
    it('who is rejected gets a reset for TCP and an ICMP error for the rest, also on an open connection', async () => {
      await nft(
        'add table inet seen; add chain inet seen input { type filter hook input priority 0; }; ' +
          'add rule inet seen input tcp flags & rst == rst counter',
      );
      const kept = { family, keep: `kept-${kind}-${family}` };
      expect(await stage.attacker.reaches(kept)).toBe(true);
      await apply(block(stage.attacker.host[own], soon(), REJECT));
      expect(await resets()).toBe(0);
      expect(await ask('tcp', family)).toEqual({ answered: 0, refused: 1, silent: 0 });
      expect(await resets()).toBe(1);
      expect(await ask('udp', family)).toEqual({ answered: 0, refused: 1, silent: 0 });
      expect(await resets()).toBe(1);
      expect(await stage.attacker.isShutOut(kept)).toBe(true);
      expect(await resets()).toBeGreaterThanOrEqual(2);
      expect((await stage.firewall.dropped()).packets).toBeGreaterThanOrEqual(3);
      expect(await stage.bystander.reaches({ family })).toBe(true);
      await stage.firewall.allow([net(stage.attacker.host[own])]);
      expect(await stage.attacker.reaches({ family })).toBe(true);
      await nft('delete', 'table', 'inet', 'seen');
    });

    it('who is throttled gets through as often as the rate says, and the rest is dropped', async () => {
      const slow: Scope = { ...EVERYTHING, answer: { do: 'throttle', rate: { packets: 10, per: 'hour' } } };
      // So that no neighbour has to be looked for: that is ICMPv6, and would use up the limit.
      expect(await ask('udp', family)).toEqual({ answered: 1, refused: 0, silent: 0 });
      await apply(block(stage.attacker.host[own], soon(), { ...slow, protocol: 'udp' }));
      expect(await ask('udp', family, { many: 30 })).toEqual({ answered: 10, refused: 0, silent: 20 });
      expect(await stage.firewall.dropped()).toMatchObject({ packets: 20 });
      // Only what the ban is about uses up the limit, and only that is dropped.
      expect(await ask('tcp', family, { many: 5 })).toEqual({ answered: 5, refused: 0, silent: 0 });
      expect(await stage.bystander.reaches({ family, protocol: 'udp', port: 53 })).toBe(true);
      await apply(release(stage.attacker.host[own], { ...slow, protocol: 'udp' }));
      expect(await ask('udp', family, { many: 12 })).toEqual({ answered: 12, refused: 0, silent: 0 });
    });

    it('a limit on ports is used up by what goes to them', async () => {
      const rate = { packets: 4, per: 'hour' } as const;
      const slow: Scope = { protocol: 'any', ports: [53], answer: { do: 'throttle', rate } };
      await apply(block(stage.attacker.host[own], soon(), slow));
      expect(await ask('tcp', family, { many: 5 })).toEqual({ answered: 5, refused: 0, silent: 0 });
      expect(await ask('udp', family, { many: 10 })).toEqual({ answered: 4, refused: 0, silent: 6 });
    });

    it('the severest of several answers is what happens, and the next one when it is over', async () => {
      const address = stage.attacker.host[own];
      const around = net(`${address}/${family === 4 ? 24 : 64}`).text;
      await apply(block(address, soon(), SLOW), block(around, soon(), REJECT));
      expect(await ask('tcp', family)).toMatchObject({ answered: 0, refused: 1 });
      await apply(block(address, soon()));
      expect(await ask('tcp', family)).toEqual({ answered: 0, refused: 0, silent: 1 });
      await apply(release(address));
      expect(await ask('tcp', family)).toMatchObject({ answered: 0, refused: 1 });
      await apply(release(around, REJECT));
      expect(await ask('udp', family)).toMatchObject({ answered: 1 });
    });
  });

  it('each address has a limit of its own, and a network one for all of it', async () => {
    const slow: Scope = { ...EVERYTHING, answer: { do: 'throttle', rate: { packets: 3, per: 'hour' } } };
    const [one, two, three] = ['198.51.100.131', '198.51.100.132', '198.51.100.133'] as const;
    for (const address of [one, two, three]) await stage.attacker.host.addAddress(address);
    await apply(block(one, soon(), slow), block(two, soon(), slow));
    const from = async (address: string, many: number): Promise<number> =>
      (await ask('udp', 4, { many, from: [address] })).answered;
    expect(await from(one, 5)).toBe(3);
    expect(await from(two, 5)).toBe(3);
    expect(await from(three, 5)).toBe(5);
    await apply(release(one, slow), release(two, slow), block('198.51.100.0/24', soon(), slow));
    expect((await from(one, 2)) + (await from(two, 2)) + (await from(three, 2))).toBe(3);
  });

  it('a network that is banned shuts its neighbours out, those allowed aside', async () => {
    const [neighbour, friend, outside] = ['198.51.100.140', '198.51.100.141', '198.51.101.141'] as const;
    for (const address of [neighbour, friend, outside]) await stage.attacker.host.addAddress(address);
    await stage.firewall.allow([net(friend)]);
    await apply(block('198.51.100.0/24', soon(), REJECT));
    const tcp = (address: string) => ask('tcp', 4, { from: [address] });
    expect(await tcp(neighbour)).toMatchObject({ refused: 1 });
    expect(await tcp(friend)).toMatchObject({ answered: 1 });
    expect(await tcp(outside)).toMatchObject({ answered: 1 });
  });

  it('what rejects is put back where somebody took it out', async () => {
    await apply(block(stage.attacker.host.ipv4, soon(), REJECT));
    expect(await stage.firewall.isWhole()).toBe(true);
    const server = stage.server.host;
    if (kind === 'nftables')
      await server.runOk(program('nft'), ['flush', 'chain', 'inet', 'bailiff', 'refuse']);
    else await server.runOk(program('nft'), ['flush', 'chain', 'ip', 'filter', 'INPUT']);
    expect(await ask('tcp', 4)).toMatchObject({ answered: 1 });
    expect(await stage.firewall.isWhole()).toBe(false);
    expect([...(await stage.firewall.list())]).toEqual([]);
    await stage.firewall.prepare([]);
    await apply(block(stage.attacker.host.ipv4, soon(), REJECT));
    expect(await ask('tcp', 4)).toMatchObject({ refused: 1 });
    expect(summary(await stage.firewall.list(), stage.clock.now())).toEqual([
      `${stage.attacker.host.ipv4} any reject: 600`,
    ]);
    expect(await stage.firewall.isWhole()).toBe(true);
  });
});
