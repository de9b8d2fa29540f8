// Where firewalls are tried: no kernel, an old kernel's rules, and this machine's kernel in a namespace of its own.
import { createClock, createExec } from '../../src/daemon/system.ts';
import type { Firewall } from '../../src/firewall/index.ts';
import type { Instant } from '../../src/model.ts';
import { type Clock, type Exec, type ExecRequest, type Log, silentLog } from '../../src/ports.ts';
import { removeAtExit } from '../support/leftovers.ts';
import { program } from '../support/programs.ts';
import { runOk } from '../support/run.ts';
import { spawnSync } from 'node:child_process';
import type { World } from './conformance.ts';
import { createOldKernel } from './old-kernel.ts';

/** A clock that stands until it is moved. What is scheduled on it never comes due. */
export interface StandingClock extends Clock {
  move(by: number): void;
}

export function createStandingClock(start: Instant = Date.UTC(2026, 0, 2, 3, 4, 5)): StandingClock {
  let now = start;
  return { now: () => now, monotonic: () => now, schedule: () => () => {}, move: (by) => void (now += by) };
}

/** A log that keeps what it is told. */
export function createRecordingLog(): Log & { readonly entries: { message: string; facts: object }[] } {
  const entries: { message: string; facts: object }[] = [];
  const record = (facts: object, message: string): void => void entries.push({ message, facts });
  return { entries, debug: record, info: record, warn: record, error: record };
}

/** An Exec that must not be used. */
export const noExec: Exec = {
  run: () => Promise.reject(new Error('started a program')),
  spawn() {
    throw new Error('started a program');
  },
  find: () => undefined,
};

export async function unreal(kind: Firewall['kind']): Promise<World> {
  return {
    kind,
    ports: { exec: noExec, clock: createStandingClock(), log: silentLog },
    leftovers: async () => '',
    remove: async () => {},
  };
}

export async function onOldKernel(): Promise<World> {
  const clock = createStandingClock();
  const exec = createOldKernel(clock);
  return {
    kind: 'nftables',
    ports: { exec, clock, log: silentLog },
    leftovers: async () => (await exec.run({ file: 'nft', args: ['list'], timeout: 1 })).stdout,
    remove: async () => {},
  };
}

/** Of util-linux, which no Debian is without. */
const NSENTER = '/usr/bin/nsenter';

let count = 0;

/** What each back end leaves on a host is seen with these. */
const SEEN_WITH: Readonly<Record<RealKind, readonly (readonly ['nft' | 'ipset', ...string[]])[]>> = {
  nftables: [['nft', 'list', 'ruleset']],
  iptables: [
    ['nft', 'list', 'ruleset'],
    ['ipset', 'save'],
  ],
};

/** The back ends that a kernel is told by. */
export type RealKind = 'nftables' | 'iptables';

export async function onThisKernel(kind: RealKind): Promise<World> {
  const ip = program('ip');
  const namespace = `bailiff-fw-${process.pid}-${++count}`;
  const takeBack = removeAtExit(() => spawnSync(ip, ['netns', 'del', namespace], { stdio: 'ignore' }));
  await runOk(ip, ['netns', 'add', namespace]);
  return {
    kind,
    ports: { exec: execIn(namespace), clock: createClock(), log: silentLog },
    async leftovers() {
      const seen: string[] = [];
      for (const [name, ...args] of SEEN_WITH[kind])
        seen.push(await runOk(ip, ['netns', 'exec', namespace, program(name), ...args]));
      return seen.join('');
    },
    async remove() {
      takeBack();
      await runOk(ip, ['netns', 'del', namespace]);
    },
  };
}

/**
 * Starts everything inside a network namespace. By nsenter, which becomes the program: `ip netns exec` would make a mount
 * namespace for each, and take ten times as long.
 * @param before a program and its arguments that the programs are started by.
 */
export function execIn(namespace: string, ...before: string[]): Exec {
  const exec = createExec();
  const inside = (file: string, args: readonly string[]): string[] => [
    ...[`--net=/run/netns/${namespace}`, '--', ...before, file, ...args],
  ];
  return {
    find: exec.find,
    run: (request: ExecRequest) =>
      exec.run({ ...request, file: NSENTER, args: inside(request.file, request.args) }),
    spawn: (file, args, reads) => exec.spawn(NSENTER, inside(file, args), reads),
  };
}
