// A small Internet of network namespaces: one server and some clients, each on a wire of its own, IPv4 and IPv6.
//
// All addresses are of the ranges kept for documentation. No client shares a network with the server's own address,
// so an IPv6 client can be banned by its /64.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { removeAtExit } from './leftovers.ts';
import { program } from './programs.ts';
import { run, runOk, type Ran, type RunOptions } from './run.ts';

/** A host in a namespace of its own. */
export interface Host {
  /** The namespace's name, for `ip netns`. */
  readonly namespace: string;
  readonly ipv4: string;
  readonly ipv6: string;
  run(file: string, args: readonly string[], options?: RunOptions): Promise<Ran>;
  runOk(file: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** Starts a program that stays; its pid is the program's own. It is killed at exit at the latest. */
  spawn(file: string, args: readonly string[], env?: Record<string, string | undefined>): ChildProcess;
}

export interface Client extends Host {
  /** Gives the client one more address, which the server can answer. */
  addAddress(address: string): Promise<void>;
}

export interface Internet<Name extends string> {
  readonly server: Host;
  readonly clients: Readonly<Record<Name, Client>>;
  /** Removes every namespace. Programs in them should have ended before; a second call is harmless. */
  remove(): Promise<void>;
}

let count = 0;

/** Makes the namespaces and wires; needs root and `ip`. Names bear this process's pid. */
export async function createInternet<Name extends string>(
  ...names: readonly Name[]
): Promise<Internet<Name>> {
  const ip = program('ip');
  const prefix = `bailiff-${process.pid}-${++count}`;
  const namespaces = [`${prefix}-server`, ...names.map((name) => `${prefix}-${name}`)];
  const takeBack = removeAtExit(() => {
    for (const name of namespaces) spawnSync(ip, ['netns', 'del', name], { stdio: 'ignore' });
  });
  for (const name of namespaces) await runOk(ip, ['netns', 'add', name]);

  const server = makeHost(namespaces[0]!, '192.0.2.1', '2001:db8:5e::1');
  await configure(server.namespace, [
    'link set lo up',
    `address add ${server.ipv4}/32 dev lo`,
    `address add ${server.ipv6}/128 dev lo nodad`,
  ]);
  const clients: Partial<Record<Name, Client>> = {};
  for (const [index, name] of names.entries()) {
    clients[name] = await attach(server, namespaces[index + 1]!, index);
  }
  return {
    server,
    clients: clients as Record<Name, Client>,
    async remove() {
      takeBack();
      for (const name of namespaces) await run(ip, ['netns', 'del', name]);
    },
  };
}

/** Puts a client at the other end of a new wire. The server is its router on this wire: fe80::1. */
async function attach(server: Host, namespace: string, index: number): Promise<Client> {
  const host = makeHost(namespace, `203.0.113.${index + 11}`, `2001:db8:c${index}::7`);
  const wire = `wire${index}`;
  await runOk(program('ip'), [
    ...['link', 'add', wire, 'netns', server.namespace, 'type', 'veth'],
    ...['peer', 'name', 'eth0', 'netns', namespace],
  ]);
  await configure(server.namespace, [
    `link set ${wire} up`,
    `address add fe80::1/64 dev ${wire} nodad`,
    `route add ${host.ipv4}/32 dev ${wire} src ${server.ipv4}`,
    `-6 route add 2001:db8:c${index}::/64 dev ${wire} src ${server.ipv6}`,
  ]);
  await configure(namespace, [
    'link set lo up',
    'link set eth0 up',
    `address add ${host.ipv4}/32 dev eth0`,
    `address add ${host.ipv6}/64 dev eth0 nodad`,
    `route add default via ${server.ipv4} dev eth0 onlink`,
    '-6 route add default via fe80::1 dev eth0',
  ]);
  return {
    ...host,
    async addAddress(address) {
      const [family, bits] = address.includes(':') ? ['-6 ', 128] : ['', 32];
      await configure(namespace, [`address add ${address}/${bits} dev eth0${family === '' ? '' : ' nodad'}`]);
      await configure(server.namespace, [`${family}route replace ${address}/${bits} dev ${wire}`]);
    },
  };
}

function makeHost(namespace: string, ipv4: string, ipv6: string): Host {
  const ip = program('ip');
  const inside = (file: string, args: readonly string[]) => ['netns', 'exec', namespace, file, ...args];
  return {
    namespace,
    ipv4,
    ipv6,
    run: (file, args, options) => run(ip, inside(file, args), options),
    runOk: (file, args, options) => runOk(ip, inside(file, args), options),
    spawn(file, args, env) {
      // `ip netns exec` becomes the program, so the pid that we signal is the program's.
      const child = spawn(ip, inside(file, args), { env: { ...process.env, ...env }, stdio: 'pipe' });
      const takeBack = removeAtExit(() => child.kill('SIGKILL'));
      child.once('exit', takeBack);
      return child;
    },
  };
}

/** Runs `ip` commands in a namespace, one process each (`-batch` would hide which one failed). */
async function configure(namespace: string, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const [first, ...rest] = command.split(' ');
    const args = first === '-6' ? ['-6', '-n', namespace, ...rest] : ['-n', namespace, first!, ...rest];
    await runOk(program('ip'), args);
  }
}
