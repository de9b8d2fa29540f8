// Names as a host is really set up: /etc/hosts, /etc/resolv.conf and a name server on port 53, all in a namespace.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { removeAtExit } from '../support/leftovers.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Internet } from '../support/namespaces.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

const DNS_SERVER = fileURLToPath(new URL('../support/dns-server.ts', import.meta.url));

needs(
  'root',
  'ip',
  'nft',
)("the system's own resolver", () => {
  let folder: string;
  let internet: Internet<never>;
  let daemon: Daemon | undefined;
  let nameServer: ChildProcess | undefined;
  let removeEtc: () => void;
  /** What the namespace's programs see as /etc. */
  const etc = (name: string): string => join('/etc/netns', internet.server.namespace, name);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-resolver-'));
    internet = await createInternet();
    const remove = (): void => rmSync(etc('.'), { recursive: true, force: true });
    const takeBack = removeAtExit(remove);
    removeEtc = () => {
      takeBack();
      remove();
    };
    mkdirSync(etc('.'), { recursive: true });
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
    nameServer?.kill('SIGKILL');
    await internet?.remove();
    removeEtc();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is asked as it is now, and /etc/hosts has the first word', async () => {
    writeFileSync(etc('hosts'), '127.0.0.1 localhost\n198.51.100.50 pinned.example.net\n');
    writeFileSync(etc('resolv.conf'), 'nameserver 127.0.0.2\n');
    const zone = {
      'office.example.net': [{ type: 'A', ttl: 60, address: '198.51.100.10' }],
      'pinned.example.net': [{ type: 'A', ttl: 60, address: '198.51.100.51' }],
    };
    nameServer = internet.server.spawn(process.execPath, [DNS_SERVER, JSON.stringify(zone)]);
    await once(nameServer.stdout!, 'data');
    const started = await startDaemon({
      folder: join(folder, 'bailiff'),
      host: internet.server,
      config: { allow: ['office.example.net', 'pinned.example.net'] },
    });
    daemon = started;
    const status = await eventually('the boot is over', async () => {
      const now = await started.status();
      return now.mode === 'enforcing' && now;
    });
    expect(status.faults).toMatchObject([
      {
        code: 'W_NAME_UNRESOLVED',
        message: expect.stringMatching(/office\.example\.net \(ECONNREFUSED\)\.$/),
      },
    ]);
    const listed = (): Promise<string> =>
      internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
    expect(await listed()).toContain('198.51.100.50');

    writeFileSync(etc('resolv.conf'), 'nameserver 127.0.0.1\n');
    process.kill(started.pid, 'SIGHUP');
    const table = await eventually('the name is known', async () => {
      const now = await listed();
      return now.includes('198.51.100.10') && now;
    });
    expect(table).not.toContain('198.51.100.51');
    expect((await started.status()).faults).toEqual([]);
  });
});
