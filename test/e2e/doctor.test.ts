// `bailiff doctor` on a host in a namespace: well, with a daemon and without; and with everything wrong at once.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DoctorFinding, DoctorView } from '../../src/api/contract.ts';
import { BAILIFF } from '../support/built.ts';
import { startDaemon } from '../support/daemon.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Host, Internet } from '../support/namespaces.ts';
import { startNginx } from '../support/nginx.ts';
import type { Nginx } from '../support/nginx.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'setpriv',
  'nsenter',
)('doctor', { timeout: 120_000 }, () => {
  let internet: Internet<'attacker'>;
  let server: Host;
  let nginx: Nginx;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-doctor-'));
    internet = await createInternet('attacker');
    server = internet.server;
    nginx = await startNginx(server, join(folder, 'nginx'));
  }, 60_000);
  afterAll(async () => {
    await nginx?.stop();
    await internet?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const home = () => join(folder, 'bailiff');
  const nft = (...args: string[]) => server.runOk(program('nft'), args);
  const login = () => ({ filter: 'nginx-login', logs: [nginx.accessLog], ports: [80] });

  function write(config: object): void {
    mkdirSync(home(), { recursive: true });
    writeFileSync(join(home(), 'jails.json'), JSON.stringify(config), { mode: 0o644 });
  }

  const doctor = (...before: string[]) => doctorOf(server, ...before);

  async function doctorOf(
    host: Host,
    ...before: string[]
  ): Promise<DoctorView & { code: number | undefined }> {
    const places = ['--config', join(home(), 'jails.json'), '--runtime', join(home(), 'run')];
    const [file, ...args] = [
      ...before,
      BAILIFF,
      ...places,
      '--json',
      'doctor',
      '--state',
      join(home(), 'state'),
    ];
    const { code, stdout, stderr } = await host.run(file, args);
    if (stdout === '') throw new Error(stderr);
    return { code, ...(JSON.parse(stdout) as DoctorView) };
  }

  const faultsOf = ({ findings }: DoctorView): DoctorFinding[] =>
    findings.filter(({ outcome }) => outcome === 'fault');

  test('finds nothing to mend on a host that is well, daemon or not, and changes nothing', async () => {
    write({ jails: { login: login() } });
    const asFound = [await nft('list', 'ruleset'), readdirSync(home())];
    const without = await doctor();
    expect(faultsOf(without)).toEqual([]);
    expect(without).toMatchObject({ code: 0, ok: true, daemon: 'absent' });
    expect([await nft('list', 'ruleset'), readdirSync(home())]).toEqual(asFound);

    const banned = internet.clients.attacker.ipv4;
    const daemon = await startDaemon({ folder: home(), host: server });
    try {
      expect(await daemon.verb('ban', banned, '2001:db8:c0::/64')).toMatchObject({ code: 0 });
      const well = await doctor();
      expect(faultsOf(well)).toEqual([]);
      expect(well).toMatchObject({ code: 0, daemon: 'running' });
      expect(well.findings).toContainEqual({
        check: 'kernel',
        outcome: 'ok',
        message: expect.stringContaining('the 2 bans'),
      });

      // A running daemon puts back what others take out; what they add it leaves for a minute.
      await nft('add', 'element', 'inet', 'bailiff', 'ban4_32_any', '{ 198.51.100.9 timeout 1h }');
      const [added] = faultsOf(await doctor());
      expect(added).toMatchObject({
        code: 'W_KERNEL_EXTRA',
        message: expect.stringContaining('198.51.100.9'),
      });

      await daemon.end();
      await nft('delete', 'element', 'inet', 'bailiff', 'ban4_32_any', `{ ${banned} }`);
      const [missing] = faultsOf(await doctor());
      expect(missing).toMatchObject({ code: 'E_KERNEL_MISSES', message: expect.stringContaining(banned) });
    } finally {
      await daemon.end();
    }
  });

  test("asked from another network than the daemon's says what it can't see, and how to ask", async () => {
    write({ jails: { login: login() } });
    const daemon = await startDaemon({ folder: home(), host: server });
    try {
      expect(await daemon.verb('ban', internet.clients.attacker.ipv4)).toMatchObject({ code: 0 });
      const elsewhere = await doctorOf(internet.clients.attacker);
      expect(faultsOf(elsewhere)).toEqual([]);
      expect(elsewhere).toMatchObject({ code: 0, daemon: 'running' });
      const [unseen, ...others] = elsewhere.findings.filter(({ outcome }) => outcome === 'unknown');
      expect(others).toEqual([]);
      expect(unseen).toMatchObject({
        check: 'kernel',
        message: expect.stringContaining('another network namespace'),
        mend: `Ask from there: nsenter --net --target ${daemon.pid} bailiff doctor`,
      });
      // What the last test left in the kernel goes once all is read.
      await eventually(
        'what no ban wants is taken out',
        async () => !(await nft('list', 'ruleset')).includes('198.51.100.9'),
      );
      const nsenter = [program('nsenter'), '--net', '--target', String(daemon.pid)];
      const there = await doctorOf(internet.clients.attacker, ...nsenter);
      expect(there.findings).toContainEqual({
        check: 'kernel',
        outcome: 'ok',
        message: expect.stringContaining('bans of the daemon, and no others'),
      });
    } finally {
      await daemon.end();
      await nft('flush', 'ruleset');
    }
  });

  test('names each thing that is wrong, and what mends it', async () => {
    const now = new Date();
    const log = (name: string, from: string, at: Date): string => {
      const stamp = at.toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) (.*) GMT$/, '$1/$2/$3:$4');
      const file = join(folder, `${name}.log`);
      writeFileSync(file, `${from} - - [${stamp} +0000] "POST /login HTTP/1.1" 401 1 "-" "x"\n`.repeat(12));
      return file;
    };
    const garbage = join(folder, 'garbage.log');
    writeFileSync(
      garbage,
      '192.0.2.9 "POST /login HTTP/1.1" 401 and nothing that an access log has\n'.repeat(20),
    );
    write({
      jails: {
        tls: { ...login(), ports: [443] },
        all: { ...login(), ports: [], maxRetry: 3 },
        gone: { ...login(), logs: [join(folder, 'nowhere.log')] },
        local: { ...login(), logs: [log('local', '127.0.0.1', now)] },
        zone: { ...login(), logs: [log('zone', '192.0.2.9', new Date(now.getTime() - 2 * 3_600_000))] },
        ahead: { ...login(), logs: [log('ahead', '192.0.2.9', new Date(now.getTime() + 3_600_000))] },
        garbage: { ...login(), logs: [garbage] },
        odd: { ...login(), logs: [join(folder, 'odd', '*')] },
        wide: { ...login(), logs: [join(folder, 'l*l.log')], maxRetry: 3 },
        // Who is throttled goes on, and comes to what the other jail bans at.
        gentle: {
          ...{ ...login(), logs: [join(folder, 'zone.log')], maxRetry: 2 },
          respond: [{ do: 'throttle', rate: '10/1m' }],
        },
      },
    });
    mkdirSync(join(folder, 'odd', 'folder'), { recursive: true });
    await server.runOk('/usr/bin/mkfifo', [join(folder, 'odd', 'pipe')]);
    symlinkSync('/nowhere', join(folder, 'odd', 'link'));
    // As a reboot does: the ledger of the first test's daemon has a ban of which the kernel knows nothing.
    await nft('flush', 'ruleset');
    const before = readdirSync(join(home(), 'state'));
    const view = await doctor();
    expect(readdirSync(join(home(), 'state'))).toEqual(before);
    const faults = faultsOf(view);
    expect(view).toMatchObject({ code: 1, ok: false });
    expect(faults.map(({ code, message }) => [code, message])).toEqual([
      ['E_PORTS_UNUSED', expect.stringMatching(/jail tls \(443\).* listens on 80/)],
      ['E_KERNEL_MISSES', expect.stringContaining(internet.clients.attacker.ipv4)],
      ['W_JAILS_OVERLAP', expect.stringContaining('all bans before tls')],
      ['W_JAILS_OVERLAP', expect.stringContaining('wide bans before local')],
      ['E_LOG_MISSING', expect.stringContaining('nowhere.log')],
      ['W_PROXY_UNKNOWN', expect.stringContaining('local.log names 127.0.0.1')],
      ['W_CLOCK_SKEW', expect.stringMatching(/zone\.log is stamped 2h behind/)],
      ['W_STAMP_FUTURE', expect.stringMatching(/ahead\.log is stamped 1h ahead/)],
      ['E_SOURCE_UNFRAMED', expect.stringContaining('garbage.log')],
      ['E_SOURCE_NOT_A_FILE', expect.stringContaining('odd/folder')],
      ['E_LOG_MISSING', expect.stringMatching(/odd\/link .*leads nowhere/)],
      ['E_SOURCE_NOT_A_FILE', expect.stringContaining('odd/pipe')],
    ]);
    expect(faults.every(({ mend }) => mend !== undefined && mend.length > 10)).toBe(true);
  });

  test('as a user who may not read a log says so, and that the rest needs root', async () => {
    const closed = join(folder, 'closed.log');
    writeFileSync(closed, '', { mode: 0o600 });
    write({ jails: { login: { ...login(), logs: [closed] } } });
    for (const path of [folder, home()]) chmodSync(path, 0o755);
    const view = await doctor(
      program('setpriv'),
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=-all',
    );
    expect(faultsOf(view)).toMatchObject([
      { code: 'E_SOURCE_PERMISSION', message: expect.stringContaining(closed) },
    ]);
    expect(view.findings.filter(({ outcome }) => outcome === 'unknown').map(({ check }) => check)).toContain(
      'privileges',
    );
  });
});
