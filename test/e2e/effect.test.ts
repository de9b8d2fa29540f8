// Bans that have no effect are noticed, with the cause; bans that have one are not. Real nginx, real packets, real kernel.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
/** In a log whose writer's clock is a minute behind. */
const SLOW = '198.51.100.78';
/** The network of the client `allowed`. */
const HOLDING_AN_ALLOWED = '203.0.113.14/31';

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'curl',
)('a ban without effect', () => {
  let internet: Internet<'plain' | 'proxy' | 'blocked' | 'allowed'>;
  let nginx: Nginx;
  let daemon: Daemon;
  let folder: string;
  let slowLog: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-effect-'));
    internet = await createInternet('plain', 'proxy', 'blocked', 'allowed');
    const { server, clients } = internet;
    nginx = await startNginx(server, join(folder, 'nginx'), {
      server: `
        set_real_ip_from ${clients.proxy.ipv4};
        real_ip_header X-Forwarded-For;
        location = /api/login { return 401; }`,
    });
    slowLog = join(folder, 'slow.log');
    writeFileSync(slowLog, '');
    const jail = { filter: 'nginx-login', logs: [nginx.accessLog], maxRetry: 3, banTime: '1h' };
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      host: server,
      config: {
        allow: [clients.allowed.ipv4],
        jails: {
          tls: { ...jail, where: { path: '/api/login' }, ports: [443] },
          login: { ...jail, where: { path: '/login' } },
          slow: { ...jail, logs: [slowLog], where: { path: '/login' }, banTime: '20s' },
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
    request(from, `http://${internet.server.ipv4}${path}`, { method: 'POST', headers, patience: 800 });
  const blockedBan = (address: string) => daemon.ban(address, ({ state }) => state === 'blocked');
  const alarmOf = async (address: string): Promise<BanView['ineffective']> =>
    (await daemon.bans('?all=true')).find((ban) => ban.address === address && ban.ineffective)?.ineffective;

  /** One more request of everybody. Whoever gets no answer waits for it, and so sets the pace. */
  async function attack(): Promise<void> {
    const { plain, proxy, blocked, allowed } = internet.clients;
    appendFileSync(slowLog, lineOf(SLOW, Date.now() - 60_000));
    await Promise.all([
      guess(plain, '/api/login'),
      guess(proxy, '/login', { 'X-Forwarded-For': DISTANT }),
      guess(blocked, '/login'),
      guess(allowed, '/login'),
    ]);
  }

  test('is told with its cause; one that works is not told', { timeout: 120_000 }, async () => {
    const { plain, blocked } = internet.clients;
    // A connection of before the ban, which stays open at the server's end.
    const kept = await keepConnection(blocked, internet.server.ipv4);
    expect(await kept.get('/')).toMatchObject({ status: 200 });
    for (let i = 0; i < 3; i++) await attack();
    for (const address of [plain.ipv4, blocked.ipv4, DISTANT]) await blockedBan(address);
    expect(await daemon.verb('ban', HOLDING_AN_ALLOWED)).toMatchObject({ code: 0 });

    const told = await eventually(
      'each is told',
      async () => {
        await attack();
        const addresses = [plain.ipv4, DISTANT, HOLDING_AN_ALLOWED, SLOW];
        const alarms = await Promise.all(addresses.map(alarmOf));
        return alarms.every((alarm) => alarm !== undefined) && alarms;
      },
      90_000,
    );
    expect(told).toMatchObject([
      { cause: 'ports', seen: expect.stringMatching(/tcp 80, .* 443$/) },
      { cause: 'proxy' },
      { cause: 'allowed', seen: expect.stringContaining(internet.clients.allowed.ipv4) },
      { cause: 'clock', seen: expect.stringContaining('behind') },
    ]);
    expect((await blockedBan(blocked.ipv4)).ineffective).toBeUndefined();
    await kept.close();
  });

  test('is a fault, stands in the log, and with the ban', async () => {
    const { ipv4 } = internet.clients.plain;
    const { faults, health } = await daemon.status();
    expect(faults).toMatchObject([
      {
        code: 'E_BAN_INEFFECTIVE',
        message: expect.stringContaining('more bans have no effect'),
        hint: expect.any(String),
      },
    ]);
    expect(health!.ok).toBe(false);
    const history = await daemon.get<HistoryView>(`/v1/history?address=${ipv4}`);
    expect(history.bans[0]!.ineffective).toMatchObject({ cause: 'ports' });
    expect(history.bans[0]!.why).toContain('it has no effect');
    expect(daemon.output()).toContain('a ban has no effect');
  });

  test('is over with the ban, and the search leaves nothing in the kernel', async () => {
    const table = () => internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
    await eventually('the probe is gone', async () => !(await table()).includes('probe_'));
    // A ban that covers what it left open is another one: what was known against it is over.
    const file = join(folder, 'bailiff', 'jails.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('443', '80'));
    await eventually(
      'the alarm is over',
      async () => (await alarmOf(internet.clients.plain.ipv4)) === undefined,
    );
    expect(await daemon.verb('unban', '--all')).toMatchObject({ code: 0 });
    // The clock of the slow log is as wrong as before.
    await eventually('the fault is about it alone', async () => {
      const [fault] = (await daemon.status()).faults;
      return fault?.message.startsWith(`${SLOW} `) && !fault.message.includes('more bans');
    });
  });
});

function lineOf(address: string, at: number): string {
  const [, day, month, year, time] = /(\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(at).toUTCString())!;
  return `${address} - - [${day}/${month}/${year}:${time} +0000] "POST /login HTTP/1.1" 401 1 "-" "curl/8"\n`;
}
