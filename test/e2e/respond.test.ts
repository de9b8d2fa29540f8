// What a jail's `respond` comes to: a real daemon, real logs, real packets.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HistoryView } from '../../src/api/contract.ts';
import { createNetwork, type Network } from '../firewall/network.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { needs, program } from '../support/programs.ts';

const PROGRAM = fileURLToPath(new URL('../firewall/outcome.ts', import.meta.url));
const SLOW = { do: 'throttle', rate: '10/1h' };
const ALL = { protocol: 'any', ports: [] };

needs('root', 'ip', 'nft')('respond', { timeout: 180_000 }, () => {
  let network: Network;
  let folder: string;
  let log: string;
  let daemon: Daemon;
  let attacker: Network['attacker'];

  beforeEach(async () => {
    network = await createNetwork();
    ({ attacker } = network);
    folder = mkdtempSync(join(tmpdir(), 'bailiff-respond-'));
    mkdirSync(join(folder, 'logs'));
    log = join(folder, 'logs', 'access.log');
    writeFileSync(log, '');
  });
  afterEach(async () => {
    await daemon.end('SIGKILL');
    await network.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const configOf = (respond: unknown, jail: object = {}, more: object = {}) => ({
    ...more,
    jails: { login: { filter: 'nginx-login', logs: [log], maxRetry: 3, respond, ...jail } },
  });
  const start = async (config: object): Promise<void> => {
    const host = network.server.host;
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      config,
      host,
      args: ['--firewall', 'nftables'],
    });
  };
  const reload = async (config: object): Promise<void> => {
    writeFileSync(join(folder, 'bailiff', 'jails.json'), JSON.stringify(config));
    expect((await daemon.verb('reload')).code).toBe(0);
  };
  const attack = async (...addresses: string[]): Promise<void> => {
    const stamp = new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (.*) GMT$/, '$1/$2/$3:$4 +0000');
    for (const address of addresses)
      appendFileSync(log, `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "x"\n`.repeat(3));
    await daemon.caughtUp();
  };
  const ask = async (protocol: 'tcp' | 'udp', many = 1, ...from: string[]) => {
    const port = protocol === 'udp' ? '53' : '80';
    const args = [PROGRAM, protocol, network.server.host.ipv4, port, String(many), ...from];
    return JSON.parse(await attacker.host.runOk(process.execPath, args)) as Record<string, number>;
  };
  const nextOf = async (address: string) =>
    (await daemon.get<HistoryView>(`/v1/history?address=${address}`)).next[0]!;
  const sets = async (): Promise<string[]> => {
    const ruleset = await network.server.host.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
    return [...ruleset.matchAll(/@(ban\w+)/g)].map((found) => found[1]!);
  };

  it('goes from step to step, before the first is over, and over kills and reloads', async () => {
    const address = attacker.host.ipv4;
    await start(configOf([SLOW, 'reject', { ports: 'all', for: 'forever' }], { ports: [53, 80] }));
    expect(await nextOf(address)).toMatchObject({
      nth: 1,
      answer: { ...SLOW, protocol: 'any', ports: [53, 80] },
    });
    await attack(address);
    const slow = await daemon.ban(address, ({ state }) => state === 'blocked');
    expect(slow).toMatchObject({ nth: 1, answer: { ...SLOW, protocol: 'any', ports: [53, 80] } });
    expect((await daemon.verb('bans')).stdout).toContain('blocked (throttle 10/1h)');
    expect(await ask('udp', 30)).toEqual({ answered: 10, refused: 0, silent: 20 });

    await attack(address);
    const refused = await daemon.ban(address, ({ nth, state }) => nth === 2 && state === 'blocked');
    expect(refused.answer).toEqual({ do: 'reject', protocol: 'any', ports: [53, 80] });
    expect(await ask('tcp')).toEqual({ answered: 0, refused: 1, silent: 0 });
    expect(await nextOf(address)).toMatchObject({ nth: 3, for: null, answer: { do: 'drop', ...ALL } });

    await daemon.end('SIGKILL');
    expect(await ask('tcp')).toMatchObject({ refused: 1 });
    await network.server.host.runOk(program('nft'), ['delete', 'table', 'inet', 'bailiff']);
    await start(configOf([SLOW, 'reject', { ports: 'all', for: 'forever' }], { ports: [53, 80] }));
    expect(await daemon.ban(address, ({ endedBy }) => endedBy === undefined)).toEqual({
      ...refused,
      state: 'blocked',
    });
    expect(await ask('tcp')).toMatchObject({ refused: 1 });
    expect((await ask('udp', 5)).answered).toBe(0);
    expect(await sets()).toEqual(['ban4_32_reject_any_53_80']);

    // What becomes of the traffic follows the config; what it was decided to be holds where the jail is gone.
    await reload(configOf('drop'));
    expect(await ask('tcp')).toEqual({ answered: 0, refused: 0, silent: 1 });
    await reload({ jails: {} });
    expect(await ask('tcp')).toMatchObject({ refused: 1 });
    expect((await daemon.verb('unban', address)).code).toBe(0);
    expect(await ask('tcp')).toMatchObject({ answered: 1 });
  });

  it('who is throttled can be banned by hand, and is shut out; replay, explain and check tell what would be', async () => {
    const address = attacker.host.ipv4;
    await start(configOf([SLOW, 'reject', { wider: { ipv4: 24 }, for: 'forever' }]));
    await attack(address);
    expect(await ask('tcp')).toMatchObject({ answered: 1 });
    const { stdout } = await daemon.verb('--json', 'ban', address, '--jail', 'login', '--for', '1m');
    expect(JSON.parse(stdout)).toEqual([{ address, outcome: 'banned' }]);
    expect(await ask('tcp')).toMatchObject({ silent: 1 });
    expect((await daemon.bans())[0]).toMatchObject({ by: 'admin', answer: { do: 'drop', ...ALL } });

    await attack('192.0.2.7', '192.0.2.7');
    const replayed = JSON.parse((await daemon.verb('--json', 'replay', log)).stdout);
    expect(replayed.bans).toMatchObject([
      { nth: 1, answer: 'throttle 10/1h' },
      { address: '192.0.2.7', nth: 1, answer: 'throttle 10/1h' },
      { address: '192.0.2.7', nth: 2, answer: 'reject' },
    ]);
    expect((await daemon.verb('replay', log)).stdout).toContain('throttle 10/1h');
    expect((await daemon.verb('check')).stdout).toContain(
      'login: lines are read as combined; bans throttle 10/1h, then reject, then drop for good, with its /24 from 8 on; ',
    );
    const line = '192.0.2.9 - - [26/Nov/2026:10:00:00 +0000] "POST /login HTTP/1.1" 401 12 "-" "x"';
    expect((await daemon.verb('explain', line)).stdout).toContain(
      'number 3 within 10m bans (throttle 10/1h)',
    );
  });

  it('bans the network around three offenders, but not while it holds somebody who must be spared', async () => {
    const [friend, neighbour] = ['198.51.100.141', '198.51.100.142'];
    for (const address of [friend, neighbour]) await attacker.host.addAddress(address);
    const steps = [{ wider: { ipv4: 24, when: 3 } }];
    const around = '198.51.100.0/24';
    await start(configOf(steps, {}, { allow: [friend] }));
    await attack('198.51.100.1', '198.51.100.2', '198.51.100.3');
    const spared = `${friend} is allowed by "${friend}"`;
    const third = await daemon.ban('198.51.100.3');
    expect(third.reason).toContain(`3 of ${around} are banned, but not all of it: ${spared}`);
    const wider = { network: around, offenders: 4, when: 3, spared };
    expect(await nextOf('198.51.100.4')).toMatchObject({ wider });
    expect((await daemon.verb('history', '198.51.100.4')).stdout).not.toContain('undefined');
    expect(await ask('tcp', 1, neighbour)).toMatchObject({ answered: 1 });

    await reload(configOf(steps));
    await attack('198.51.100.4');
    const whole = await daemon.ban(around, ({ state }) => state === 'blocked');
    expect(whole).toMatchObject({ by: 'jail', nth: 1 });
    expect(whole.reason).toContain(`4 of ${around} are banned: all of it is`);
    expect(await ask('tcp', 1, neighbour)).toMatchObject({ silent: 1 });
    expect(await network.bystander.reaches()).toBe(true);

    // Who must be spared from now on ends it; those banned one by one stay so.
    await reload(configOf(steps, { ignore: [neighbour] }));
    expect(await ask('tcp', 1, neighbour)).toMatchObject({ answered: 1 });
    expect((await daemon.bans()).map(({ address }) => address)).toEqual([
      '198.51.100.1',
      '198.51.100.2',
      '198.51.100.3',
    ]);
  });
});
