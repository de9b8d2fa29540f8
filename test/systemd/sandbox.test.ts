// The daemon, installed as a service into a small root of its own and run under its unit's restrictions without systemd:
// its own user, one capability, a read-only file system, a filter of system calls. It must ban all the same.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../src/api/index.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { createInternet, type Internet } from '../support/namespaces.ts';
import { needs, program } from '../support/programs.ts';
import { ended, eventually, run } from '../support/run.ts';
import { idsOf, installInto, type Sandbox } from '../support/sandbox.ts';
import { listenAsServiceManager, type Listener } from '../support/service-manager.ts';

const CAP_NET_ADMIN = '0000000000001000';

needs(
  'root',
  'ip',
  'nft',
  'perl',
  'unshare',
  'setpriv',
  'systemd-sysusers',
  'systemd-analyze',
  'scmp_sys_resolver',
)('the service under its restrictions', () => {
  let folder: TemporaryFolder;
  let internet: Internet<'attacker'>;
  let sandbox: Sandbox;
  let manager: Listener;
  let daemon: ChildProcess;
  let output = '';
  const at = (...path: string[]) => join(sandbox.root, ...path);
  const log = () => at('var/log/nginx/access.log');

  beforeAll(async () => {
    folder = temporaryFolder('sandbox');
    internet = await createInternet('attacker');
    sandbox = await installInto(join(folder.path, 'root'));
    mkdirSync(at('var/log/nginx'), { recursive: true });
    // As Debian has it: for the group adm, and nobody else.
    writeFileSync(log(), '', { mode: 0o640 });
    chownSync(log(), 0, groupId('adm'));
    writeFileSync(
      at('etc/bailiff/jails.json'),
      JSON.stringify({
        jails: { login: { filter: 'nginx-login', logs: ['/var/log/nginx/access.log'], maxRetry: 3 } },
      }),
    );
    // Where systemd has it, and as open.
    mkdirSync(at('run/systemd'), { recursive: true });
    manager = await listenAsServiceManager(at('run/systemd/notify'));
    chmodSync(manager.socket, 0o777);
    const [file, ...args] = sandbox.command();
    // A caller's environment that must not reach it.
    const env = {
      NOTIFY_SOCKET: '/run/systemd/notify',
      WATCHDOG_USEC: '2000000',
      NODE_OPTIONS: '--no-such-flag',
    };
    daemon = internet.server.spawn(file, args, env);
    for (const stream of [daemon.stdout!, daemon.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const died = ended(daemon).then(({ code, signal }) => {
      throw new Error(`it ended with ${code ?? signal}:\n${output}`);
    });
    died.catch(() => {});
    await Promise.race([manager.hears('READY=1'), died]).catch((error: Error) => {
      throw new Error(`${error.message}\n${output}`);
    });
  }, 120_000);
  afterAll(async () => {
    daemon?.kill('SIGKILL');
    await manager?.close();
    await internet?.remove();
    folder?.remove();
  });

  const groupId = (name: string): number => {
    const group = readFileSync(at('etc/group'), 'utf8');
    return Number(
      group
        .split('\n')
        .find((line) => line.startsWith(`${name}:`))!
        .split(':')[2],
    );
  };
  const client = () => createClient(at('run/bailiff'));
  const inside = (...words: string[]) => {
    const [file, ...args] = sandbox.command(words);
    return internet.server.run(file, args);
  };

  it('runs as its own user with one capability and none to come', () => {
    const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
    const value = (key: string) => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)![1]!.split(/\s+/);
    const [uid, gid] = idsOf(sandbox.root, 'bailiff').map(String);
    expect(uid).not.toBe('0');
    expect(value('Uid')).toEqual([uid, uid, uid, uid]);
    expect(value('Gid')).toEqual([gid, gid, gid, gid]);
    const groups = new Set(value('Groups').filter(Boolean).map(Number));
    const others = ['adm', 'systemd-journal', 'bailiff-report'].map(groupId);
    expect(groups).toEqual(new Set([Number(gid), ...others]));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect([set, ...value(set)]).toEqual([set, CAP_NET_ADMIN]);
    expect([value('NoNewPrivs'), value('Seccomp')]).toEqual([['1'], ['2']]);
  });

  it('bans in the kernel what the log shows, and is alive', async () => {
    const { ipv4 } = internet.clients.attacker;
    const stamp = new Date()
      .toUTCString()
      .replace(/^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1/$2/$3:$4 +0000');
    for (let count = 0; count < 3; count++)
      appendFileSync(log(), `${ipv4} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`);
    const held = () => internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
    await eventually('the kernel has it', async () => (await held()).includes(ipv4));
    const bans = await eventually('it is blocked', async () => {
      const { items } = await client().bans({});
      return items.some((ban) => ban.state === 'blocked') && items;
    });
    expect(bans.map(({ address, jail, state }) => [address, jail, state])).toEqual([
      [ipv4, 'login', 'blocked'],
    ]);
    await manager.hears('WATCHDOG=1;STATUS=1 jail, 1 address blocked');
    const status = await client().status();
    expect(status.mode).toBe('enforcing');
    expect(status.faults).toEqual([]);
  });

  it('hears what others take out of the kernel, by its own script', async () => {
    const { ipv4 } = internet.clients.attacker;
    await internet.server.runOk(program('nft'), ['flush', 'ruleset']);
    const held = () => internet.server.runOk(program('nft'), ['list', 'ruleset']);
    await eventually('it is put back', async () => (await held()).includes(ipv4));
    await eventually('it is counted', async () => (await client().status()).firewall.rearmed === 1);
    expect((await client().status()).firewall.noticedBy).toBe('event');
    expect(childrenWith('nft-listen.pl')).toHaveLength(1);
    for (const { pid } of children())
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(
        new RegExp(`^CapBnd:\\s*${CAP_NET_ADMIN}$`, 'm'),
      );
  });

  it('tells the kernel of bans in its own words, by its own script', async () => {
    const [first, second] = ['203.0.113.77', '203.0.113.78'];
    for (const address of [first, second]) await client().ban({ addresses: [address], jail: 'login' });
    const held = () => internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
    await eventually('the kernel has both', async () => {
      const text = await held();
      return text.includes(first) && text.includes(second);
    });
    expect(childrenWith('nft-tell.pl')).toHaveLength(1);
    expect(output).not.toContain('could not be told directly');
  });

  function children(): { pid: string; command: string }[] {
    const pids = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8').trim().split(' ');
    return pids.map((pid) => ({ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }));
  }

  const childrenWith = (words: string) => children().filter(({ command }) => command.includes(words));

  it('gives each socket to the group that it is for, and control.sock to nobody', () => {
    const [uid, gid] = idsOf(sandbox.root, 'bailiff');
    const access = (name: string) => {
      const { uid: owner, gid: group, mode } = statSync(at('run/bailiff', `${name}.sock`));
      return [owner, group, (mode & 0o777).toString(8)];
    };
    expect(['control', 'status', 'report'].map(access)).toEqual([
      [uid, gid, '600'],
      [uid, gid, '660'],
      [uid, groupId('bailiff-report'), '660'],
    ]);
  });

  it('can write its state and its sockets, and nothing else', async () => {
    const [uid] = idsOf(sandbox.root, 'bailiff');
    expect(statSync(at('var/lib/bailiff/ledger.sqlite')).uid).toBe(uid);
    expect(statSync(at('run/bailiff/control.sock')).uid).toBe(uid);
    expect(statSync(at('run/bailiff')).mode & 0o777).toBe(0o711);
    const script = (places: string[]) =>
      places.map((place) => `touch ${place}/mark 2>/dev/null && echo ${place}`).join('; ');
    const places = [
      '/var/lib/bailiff',
      '/run/bailiff',
      '/etc',
      '/etc/bailiff',
      '/opt/bailiff',
      '/usr',
      '/var/log',
      '/run',
      '/sys',
      '/',
      '/tmp',
    ];
    const wrote = await inside('/bin/sh', '-c', script(places));
    expect(wrote.stdout.trim().split('\n')).toEqual(['/var/lib/bailiff', '/run/bailiff', '/tmp']);
    // Its own /tmp: nothing of it is there outside.
    expect(existsSync(at('tmp/mark'))).toBe(false);
  });

  it('may not do what it never does: change its user, mount, read the shadow file, open raw sockets', async () => {
    const raw =
      'use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0) and print "unix"; socket(S, PF_INET, SOCK_RAW, 1) and print "raw"; socket(S, 17, SOCK_RAW, 1) and print "packet"';
    const tried = await Promise.all([
      inside('/usr/bin/setpriv', '--reuid=0', '/usr/bin/true'),
      inside('/usr/bin/mount', '-t', 'tmpfs', 'tmpfs', '/tmp'),
      inside('/usr/bin/unshare', '--user', '/usr/bin/true'),
      inside('/usr/bin/cat', '/etc/shadow'),
      inside('/usr/bin/nice', '-n', '-5', '/usr/bin/true'),
    ]);
    expect(tried.slice(0, 4).map(({ code }) => code === 0)).toEqual([false, false, false, false]);
    expect(tried[4].stderr).toContain('Operation not permitted');
    expect((await inside('/usr/bin/perl', '-e', raw)).stdout).toBe('unix');
    // The sandbox runs programs at all.
    expect((await inside('/usr/bin/id', '-un')).stdout).toBe('bailiff\n');
  });

  it('is spoken to by the command that was installed, and ends with a word to its manager', async () => {
    const [file, ...args] = sandbox.command(['/usr/local/bin/bailiff', 'ping']);
    expect((await run(file, args)).code).toBe(0);
    daemon.kill('SIGTERM');
    expect(await ended(daemon)).toEqual({ code: 0, signal: undefined });
    expect(manager.heard().at(-1)).toBe('STOPPING=1');
    expect(output).not.toContain('no-such-flag');
  });
});
