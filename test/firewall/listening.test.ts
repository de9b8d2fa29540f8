// What is heard of others' doings in a real kernel: by nft-listen.pl as by `nft monitor`, which stands in where there is no perl.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import { followAnnouncements } from '../../src/daemon/kernel/announcements.ts';
import type { Notice } from '../../src/firewall/contract.ts';
import { createMonitor, readElements } from '../../src/firewall/nft-monitor.ts';
import type { Cancel, Exec } from '../../src/ports.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';
import type { World } from './conformance.ts';
import { onThisKernel } from './worlds.ts';

const ALLOWED = ['192.0.2.1', '2001:db8:1::1'].map((text) => parseNetwork(text)!.network);
/** What nft is called when it makes what follows. */
const NEXT = 'nft-next';
/** More than the kernel keeps for a program that doesn't read. */
const FLOOD = { elements: 60_000, rounds: 6 };

const addresses = (many: number): string =>
  Array.from({ length: many }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).join(',');

needs('root', 'ip', 'nft', 'iptables', 'perl').each([
  { by: 'nft-listen.pl', index: 0 },
  { by: 'nft monitor', index: 1 },
])('by $by', ({ index }) => {
  let world: World;
  let stop: Cancel;
  let pid: number;
  let notices: Notice[];
  let lines: string[];
  let folder: TemporaryFolder;

  beforeEach(async () => {
    world = await onThisKernel('nftables');
    folder = temporaryFolder('listening');
    symlinkSync(program('nft'), join(folder.path, NEXT));
    [notices, lines] = [[], []];
  });
  afterEach(async () => {
    stop();
    await world.remove();
    folder.remove();
  });

  const nft = async (script: string, file = program('nft')): Promise<void> => {
    const ran = await world.ports.exec.run({ file, args: ['-f', '-'], input: script, timeout: 30_000 });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  };

  const listen = (...tables: string[]): Promise<void> => listenAs(() => false, tables);

  async function listenAs(isOurs: (pid: number) => boolean, tables: string[]): Promise<void> {
    const monitor = createMonitor({
      tables,
      isOurs,
      read: (elements) => readElements(elements, undefined, ALLOWED),
    });
    const watched: Exec = {
      ...world.ports.exec,
      spawn(file, args, reads) {
        const child = world.ports.exec.spawn(file, args, reads);
        pid = child!.pid;
        return child;
      },
    };
    let hears = false;
    const announcer = { programs: [monitor.programs[index]!], protocol: 12 } as const;
    stop = followAnnouncements(announcer, watched, world.ports.clock, {
      open() {
        const take = monitor.open((notice) => void notices.push(notice));
        return (line) => {
          lines.push(line);
          return take(line);
        };
      },
      following: () => (hears = true),
      lost: (why) => expect.fail(why),
    });
    await eventually('it listens', () => hears);
  }

  /**
   * What is told of one transaction. Another one that is always told follows it, so that nothing told is known as well; it is
   * known by its program's name.
   */
  async function told(script: string): Promise<object[]> {
    notices.length = 0;
    await nft(script);
    await nft('add chain inet bailiff sentinel; delete chain inet bailiff sentinel', join(folder.path, NEXT));
    await eventually('the next one is told', () => notices.at(-1)?.by === NEXT);
    return notices.slice(0, -1).map(({ structure, unsure, released, by }) => ({
      ...(structure ? { structure } : {}),
      ...(unsure ? { unsure } : {}),
      ...(released.length > 0 ? { released: released.map(({ network }) => network.text) } : {}),
      by,
    }));
  }

  it('who was released is told, and what bans stand on; bans, and what is done to other tables, are not', async () => {
    await nft('add table inet bailiff');
    await listen('inet bailiff');
    const set = (name: string, type: string) =>
      `add set inet bailiff ${name} { type ${type}; flags timeout; };`;
    expect(
      await told(
        set('ban4_32_any', 'ipv4_addr') + set('ban4_24_any', 'ipv4_addr') + set('ban6_64_any', 'ipv6_addr'),
      ),
    ).toEqual([{ structure: true, by: 'nft' }]);
    expect(
      await told('add element inet bailiff ban4_32_any { 198.51.100.7 timeout 1h, 198.51.100.8 }'),
    ).toEqual([]);
    await nft('add element inet bailiff ban4_24_any { 203.0.113.0 timeout 1h }');
    await nft('add element inet bailiff ban6_64_any { 2001:db8:7:: timeout 1h, 2001:db8:8:: }');
    expect(await told('delete element inet bailiff ban4_32_any { 198.51.100.7, 198.51.100.8 }')).toEqual([
      { released: ['198.51.100.7', '198.51.100.8'], by: 'nft' },
    ]);
    expect(
      await told(
        'delete element inet bailiff ban4_24_any { 203.0.113.0 }; delete element inet bailiff ban6_64_any { 2001:db8:7:: }',
      ),
    ).toEqual([{ released: ['203.0.113.0/24', '2001:db8:7::/64'], by: 'nft' }]);
    // Its end is set anew.
    expect(
      await told(
        'delete element inet bailiff ban6_64_any { 2001:db8:8:: }; add element inet bailiff ban6_64_any { 2001:db8:8:: timeout 2h }',
      ),
    ).toEqual([]);
    expect(await told('flush set inet bailiff ban6_64_any')).toEqual([
      { released: ['2001:db8:8::/64'], by: 'nft' },
    ]);

    await told(
      'add set inet bailiff allow4_32 { type ipv4_addr; }; add set inet bailiff allow6_128 { type ipv6_addr; }',
    );
    expect(await told('add element inet bailiff allow4_32 { 192.0.2.1 }')).toEqual([]);
    expect(await told('add element inet bailiff allow6_128 { 2001:db8:1::1 }')).toEqual([]);
    expect(await told('add element inet bailiff allow6_128 { 2001:db8:1::2 }')).toEqual([
      { unsure: true, by: 'nft' },
    ]);
    expect(await told('delete element inet bailiff allow4_32 { 192.0.2.1 }')).toEqual([
      { unsure: true, by: 'nft' },
    ]);

    const strange = 'add table inet other; add set inet other ban4_32_any { type ipv4_addr; };';
    expect(await told(`${strange} add element inet other ban4_32_any { 192.0.2.9 }`)).toEqual([]);
    expect(
      await told('delete element inet other ban4_32_any { 192.0.2.9 }; delete table inet other'),
    ).toEqual([]);
    expect(await told('add table ip bailiff; delete table ip bailiff')).toEqual([]);
    expect(await told('add chain inet bailiff prerouting')).toEqual([{ structure: true, by: 'nft' }]);
    expect(await told('add rule inet bailiff prerouting accept')).toEqual([{ structure: true, by: 'nft' }]);
    expect(await told('flush chain inet bailiff prerouting')).toEqual([{ structure: true, by: 'nft' }]);
    expect(await told('flush ruleset; add table inet bailiff')).toEqual([{ structure: true, by: 'nft' }]);
  });

  it('of more than are put back one by one it is told that a listing is needed', async () => {
    await nft('add table inet bailiff; add set inet bailiff ban4_32_any { type ipv4_addr; }');
    const many = addresses(25_000);
    await nft(`add element inet bailiff ban4_32_any { ${many} }`);
    await listen('inet bailiff');
    expect(await told('flush set inet bailiff ban4_32_any')).toMatchObject([{ unsure: true, by: 'nft' }]);
    if (index === 0) expect(lines.length).toBeLessThan(20_100);
    await told(`add element inet bailiff ban4_32_any { ${many} }`);
    expect(await told('delete element inet bailiff ban4_32_any { 10.0.0.7 }')).toEqual([
      { released: ['10.0.0.7'], by: 'nft' },
    ]);
  });

  it('nothing is told of what is our own doing, however much it is', async () => {
    await nft('add table inet bailiff; add set inet bailiff allow4_32 { type ipv4_addr; }');
    const many = addresses(15_000);
    await nft(`add element inet bailiff allow4_32 { ${many} }`);
    await listenAs(() => true, ['inet bailiff']);
    await nft(`flush set inet bailiff allow4_32; add element inet bailiff allow4_32 { ${many} }`);
    await nft('add table inet other');
    await eventually('it was heard', () => lines.filter((line) => line.startsWith('# new')).length > 0);
    expect(notices).toEqual([]);
  });

  it('what a rule lists, and keys that are no addresses, need no listing', async () => {
    await nft(
      'add table inet bailiff; add chain inet bailiff c; add set inet bailiff odd { type inet_service; }',
    );
    await listen('inet bailiff');
    expect(
      await told('add rule inet bailiff c meta l4proto { tcp, udp } th dport { 22, 80 } accept'),
    ).toEqual([{ structure: true, by: 'nft' }]);
    expect(await told('add element inet bailiff odd { 23 }')).toEqual([]);
    expect(await told('delete element inet bailiff odd { 23 }')).toEqual([]);
  });

  it("what is done to iptables' tables", async () => {
    const { exec } = world.ports;
    await nft('add table inet bailiff');
    await listen('ip raw', 'ip6 raw', 'inet bailiff');
    for (const args of [
      ['-A', 'PREROUTING', '-j', 'ACCEPT'],
      ['-F', 'PREROUTING'],
    ]) {
      notices.length = 0;
      const ran = await exec.run({
        file: '/usr/sbin/iptables-nft',
        args: ['-t', 'raw', ...args],
        timeout: 10_000,
      });
      expect(ran.code).toBe(0);
      await eventually('it is told', () => notices.length > 0);
      expect(notices[0]).toMatchObject({ structure: true, by: expect.stringContaining('iptables') });
    }
  });

  // What comes then `nft monitor` doesn't hear, until it has read all that was kept for it.
  if (index === 0)
    it('what the kernel had no room for is told to be lost, and what comes then is heard', async () => {
      const flood = `flush set inet bailiff ban4_32_any\nadd element inet bailiff ban4_32_any { ${addresses(FLOOD.elements)} }\n`;
      await nft('add table inet bailiff; add set inet bailiff ban4_32_any { type ipv4_addr; }');
      await listen('inet bailiff');
      process.kill(pid, 'SIGSTOP');
      for (let round = 0; round < FLOOD.rounds; round++) await nft(flood);
      process.kill(pid, 'SIGCONT');
      await eventually('it is told', () => notices.some(({ structure, unsure }) => structure && unsure));
      expect(lines.length).toBeLessThan(FLOOD.elements * FLOOD.rounds);
      expect(await told('delete element inet bailiff ban4_32_any { 10.0.0.7 }')).toContainEqual({
        released: ['10.0.0.7'],
        by: 'nft',
      });
    });
});
