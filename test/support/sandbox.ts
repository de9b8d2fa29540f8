// A host of the service in a folder, and the restrictions of its unit put in force there without systemd: user and groups,
// capabilities, file system, system calls. The unit itself says what they are, so that the two can't drift apart.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyCheckout, ROOT } from './checkout.ts';
import { program } from './programs.ts';
import { runOk } from './run.ts';
import { readUnit, valueOf, wordsOf, type Unit } from './unit.ts';

/** Directives that the sandbox puts in force, or that sandbox.sh is written for and checks here to be so. */
const ENFORCED: Readonly<Record<string, string | undefined>> = {
  ...{ User: undefined, Group: undefined, UMask: undefined, UnsetEnvironment: undefined },
  ...{ AmbientCapabilities: undefined, CapabilityBoundingSet: undefined, NoNewPrivileges: 'yes' },
  ...{ StateDirectory: undefined, StateDirectoryMode: undefined },
  ...{ RuntimeDirectory: undefined, RuntimeDirectoryMode: undefined },
  ...{ ConfigurationDirectory: undefined, ConfigurationDirectoryMode: undefined },
  ...{ ProtectSystem: 'strict', ProtectHome: 'yes', PrivateTmp: 'yes', PrivateDevices: 'yes' },
  ...{ PrivateMounts: 'yes', ProtectKernelTunables: 'yes', ProtectControlGroups: 'yes' },
  ...{ PrivateIPC: 'yes', ProtectHostname: 'yes' },
  ...{ RestrictAddressFamilies: undefined, SystemCallFilter: undefined, SystemCallErrorNumber: 'EPERM' },
  ...{ SystemCallArchitectures: 'native', ExecStart: undefined },
};
/** These need systemd itself, or forbid by other means what the capabilities and the filter forbid already. */
const LEFT_OUT = [
  ...[
    'Type',
    'NotifyAccess',
    'ExecReload',
    'WatchdogSec',
    'Restart',
    'RestartSec',
    'RestartPreventExitStatus',
  ],
  ...['TimeoutStartSec', 'TimeoutStopSec', 'LimitNOFILE', 'RemoveIPC'],
  ...['ProtectKernelModules', 'ProtectKernelLogs', 'ProtectClock'],
  ...['RestrictNamespaces', 'RestrictRealtime', 'RestrictSUIDSGID', 'LockPersonality'],
];

/** What of a unit the sandbox knows nothing of: to be put in force, or left out with a reason. */
export function unknownIn(unit: Unit): string[] {
  return [...unit.keys()].filter((key) => {
    if (LEFT_OUT.includes(key)) return false;
    return !Object.hasOwn(ENFORCED, key) || ![undefined, valueOrList(unit, key)].includes(ENFORCED[key]);
  });
}
const valueOrList = (unit: Unit, key: string): string => unit.get(key)!.join(' ');

export interface Sandbox {
  readonly root: string;
  readonly unit: Unit;
  /** The command line that runs a program under the unit's restrictions; what the unit itself starts where none is given. */
  command(program?: readonly string[]): [file: string, ...args: string[]];
}

/**
 * Installs this checkout into `root` as bin/install-service does it for a host, and makes the folders that systemd would.
 * Needs root.
 */
export async function installInto(root: string): Promise<Sandbox> {
  for (const folder of ['etc', 'opt/local', 'usr/local', 'var/log'])
    mkdirSync(join(root, folder), { recursive: true });
  // Its node_modules are links into ours: in the sandbox ours are mounted over them.
  copyCheckout(join(root, 'opt/bailiff'));
  rmSync(join(root, 'opt/bailiff/node_modules'), { recursive: true });
  for (const name of ['nsswitch.conf', 'resolv.conf', 'hosts', 'localtime', 'ld.so.cache'])
    if (existsSync(`/etc/${name}`)) copyFileSync(`/etc/${name}`, join(root, 'etc', name));
  const env = { DESTDIR: root, PROGRAM: '/opt/bailiff' };
  await runOk('/bin/sh', [join(root, 'opt/bailiff/bin/install-service')], { env });

  const unit = readUnit(join(root, 'usr/local/lib/systemd/system/bailiff.service'));
  const owner = idsOf(root, valueOf(unit, 'User'));
  const writable = [
    makeFolder(root, unit, 'StateDirectory', '/var/lib', owner),
    makeFolder(root, unit, 'RuntimeDirectory', '/run', owner),
  ];
  makeFolder(root, unit, 'ConfigurationDirectory', '/etc');
  const support = join(ROOT, 'test/support');
  cpSync(join(support, 'seccomp.pl'), join(root, 'opt/seccomp.pl'));
  writeFileSync(join(root, 'opt/seccomp.txt'), await filterOf(unit));
  const capabilities = wordsOf(unit, 'AmbientCapabilities').map((name) =>
    name.replace(/^CAP_/, '+').toLowerCase(),
  );
  if (valueOrList(unit, 'AmbientCapabilities') !== valueOrList(unit, 'CapabilityBoundingSet'))
    throw new Error('the sandbox sets one set of capabilities only');
  const started = valueOf(unit, 'ExecStart').split(' ');
  return {
    root,
    unit,
    command: (wanted = ['/usr/local/bin/' + started[0]!, ...started.slice(1)]) => [
      program('unshare'),
      ...['--mount', '--ipc', '--uts', '/bin/sh', join(support, 'sandbox.sh')],
      ...[root, join(ROOT, 'node_modules'), writable.join(' '), valueOf(unit, 'User')],
      ...[['-all', ...capabilities].join(','), valueOf(unit, 'UMask'), '/opt/seccomp.pl', '--'],
      ...['/usr/bin/env', ...wordsOf(unit, 'UnsetEnvironment').flatMap((name) => ['-u', name]), ...wanted],
    ],
  };
}

function makeFolder(root: string, unit: Unit, kind: string, below: string, owner?: [number, number]): string {
  const place = `${below}/${valueOf(unit, kind)}`;
  const folder = join(root, place);
  mkdirSync(folder, { recursive: true });
  if (owner) chownSync(folder, ...owner);
  chmodSync(folder, parseInt(valueOf(unit, `${kind}Mode`), 8));
  return place;
}

/** The ids that systemd-sysusers gave a user of that root. */
export function idsOf(root: string, user: string): [uid: number, gid: number] {
  const line = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${user}:`));
  const [, , uid, gid] = line!.split(':').map(Number);
  return [uid!, gid!];
}

/** Numbers of address families (linux/socket.h). */
const FAMILIES: Readonly<Record<string, number>> = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10, AF_NETLINK: 16 };
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'c000003e', arm64: 'c00000b7' };

/** The unit's filter of system calls for seccomp.pl: sets are looked up in systemd, numbers in libseccomp. */
async function filterOf(unit: Unit): Promise<string> {
  const allowed = new Set<string>();
  for (const value of unit.get('SystemCallFilter')!) {
    const names = await expand(value.replace(/^~/, '').split(' '));
    for (const name of names)
      if (value.startsWith('~')) allowed.delete(name);
      else allowed.add(name);
  }
  const names = [...allowed, 'prctl', 'socket'];
  const resolve = 'for name; do "$0" "$name"; done';
  const resolved = await runOk('/bin/sh', ['-c', resolve, program('scmp_sys_resolver'), ...names]);
  // Other processors' calls have no number here, and a negative one there.
  const found = resolved.trim().split('\n').map(Number);
  const numbers = new Map(names.map((name, index) => [name, found[index]!] as const));
  const families = wordsOf(unit, 'RestrictAddressFamilies').map((name) => FAMILIES[name]);
  const calls = [...allowed].map((name) => numbers.get(name)!).filter((number) => number >= 0);
  const lines = [ARCHITECTURES[process.arch], numbers.get('prctl'), numbers.get('socket')];
  return [...lines, calls.join(' '), families.join(' '), ''].join('\n');
}

/** `@system-service` is a set of names and of further sets. */
async function expand(names: readonly string[]): Promise<string[]> {
  const calls: string[] = [];
  const sets = names.filter((name) => name.startsWith('@'));
  calls.push(...names.filter((name) => !name.startsWith('@')));
  for (const set of sets) {
    const text = await runOk(program('systemd-analyze'), ['syscall-filter', set]);
    const inside = text
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    calls.push(...(await expand(inside)));
  }
  return calls;
}
