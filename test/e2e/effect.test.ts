// Bans that have no effect are noticed, with the cause; bans that have one are not. Real nginx, real packets, real kernel.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BanView, HistoryView } from '../../src/api/contract.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { keepConnection, request } from '../support/http.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Client, Internet } from '../support/namespaces.ts';
import { startNginx } from '../support/nginx.ts';
import type { Nginx } from '../support/nginx.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

/** Behind the proxy: no packet of his ever comes to the server. */
const DISTANT = '198.51.100.77';

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'curl',
)('a ban without effect', () => {
  let internet: Internet<'plain' | 'proxy' | 'freed' | 'blocked' | 'allowed'>;
  let nginx: Nginx;
  let daemon: Daemon;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-effect-'));
    internet = await createInternet('plain', 'proxy', 'freed', 'blocked', 'allowed');
    const { server, clients } = internet;
    nginx = await startNginx(server, join(folder, 'nginx'), {
      server: `
        set_real_ip_from ${clients.proxy.ipv4};
        real_ip_header X-Forwarded-For;
        location = /api/login { return 401; }`,
    });
    const jail = { filter: 'nginx-login', logs: [nginx.accessLog], maxRetry: 3, banTime: '1h' };
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      host: server,
      config: {
        allow: [clients.allowed.ipv4],
        jails: {
          tls: { ...jail, where: { path: '/api/login' }, ports: [443] },
          login: { ...jail, where: { path: '/login' } },
        },
      },
    });
    await daemon.caughtUp();
    // In nftables another table's accept does not keep a later chain from dropping: this must be no cause of anything.
    await server.runOk(program('nft'), ['add table ip early']);
    await server.runOk(program('nft'), [
      'add chain ip early first { type filter hook prerouting priority -400; policy accept; }',
    ]);
    await server.runOk(program('nft'), ['add rule ip early first accept']);
  }, 60_000);

  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await nginx?.stop();
    await internet?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const guess = (from: Client, path: string, headers: Record<string, string> = {}) =>
    request(from, `http://${internet.server.ipv4}${path}`, { method: 'POST', headers, patience: 400 });

  async function guessUntilBanned(from: Client, path: string, address: string, headers = {}): Promise<BanView> {
    for (let i = 0; i < 3; i++) await guess(from, path, headers);
    return daemon.ban(address, ({ state }) => state === 'blocked');
  }

  const banOf = async (address: string): Promise<BanView | undefined> =>
    (await daemon.bans()).find((ban) => ban.address === address);

  /** Goes on attacking until the ban is known to have no effect. */
  const noticed = (address: string, attack: () => Promise<unknown>) =>
    eventually(
      `the ban of ${address} is known to have no effect`,
      async () => {
        await attack();
        return (await banOf(address))?.ineffective;
      },
      90_000,
    );

  test(
    'that covers other ports is told with the port that is used; one that works is not told',
    { timeout: 120_000 },
    async () => {
      const { plain, blocked } = internet.clients;
      // Connections of before the ban, of which one is in the middle of a request: nginx writes about it when it gives up.
      const kept = await keepConnection(blocked, internet.server.ipv4);
      expect(await kept.get('/')).toMatchObject({ status: 200 });
      await guessUntilBanned(blocked, '/login', blocked.ipv4);
      await guessUntilBanned(plain, '/api/login', plain.ipv4);
      const alarm = await noticed(plain.ipv4, async () => {
        await guess(blocked, '/login');
        await guess(plain, '/api/login');
      });
      expect(alarm).toMatchObject({ cause: 'ports', seen: expect.stringContaining('tcp 80') });
      expect(alarm!.seen).toContain('443');
      expect((await banOf(blocked.ipv4))?.ineffective).toBeUndefined();
      await kept.close();

      const { faults, health } = await daemon.status();
      expect(faults).toMatchObject([
        { code: 'E_BAN_INEFFECTIVE', message: expect.stringContaining(plain.ipv4), hint: expect.any(String) },
      ]);
      expect(health!.ok).toBe(false);
      const history = await daemon.get<HistoryView>(`/v1/history?address=${plain.ipv4}`);
      expect(history.bans[0]!.ineffective).toMatchObject({ cause: 'ports' });
      expect((await daemon.verb('history', plain.ipv4)).stdout).toContain('ineffective\t');
      expect((await daemon.verb('bans')).stdout).toContain('it has no effect');
      expect(daemon.output()).toContain('a ban has no effect');
    },
  );

  test('through a proxy is told as that', { timeout: 120_000 }, async () => {
    const { proxy } = internet.clients;
    const through = () => guess(proxy, '/login', { 'X-Forwarded-For': DISTANT });
    for (let i = 0; i < 3; i++) await through();
    await daemon.ban(DISTANT, ({ state }) => state === 'blocked');
    expect(await noticed(DISTANT, through)).toMatchObject({ cause: 'proxy' });
  });

  test('that somebody took out of the kernel is told, and put back', { timeout: 120_000 }, async () => {
    const { server, clients } = internet;
    await guessUntilBanned(clients.freed, '/login', clients.freed.ipv4);
    const free = () =>
      server.run(program('nft'), ['delete', 'element', 'inet', 'bailiff', 'ban4_32_any', `{ ${clients.freed.ipv4} }`]);
    const alarm = await noticed(clients.freed.ipv4, async () => {
      await free();
      await guess(clients.freed, '/login');
    });
    expect(alarm).toMatchObject({ cause: 'not-in-kernel' });
    await eventually('it is blocked again', async () => (await guess(clients.freed, '/')).outcome === 'silence');
  });

  test('on a network that holds an allowed address is told as that', { timeout: 120_000 }, async () => {
    const { allowed } = internet.clients;
    const network = '203.0.113.15/32';
    expect(allowed.ipv4).toBe('203.0.113.15');
    expect(await daemon.verb('ban', network.replace('15/32', '14/31'))).toMatchObject({ code: 0 });
    const alarm = await noticed('203.0.113.14/31', () => guess(allowed, '/login'));
    expect(alarm).toMatchObject({ cause: 'allowed', seen: expect.stringContaining(allowed.ipv4) });
  });

  test('leaves nothing of the search in the kernel, and ends when the ban does', async () => {
    const left = async () =>
      (await internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff'])).includes('probe_');
    await eventually('the probe is gone', async () => !(await left()));
    expect(await daemon.verb('unban', '--all')).toMatchObject({ code: 0 });
    await eventually('the fault is gone', async () => (await daemon.status()).faults.length === 0);
  });
});
