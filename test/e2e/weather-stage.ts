// What test/e2e/weather.test.ts needs to bring real faults about: a daemon in a namespace of its own, and the levers.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  accessSync,
  appendFileSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HistoryView } from '../../src/api/contract.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { BAILIFF } from '../support/built.ts';
import { startDaemon, type Daemon } from '../support/daemon.ts';
import { createInternet } from '../support/namespaces.ts';
import { program } from '../support/programs.ts';
import { ended, eventually, run, runOk } from '../support/run.ts';

const ADDRESSES = { old: '198.51.100.1', half: '198.51.100.2', fresh: '198.51.100.3' } as const;
type Name = keyof typeof ADDRESSES;

/** Where groups with a limit of memory may be made; undefined where they may not. */
export const memoryGroups: string | undefined = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].find((folder) => {
  try {
    accessSync(join(folder, folder.endsWith('memory') ? 'memory.limit_in_bytes' : 'cgroup.subtree_control'));
    accessSync(folder, constants.W_OK);
    return (
      folder.endsWith('memory') ||
      readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8').includes('memory')
    );
  } catch {
    return false;
  }
});

export type Stage = Awaited<ReturnType<typeof createStage>>;

/** A refused log-in, stamped now. */
function refused(address: string): string {
  const now = new Date();
  const stamp = `${String(now.getUTCDate()).padStart(2, '0')}/${now.toUTCString().slice(8, 11)}/${now.getUTCFullYear()}:${now.toISOString().slice(11, 19)} +0000`;
  return `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`;
}

/** `eventually` for questions that cost something, and for what takes a while on a busy machine. */
export function patiently<T>(what: string, question: () => Promise<T | undefined | false>): Promise<T> {
  return eventually(what, question, 90_000, 200);
}

export async function createStage(folder: string) {
  const internet = await createInternet();
  const { server } = internet;
  const home = join(folder, 'bailiff');
  const state = join(home, 'state');
  const log = join(folder, 'logs', 'access.log');
  const mode = join(folder, 'mode');
  const front = join(folder, 'nft');
  /** Undoes what would outlive the test, the latest first. */
  const undo: (() => unknown)[] = [];
  let daemon: Daemon | undefined;
  let running = false;
  let launcher: string | undefined;
  let firewall = 'nftables';
  let locker: ChildProcess | undefined;
  let keeper: ChildProcess | undefined;
  let group: string | undefined;
  mkdirSync(state, { recursive: true, mode: 0o700 });
  chmodSync(home, 0o700);
  writeFileSync(log, '');

  function launchBy(...lines: string[]): void {
    launcher = join(folder, 'launch');
    writeFileSync(launcher, ['#!/bin/sh', ...lines, ''].join('\n'));
    chmodSync(launcher, 0o755);
  }

  const current = (): Daemon => {
    if (!daemon) throw new Error('the daemon was not started');
    return daemon;
  };

  /** The nft that the daemon keeps. */
  async function nftOf(pid: number): Promise<number> {
    const children = await runOk(program('ps'), ['-o', 'pid=,args=', '--ppid', String(pid)]);
    const line = children.split('\n').find((each) => /nft -i/.test(each));
    if (line === undefined) throw new Error(`no nft among:\n${children}`);
    return Number(line.trim().split(' ')[0]);
  }

  async function blocked(): Promise<string[]> {
    if (firewall === 'memory')
      return (await current().bans()).filter((ban) => ban.state === 'blocked').map(({ address }) => address);
    const { code, stdout } = await server.run(program('nft'), ['-j', 'list', 'table', 'inet', 'bailiff']);
    if (code !== 0) return [];
    const { nftables } = JSON.parse(stdout) as { nftables: { set?: { name: string; elem?: unknown[] } }[] };
    const sets = nftables.flatMap(({ set }) => (set?.name.startsWith('ban') ? [set] : []));
    return sets.flatMap(({ elem = [] }) => elem.map((each) => (each as { elem: { val: string } }).elem.val));
  }

  return {
    state,
    log,
    config: join(home, 'jails.json'),
    address: (name: Name) => ADDRESSES[name],
    lines: (name: Name, count: number) => refused(ADDRESSES[name]).repeat(count),
    attack: (name: Name, count: number) => appendFileSync(log, refused(ADDRESSES[name]).repeat(count)),
    blocked,
    isBlocked: (name: Name) =>
      patiently(`${name} is in the kernel`, async () => (await blocked()).includes(ADDRESSES[name])),
    get daemon() {
      return current();
    },
    isRunning: () => running,
    async start() {
      const jail = {
        filter: 'nginx-login',
        logs: [join(folder, 'logs', '*.log')],
        maxRetry: 3,
        start: 'beginning',
      };
      const config = { jails: { login: jail } };
      daemon = await startDaemon({
        ...{ folder: home, host: server, args: ['--firewall', firewall] },
        ...(daemon ? {} : { config }),
        ...(launcher === undefined ? {} : { bailiff: launcher }),
      });
      running = true;
      const mine = daemon;
      void mine.ended.then(() => {
        if (daemon === mine) running = false;
      });
    },
    async counts(name: Name) {
      const history = await current().get<HistoryView>(`/v1/history?address=${ADDRESSES[name]}`);
      return history.offenders.map(({ count }) => count);
    },
    /** Ends the daemon. @returns what the next one would know. */
    async endAndRemember() {
      await current().end('SIGTERM');
      const ledger = openLedger(state, { readOnly: true });
      const { positions, openBans } = ledger.load();
      ledger.close();
      const files = positions.flatMap((each) => (each.kind === 'file' && each.path === log ? [each] : []));
      const read = files.reduce((sum, { offset }) => Math.max(sum, offset), 0);
      const banned = Array.from(openBans, ({ address }) => address.text);
      return { unread: readFileSync(log).length - read, banned: banned.toSorted() };
    },
    /** Ends everything. */
    async strike() {
      await daemon?.end('SIGKILL');
      for (const child of [locker, keeper]) child?.kill('SIGKILL');
      for (const step of undo.splice(0).reverse()) await step();
      await internet.remove();
    },

    // ── the disk ──
    /** The daemon has mounts of its own: there too. */
    async remount(how: 'ro' | 'rw') {
      const command = ['/usr/bin/mount', '-o', `remount,${how}`, state] as const;
      await runOk(command[0], command.slice(1));
      if (running)
        await runOk(program('nsenter'), ['--mount', '--target', String(current().pid), ...command]);
    },
    /** What ext4 does by itself after an error of the disk. */
    abortState: () => runOk('/usr/bin/mount', ['-o', 'remount,abort', state]),
    /** A file system of its own for the state; one that is there already gives way to its copy, as after a repair. */
    async mountState(kind: 'tmpfs' | 'ext4', options: string) {
      const image = join(folder, `image-${undo.length}`);
      if (kind === 'ext4' && undo.length > 0) {
        await runOk('/usr/bin/umount', [state]);
        copyFileSync(join(folder, 'image-0'), image);
      } else if (kind === 'ext4') {
        writeFileSync(image, Buffer.alloc(8 * 1_024 * 1_024));
        await runOk('/usr/sbin/mkfs.ext4', ['-q', image]);
      }
      undo.push(() => run('/usr/bin/umount', ['--lazy', state]));
      const device = kind === 'ext4' ? image : 'bailiff-test';
      await runOk('/usr/bin/mount', ['-t', kind, '-o', options, device, state]);
      chmodSync(state, 0o700);
    },
    /** Writes until the file system has no byte left. */
    fillState() {
      for (const size of [65_536, 4_096, 512, 1])
        for (;;)
          try {
            appendFileSync(join(state, 'ballast'), Buffer.alloc(size));
          } catch {
            break;
          }
    },
    makeRoom: () => rmSync(join(state, 'ballast')),
    async lockLedger() {
      const code = `const db = new (require('better-sqlite3'))(process.argv[1]); db.exec('BEGIN IMMEDIATE'); console.log('locked'); setInterval(() => {}, 1000);`;
      const cwd = fileURLToPath(new URL('../..', import.meta.url));
      locker = spawn(process.execPath, ['-e', code, join(state, 'ledger.sqlite')], { cwd, stdio: 'pipe' });
      await new Promise((resolve) => locker!.stdout!.once('data', resolve));
    },
    async unlockLedger() {
      locker!.kill('SIGKILL');
      await ended(locker!);
    },
    keepLedger() {
      mkdirSync(join(folder, 'kept'));
      for (const name of ['ledger.sqlite', 'ledger.sqlite-wal'])
        copyFileSync(join(state, name), join(folder, 'kept', name));
    },
    putBackLedger() {
      rmSync(join(state, 'ledger.sqlite-shm'), { force: true });
      for (const name of readdirSync(join(folder, 'kept')))
        copyFileSync(join(folder, 'kept', name), join(state, name));
    },

    // ── the firewall ──
    /** As after a power cut. */
    flushKernel: () => server.runOk(program('nft'), ['flush', 'ruleset']),
    /** From the next start on, the daemon finds a script in the place of nft. */
    async putNftInFront() {
      const real = join(folder, 'real-nft');
      copyFileSync(program('nft'), real);
      const word = `$(cat '${mode}')`;
      writeFileSync(
        front,
        `#!/bin/sh
case "${word}" in
  fails) echo 'Error: cache initialization failed: Cannot allocate memory' >&2; exit 1 ;;
  hangs) while [ "${word}" = hangs ]; do sleep 0.3; done ;;
esac
exec '${real}' "$@"
`,
      );
      this.nft('works');
      launchBy(`mount --bind '${front}' '${program('nft')}'`, `exec '${BAILIFF}' "$@"`);
    },
    nft(how: 'works' | 'fails' | 'hangs' | 'missing') {
      writeFileSync(mode, how);
      chmodSync(front, how === 'missing' ? 0o644 : 0o755);
    },
    async signalNft(signal: 'SIGKILL' | 'SIGSTOP') {
      process.kill(await nftOf(current().pid), signal);
    },

    // ── what the system has only so much of ──
    /** No descriptor is free any more, and a log appears that would need one. */
    async limitDescriptors() {
      const open = readdirSync(`/proc/${current().pid}/fd`).map(Number);
      let limit = 0;
      for (const taken = new Set(open); taken.has(limit);) limit++;
      await this.setDescriptors(limit);
      writeFileSync(join(folder, 'logs', 'late.log'), 'nothing to see\n');
      await eventually('it says so in its log', () => /EMFILE|reading failed/.test(current().output()));
    },
    raiseDescriptors: async () => runOk('/usr/bin/prlimit', [`--pid=${current().pid}`, '--nofile=4096:']),
    setDescriptors: async (limit: number) =>
      runOk('/usr/bin/prlimit', [`--pid=${current().pid}`, `--nofile=${limit}:`]),
    async moveIntoUserNamespace() {
      firewall = 'memory';
      keeper = spawn(program('unshare'), ['--user', '--map-root-user', 'sleep', '600'], { stdio: 'ignore' });
      const { pid } = keeper;
      // Until `unshare` has done it, the child has the namespace that we have, and root's whole map.
      const isApart = () => readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user');
      await eventually(
        'there is a user namespace',
        () => isApart() && readFileSync(`/proc/${pid}/uid_map`, 'utf8') !== '',
      );
      launchBy(`exec nsenter --user --preserve-credentials --target ${pid} '${BAILIFF}' "$@"`);
    },
    limitWatches: (count: number) =>
      runOk(program('nsenter'), [
        ...['--user', '--preserve-credentials', '--target', String(keeper!.pid)],
        ...['/bin/sh', '-c', `echo ${count} > /proc/sys/user/max_inotify_watches`],
      ]),
    async makeMemoryGroup() {
      if (memoryGroups === undefined) return;
      group = join(memoryGroups, `bailiff-test-${process.pid}`);
      mkdirSync(group);
      undo.push(() => rmdirSync(group!));
    },
    /** What it needs from here on is more than its unit may have. */
    async exhaustMemory() {
      const { pid } = current();
      if (group === undefined) process.kill(pid, 'SIGKILL');
      else {
        const isFirst = existsSync(join(group, 'memory.limit_in_bytes'));
        writeFileSync(join(group, isFirst ? 'memory.limit_in_bytes' : 'memory.max'), '4M');
        writeFileSync(join(group, 'cgroup.procs'), String(pid));
        const crowd = Array.from({ length: 30_000 }, (_, i) =>
          refused(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
        );
        appendFileSync(log, crowd.join(''));
      }
      await current().ended;
      running = false;
    },
  };
}
