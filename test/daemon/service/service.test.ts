// What the service manager is told, heard at a real datagram socket; and when it is told nothing.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../../src/api/index.ts';
import { findServiceManager } from '../../../src/cli/paths.ts';
import { openLedger, passBy, startDaemon } from '../../../src/daemon/index.ts';
import { createPulse } from '../../../src/daemon/service/pulse.ts';
import { createService } from '../../../src/daemon/service/service.ts';
import { createClock, createExec, createInput, monotonicMicroseconds } from '../../../src/daemon/system.ts';
import { createFirewall } from '../../../src/firewall/index.ts';
import { silentLog } from '../../../src/ports.ts';
import type { Exec } from '../../../src/ports.ts';
import { takenAsProven, prepareSetup } from '../../../src/setup/index.ts';
import { ROOT } from '../../support/checkout.ts';
import { launchDaemon, type Daemon } from '../../support/daemon.ts';
import { temporaryFolder, type TemporaryFolder } from '../../support/leftovers.ts';
import { lonelyHost } from '../../support/lonely-host.ts';
import { createInternet, type Internet } from '../../support/namespaces.ts';
import { needs, program } from '../../support/programs.ts';
import { eventually } from '../../support/run.ts';
import { listenAsServiceManager, type Listener, type ListenOptions } from '../../support/service-manager.ts';
import { createTestClock } from '../clock.ts';

let folder: TemporaryFolder;
let manager: Listener | undefined;

beforeEach(() => {
  folder = temporaryFolder('service');
});
afterEach(async () => {
  await manager?.close();
  manager = undefined;
  folder.remove();
});

const configFor = (log: string): object => ({
  jails: { login: { filter: 'nginx-login', logs: [log], maxRetry: 3 } },
});

const listen = async (socket: string, options?: ListenOptions): Promise<Listener> =>
  (manager = await listenAsServiceManager(socket, options));

/** `systemd-notify` is the real one; what was started is written down. */
function recordingExec(): Exec & { readonly started: string[][] } {
  const exec = createExec();
  const started: string[][] = [];
  return {
    ...exec,
    started,
    run(request) {
      started.push([...request.args]);
      return exec.run(request);
    },
  };
}

describe('what the environment says of a service manager', () => {
  const find = (env: Record<string, string | undefined>) => findServiceManager({ env, uid: 0 }, 100);

  it('is nothing where NOTIFY_SOCKET is missing, empty, or no unix socket', () => {
    for (const env of [{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: 'vsock:2:1234' }, { WATCHDOG_USEC: '5' }])
      expect(find(env)).toBeUndefined();
  });

  it('is a socket, and a watchdog where one waits for this very process', () => {
    const socket = '@/org/notify';
    const NOTIFY_SOCKET = socket;
    expect(find({ NOTIFY_SOCKET })).toEqual({ socket, watchdog: undefined });
    expect(find({ NOTIFY_SOCKET, WATCHDOG_USEC: '30000000' })).toEqual({ socket, watchdog: 30_000 });
    expect(find({ NOTIFY_SOCKET, WATCHDOG_USEC: '500000', WATCHDOG_PID: '100' })?.watchdog).toBe(500);
    for (const env of [{ WATCHDOG_PID: '101', WATCHDOG_USEC: '500000' }, { WATCHDOG_USEC: 'soon' }])
      expect(find({ NOTIFY_SOCKET, ...env })).toEqual({ socket, watchdog: undefined });
  });
});

describe('without a service manager', () => {
  it('nothing is started and nothing waits', async () => {
    const exec = recordingExec();
    const clock = createTestClock(0);
    const service = createService(undefined, { exec, clock, log: silentLog, microseconds: () => 0n });
    await service.ready('x');
    service.watch(
      () => true,
      () => 'x',
    );
    clock.advance(3_600_000);
    await service.reloading();
    await service.stopping();
    expect(exec.started).toEqual([]);
  });
});

needs('systemd-notify')('a service manager', () => {
  function serviceOn(listener: Listener, watchdog: number | undefined) {
    const exec = recordingExec();
    const clock = createTestClock(0);
    const ports = { exec, clock, log: silentLog, microseconds: monotonicMicroseconds };
    return { exec, clock, service: createService({ socket: listener.socket, watchdog }, ports) };
  }

  it('hears on an abstract socket what happens, in order, each word whole', async () => {
    const listener = await listen(`@bailiff-test-${process.pid}`);
    const { service } = serviceOn(listener, undefined);
    const before = monotonicMicroseconds();
    void service.ready('1 jail,\nWATCHDOG=trigger');
    void service.reloading();
    void service.ready('2 jails');
    await service.stopping();
    const [ready, reloading, again, stopping, ...more] = await eventually(
      'all is heard',
      () => listener.heard().length >= 4 && listener.heard(),
    );
    expect(more).toEqual([]);
    // A line break in the status would have been an assignment of its own.
    expect(ready).toBe('READY=1;STATUS=1 jail,\\x0aWATCHDOG=trigger');
    const [, stamp] = /^RELOADING=1;MONOTONIC_USEC=(\d+)$/.exec(reloading!)!;
    expect(BigInt(stamp!)).toBeGreaterThanOrEqual(before);
    expect(BigInt(stamp!)).toBeLessThanOrEqual(monotonicMicroseconds());
    expect([again, stopping]).toEqual(['READY=1;STATUS=2 jails', 'STOPPING=1']);
  });

  it('gets a sign of life at half its interval, none from a stalled daemon, and none after the end', async () => {
    const listener = await listen(join(folder.path, 'notify'));
    const { service, clock, exec } = serviceOn(listener, 30_000);
    let alive = true;
    service.watch(
      () => alive,
      () => 'fine',
    );
    const after = async (milliseconds: number): Promise<string[]> => {
      const from = listener.heard().length;
      const count = exec.started.length;
      clock.advance(milliseconds);
      const said = exec.started.length - count;
      await eventually('it is heard', () => listener.heard().length === from + said);
      // Its process has ended too, so that the next word is not held back.
      await new Promise(setImmediate);
      await service.ready('barrier');
      return listener
        .heard()
        .slice(from)
        .filter((message) => !message.includes('barrier'));
    };
    expect(await after(14_999)).toEqual([]);
    expect(await after(1)).toEqual(['WATCHDOG=1;STATUS=fine']);
    expect(await after(15_000)).toEqual(['WATCHDOG=1;STATUS=fine']);
    alive = false;
    expect(await after(15_000)).toEqual(['STATUS=Stalled: lines are no longer worked on']);
    alive = true;
    expect(await after(15_000)).toEqual(['WATCHDOG=1;STATUS=fine']);
    await service.stopping();
    expect(await after(60_000)).toEqual([]);
  });

  it('that has gone keeps nobody waiting', async () => {
    const listener = await listen(join(folder.path, 'notify'));
    await manager!.close();
    const { service } = serviceOn(listener, undefined);
    await service.ready('x');
    expect(listener.heard()).toEqual([]);
  });
});

describe('the pulse', () => {
  it('beats as long as the way of a line is open, by chunks or by an answered probe, and stops when it is not', async () => {
    const answers: (() => void)[] = [];
    const pulse = createPulse(() => new Promise<void>((resolve) => answers.push(resolve)));
    const answer = async (): Promise<void> => {
      answers.pop()!();
      await new Promise(setImmediate);
    };
    expect(pulse.isAlive()).toBe(true);
    await answer();
    expect(pulse.isAlive()).toBe(true);
    // This probe is not answered, but chunks are worked on.
    pulse.beat();
    expect(pulse.isAlive()).toBe(true);
    expect(answers).toHaveLength(1);
    expect(pulse.isAlive()).toBe(false);
    expect(pulse.isAlive()).toBe(false);
    expect(answers).toHaveLength(1);
    await answer();
    expect(pulse.isAlive()).toBe(true);
  });
});

describe('a daemon whose ledger does not come back', () => {
  it('does not say that it is alive, though its sockets answer and its timers run', async () => {
    const log = join(folder.path, 'access.log');
    const configFile = join(folder.path, 'jails.json');
    writeFileSync(log, '');
    writeFileSync(configFile, JSON.stringify(configFor(log)), { mode: 0o600 });
    const prepared = prepareSetup({
      configFile,
      shippedFilters: join(ROOT, 'filters'),
      trusted: { uid: process.geteuid!() },
      proofs: takenAsProven,
      version: 'test',
    });
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.faults));
    const clock = createClock();
    const runtime = join(folder.path, 'run');
    const ledger = openLedger(join(folder.path, 'state'));
    const { promise: stuck, resolve: release } = Promise.withResolvers<undefined>();
    let isStuck = false;
    const daemon = await startDaemon(
      {
        setup: prepared.setup,
        prepare: () => prepared,
        watchConfig: false,
        ledger: { ...ledger, commit: (...all) => (isStuck ? stuck : ledger.commit(...all)) },
        runtime,
        firewall: createFirewall('memory', {
          exec: createExec(),
          clock,
          log: silentLog,
          owner: { id: '1_1', isAlive: () => false },
        }),
        neverEnforce: false,
        statusGroup: undefined,
        reportGroup: undefined,
        version: 'test',
        asksForInput: false,
      },
      {
        clock,
        log: silentLog,
        exec: createExec(),
        input: createInput,
        host: lonelyHost,
        at: passBy,
      },
    );
    onTestFinished(async () => {
      release(undefined);
      await daemon.stop();
    });
    const client = createClient(runtime);
    const asked = async (): Promise<boolean> => {
      // An answer over the socket is a whole turn of the daemon's loop; its own probe, where it is idle, is through by then
      // or by the next one.
      await client.ping();
      return daemon.isAlive();
    };
    await eventually('it is alive', asked);
    await eventually('it still is', asked);
    isStuck = true;
    appendFileSync(log, '192.0.2.7 - - [01/Nov/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n');
    await eventually('it is not', async () => !(await asked()));
    const later = [];
    for (let time = 0; time < 20; time++) later.push(await asked());
    expect(later).not.toContain(true);
    expect((await client.ping()).pid).toBe(process.pid);
    isStuck = false;
    release(undefined);
    await eventually('it is alive again', asked);
  });
});

needs(
  'root',
  'ip',
  'nft',
  'systemd-notify',
)('the daemon as a service', () => {
  let internet: Internet<'attacker'>;
  let daemon: Daemon | undefined;
  beforeEach(async () => {
    internet = await createInternet('attacker');
  });
  afterEach(async () => {
    daemon?.wake();
    await daemon?.end('SIGKILL');
    daemon = undefined;
    await internet.remove();
  });

  function launch(env: Record<string, string>): Daemon {
    const log = join(folder.path, 'access.log');
    if (!existsSync(log)) writeFileSync(log, '');
    const launched = launchDaemon({
      folder: join(folder.path, 'bailiff'),
      config: configFor(log),
      host: internet.server,
      env,
    });
    writeFileSync(join(folder.path, 'pid'), String(launched.pid));
    return (daemon = launched);
  }

  it('is ready when its bans are in the kernel and its sockets answer, and not before', async () => {
    const first = launch({});
    await eventually('it answers', () => first.status().catch(() => undefined));
    expect((await first.verb('ban', internet.clients.attacker.ipv4)).code).toBe(0);
    await first.end();
    const nft = program('nft');
    await internet.server.runOk(nft, ['delete', 'table', 'inet', 'bailiff']);

    const socket = join(folder.path, 'notify');
    // The very moment at which it says so, it is stopped: what is there now was there before.
    const listener = await listen(socket, { stopAt: 'READY=1', pidFile: join(folder.path, 'pid') });
    const second = launch({ NOTIFY_SOCKET: socket });
    const ready = await listener.hears('READY=1');
    expect(ready).toBe('READY=1;STATUS=1 jail, 1 address blocked');
    expect(await internet.server.runOk(nft, ['list', 'table', 'inet', 'bailiff'])).toContain(
      internet.clients.attacker.ipv4,
    );
    const answer = second.status();
    second.wake();
    expect((await answer).mode).toBe('enforcing');

    expect(await second.end()).toBe(0);
    expect(listener.heard().at(-1)).toBe('STOPPING=1');
  });

  it('gives signs of life while it runs, and lines are worked on', async () => {
    const listener = await listen(join(folder.path, 'notify'));
    // It is asked each second, where the unit asks every 45: a busy machine may well stand still for a fifth of one, and it says so.
    const running = launch({ NOTIFY_SOCKET: listener.socket, WATCHDOG_USEC: '2000000' });
    await eventually(
      'three signs of life',
      () => listener.heard().filter((message) => message.startsWith('WATCHDOG=1')).length >= 3,
    );
    expect(listener.heard()[0]).toContain('READY=1');
    expect(listener.heard().filter((message) => message.includes('Stalled'))).toEqual([]);
    expect(await running.end()).toBe(0);
  });
});
