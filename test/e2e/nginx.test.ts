// From a wrong password typed at a real nginx to packets that the real kernel drops.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchDaemon, startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { keepConnection, request } from '../support/http.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Client, Host, Internet } from '../support/namespaces.ts';
import { GOOD_LOGIN, startNginx } from '../support/nginx.ts';
import type { Nginx } from '../support/nginx.ts';
import { needs } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

/** Long enough for what is tested while a first ban stands, short enough to wait for its end. */
const FIRST_SECONDS = 6;

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'curl',
)('a host under Bailiff', () => {
  let internet: Internet<'attacker' | 'bystander'>;
  let server: Host;
  let nginx: Nginx;
  let daemon: Daemon;
  let folder: string;

  const config = () => ({
    defaults: { banTime: { first: `${FIRST_SECONDS}s`, factor: 100, max: '1w' } },
    jails: { login: { filter: 'nginx-login', logs: [nginx.accessLog], maxRetry: 5, findTime: '15m' } },
  });
  const options = () => ({ folder: join(folder, 'bailiff'), host: server });
  const url = (six: boolean, path = '/') => `http://${six ? `[${server.ipv6}]` : server.ipv4}${path}`;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-e2e-'));
    internet = await createInternet('attacker', 'bystander');
    server = internet.server;
    nginx = await startNginx(server, join(folder, 'nginx'));
    daemon = await startDaemon({ ...options(), config: config() });
  }, 60_000);

  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await nginx?.stop();
    await internet?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function guess(host: Client, six: boolean, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const answer = await request(host, url(six, '/login'), { method: 'POST', login: `root:${i}` });
      expect(answer).toMatchObject({ outcome: 'answered', status: 401 });
    }
  }
  const isServed = async (host: Client, six: boolean): Promise<boolean> =>
    (await request(host, url(six), { patience: 1_500 })).outcome === 'answered';

  test.each([
    ['IPv4', false],
    ['IPv6', true],
  ])(
    'over %s: five wrong passwords, and the sixth request does not reach nginx',
    { timeout: 120_000 },
    async (_name, six) => {
      const { attacker, bystander } = internet.clients;
      const address = six ? `${attacker.ipv6.replace(/::.*/, '')}::/64` : attacker.ipv4;
      const kept = await keepConnection(attacker, six ? server.ipv6 : server.ipv4);
      expect(await kept.get('/')).toMatchObject({ status: 200 });

      await guess(attacker, six, 4);
      expect((await daemon.caughtUp()).jails[0]!.offenders).toBeGreaterThan(0);
      expect((await daemon.bans()).map((ban) => ban.address)).not.toContain(address);
      await guess(attacker, six, 1);
      const first = await daemon.ban(address, (ban) => ban.state === 'blocked');
      expect(first).toMatchObject({ jail: 'login', nth: 1, by: 'jail' });

      const dropped = (await daemon.status()).firewall.dropped!.packets;
      expect(await request(attacker, url(six), { patience: 1_500 })).toEqual({ outcome: 'silence' });
      // A connection that was open before the ban is cut as well.
      expect(await kept.get('/', 1_000)).toEqual({ outcome: 'silence' });
      await kept.close();
      expect((await daemon.status()).firewall.dropped!.packets).toBeGreaterThan(dropped);
      expect(await isServed(bystander, six)).toBe(true);
      expect(
        await request(bystander, url(six, '/login'), { method: 'POST', login: GOOD_LOGIN }),
      ).toMatchObject({
        status: 200,
      });

      // Stop and start in between: nothing changes, and the kernel is never empty.
      expect(await daemon.end()).toBe(0);
      const left = await server.runOk('/usr/sbin/nft', ['list', 'table', 'inet', 'bailiff']);
      expect(left).not.toContain('owner_');
      expect(await isServed(attacker, six)).toBe(false);
      daemon = await startDaemon(options());
      expect(await isServed(bystander, six)).toBe(true);

      // The sentence ends by itself, `first` after the deciding line.
      await daemon.ban(address, (ban) => ban.state === 'ended' && ban.nth === 1);
      await eventually('the attacker is served again', () => isServed(attacker, six));

      // The second offence lasts longer, and is lifted by hand.
      await guess(attacker, six, 5);
      const second = await daemon.ban(address, (ban) => ban.nth === 2 && ban.state === 'blocked');
      expect(Date.parse(second.until!) - Date.parse(second.since)).toBe(FIRST_SECONDS * 100 * 1_000);
      expect(await isServed(attacker, six)).toBe(false);
      const lifted = await daemon.verb('unban', six ? attacker.ipv6 : attacker.ipv4);
      expect(lifted).toMatchObject({ code: 0 });
      expect(await isServed(attacker, six)).toBe(true);
    },
  );

  test(
    'teardown leaves the host as it was found, and arm puts the bans back',
    { timeout: 60_000 },
    async () => {
      const { attacker } = internet.clients;
      expect(await daemon.verb('ban', attacker.ipv4, '--for', '1h')).toMatchObject({ code: 0 });
      expect(await isServed(attacker, false)).toBe(false);
      expect(await daemon.verb('teardown')).toMatchObject({ code: 0 });
      expect(await isServed(attacker, false)).toBe(true);
      expect((await server.run('/usr/sbin/nft', ['list', 'tables'])).stdout).toBe('');
      expect((await daemon.status()).mode).toBe('stood-down');
      expect(await daemon.verb('arm')).toMatchObject({ code: 0 });
      expect(await isServed(attacker, false)).toBe(false);
      expect(await daemon.verb('unban', '--all')).toMatchObject({ code: 0 });
    },
  );

  test(
    'a second daemon in the same network namespace ends, and disturbs nothing',
    { timeout: 60_000 },
    async () => {
      const { attacker } = internet.clients;
      expect(await daemon.verb('ban', attacker.ipv4, '--for', '1h')).toMatchObject({ code: 0 });
      const second = launchDaemon({ folder: join(folder, 'second'), host: server, config: {} });
      expect(await second.ended).toEqual({ code: 75, signal: undefined });
      expect(second.output()).toContain(`pid ${daemon.pid}`);
      expect(await isServed(attacker, false)).toBe(false);
      // The mark of one that was killed is no hindrance.
      await daemon.end('SIGKILL');
      daemon = await startDaemon(options());
      expect(await isServed(attacker, false)).toBe(false);
      expect(await daemon.verb('unban', '--all')).toMatchObject({ code: 0 });
    },
  );

  test(
    "the host's own addresses and its gateway are refused, unless someone insists",
    { timeout: 60_000 },
    async () => {
      for (const address of ['127.0.0.1', '::1', server.ipv4, server.ipv6]) {
        const refused = await daemon.verb('--json', 'ban', address);
        expect(refused.code).toBe(1);
        expect(JSON.parse(refused.stdout)).toEqual([
          { address, outcome: 'refused', why: expect.stringContaining('--force') },
        ]);
      }
      const forced = await daemon.verb('--json', 'ban', server.ipv4, '--force', '--for', '1m');
      expect(JSON.parse(forced.stdout)).toMatchObject([{ outcome: 'banned' }]);
      expect(await daemon.verb('unban', server.ipv4)).toMatchObject({ code: 0 });
    },
  );
});
