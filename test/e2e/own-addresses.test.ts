// The host's own addresses in a namespace: an address that comes is protected because the kernel announced it. No clock
// is moved, and the poll that backs the announcements up is ten minutes away.
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Internet } from '../support/namespaces.ts';
import { needs, program } from '../support/programs.ts';
import { eventually, runOk } from '../support/run.ts';
import type { Ran } from '../support/run.ts';

needs(
  'root',
  'ip',
  'nft',
  'setpriv',
)("the host's own addresses", () => {
  let folder: string;
  let internet: Internet<'attacker'>;
  let daemon: Daemon;
  const log = (): string => join(folder, 'access.log');

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-own-'));
    writeFileSync(log(), '');
    internet = await createInternet('attacker');
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
    await internet?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      host: internet.server,
      config: { jails: { login: { filter: 'nginx-login', logs: [log()], maxRetry: 2 } } },
    });
  }
  const said = (message: string): number => daemon.output().split(message).length - 1;
  const follows = (times = 1): Promise<true> =>
    eventually('the announcements are heard', () => said("following this host's addresses") >= times && true);
  const inServer = (command: string): Promise<string> =>
    runOk(program('ip'), ['-n', internet.server.namespace, ...command.split(' ')]);
  const codes = async (): Promise<string[]> => (await daemon.status()).faults.map(({ code }) => code);

  async function fail(address: string): Promise<void> {
    const now = new Date().toUTCString();
    const stamp = `${now.slice(5, 7)}/${now.slice(8, 11)}/${now.slice(12, 16)}:${now.slice(17, 25)} +0000`;
    appendFileSync(log(), `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`.repeat(2));
    await daemon.caughtUp();
  }
  /** Waits until the daemon says that an address of the host came or went. */
  const announced = (what: 'came' | 'went', address: string): Promise<unknown> =>
    eventually(`${address} ${what}`, () => changes().find((change) => change[what].includes(address)));
  const changes = (): { came: string[]; went: string[] }[] =>
    daemon
      .output()
      .split('\n')
      .filter((line) => line.includes("this host's addresses have changed"))
      .map((line) => JSON.parse(line) as { came: string[]; went: string[] });
  const ban = (address: string, ...more: string[]): Promise<Ran> =>
    daemon.verb('--json', 'ban', address, ...more);
  const banned = async (): Promise<string[]> => (await daemon.bans()).map(({ address }) => address);
  const inKernel = (): Promise<string> =>
    internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
  /** The pid of the daemon's child that listens to addresses; another one listens to the firewall. */
  function monitor(): number | undefined {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      try {
        const isOurs =
          readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[1] === `${daemon.pid}`;
        if (isOurs && /ip\0(?:.*\0)?monitor\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1')))
          return Number(pid);
      } catch {
        continue; // It has ended meanwhile.
      }
    return undefined;
  }

  test('an address that comes is protected, and one that went is not any more', async () => {
    await start();
    await follows();
    await inServer('address add 198.51.100.77/32 dev wire0');
    await inServer('-6 address add 2001:db8:99::77/64 dev wire0 nodad');
    await announced('came', '198.51.100.77');
    await announced('came', '2001:db8:99::77');
    for (const own of ['198.51.100.77', '2001:db8:99::77']) {
      await fail(own);
      const { code, stdout } = await ban(own);
      expect(code).toBe(1);
      expect(stdout).toContain(`${own} is an address of this host`);
    }
    // Beside an address of ours nobody is banned by his /64.
    await fail('2001:db8:99::666');
    expect(await banned()).toEqual(['2001:db8:99::666']);
    expect((await daemon.status()).jails[0]).toMatchObject({ matches: 6, ignored: 4 });
    await inServer('address del 198.51.100.77/32 dev wire0');
    await announced('went', '198.51.100.77');
    expect((await ban('198.51.100.77')).code).toBe(0);
  });

  test('a new default gateway is protected', async () => {
    const { ipv4 } = internet.clients.attacker;
    await start();
    await follows();
    await inServer(`route add default via ${ipv4} dev wire0`);
    await announced('came', ipv4);
    expect((await ban(ipv4)).stdout).toContain(`${ipv4} is the default gateway`);
  });

  test("a jail's ban on an address that becomes our own ends; an administrator's stays", async () => {
    await start();
    await follows();
    await fail('198.51.100.77');
    await fail('2001:db8:99::666');
    await ban('198.51.100.78');
    expect(await banned()).toEqual(['198.51.100.77', '2001:db8:99::/64', '198.51.100.78']);
    await inServer('address add 198.51.100.77/32 dev wire0');
    await inServer('address add 198.51.100.78/32 dev wire0');
    await inServer('-6 address add 2001:db8:99::77/64 dev wire0 nodad');
    await eventually("the jail's bans have ended", async () => (await banned()).length === 1);
    expect(await daemon.bans('?all=true')).toMatchObject([
      { address: '198.51.100.77', state: 'ended', endedBy: 'protected' },
      { address: '2001:db8:99::/64', state: 'ended', endedBy: 'protected' },
      { address: '198.51.100.78', state: 'blocked' },
    ]);
    const table = await eventually('the kernel was told', async () => {
      const now = await inKernel();
      return !now.includes('2001:db8:99::') && now;
    });
    expect(table).toContain('198.51.100.78');
    expect(table).not.toContain('198.51.100.77');
  });

  test('a child that dies is a fault until the next one listens, and what it missed is seen', async () => {
    await start();
    await follows();
    const first = monitor()!;
    process.kill(first, 'SIGKILL');
    await eventually('its death is told', () => said("this host's addresses are polled") > 0);
    await inServer('address add 198.51.100.77/32 dev wire0');
    await follows(2);
    expect(await codes()).toEqual([]);
    await announced('came', '198.51.100.77');
    expect(monitor()).not.toBe(first);
  });

  test('a daemon that is killed leaves no child behind', async () => {
    await start();
    await follows();
    const child = monitor()!;
    await daemon.end('SIGKILL');
    await eventually('it has ended', () => !existsSync(`/proc/${child}`));
  });
});
