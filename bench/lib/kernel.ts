// What the kernel of a namespace holds, seen from outside the daemon: by nft, and by asking the kernel itself.
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../test/support/namespaces.ts';
import { program } from '../../test/support/programs.ts';
import { eventually } from '../../test/support/run.ts';
import { rank } from './figures.ts';
import { WrongVerdict } from './verdicts.ts';

/** Milliseconds of the clock that all processes share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Tells when each address became an element of any set. */
export interface Monitor {
  /** @throws after `timeout` ms. @returns when nft told of it, as {@link now}. */
  seen(address: string, timeout?: number): Promise<number>;
  /** Milliseconds from a command in a running nft until it is told of: no measurement is faster. */
  floor(times: number): Promise<number[]>;
  end(): void;
}

/** Watches the namespace by `nft monitor`. */
export async function startMonitor(host: Host): Promise<Monitor> {
  const children: ChildProcess[] = [];
  const told = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  const monitor = host.spawn(program('nft'), ['monitor', 'new', 'elements']);
  children.push(monitor);
  let rest = '';
  monitor.stdout!.setEncoding('latin1').on('data', (piece: string) => {
    const at = now();
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      for (const [, address] of line.matchAll(/[{,] ([\da-f.:]+)/g)) {
        told.set(address!, at);
        waiting.get(address!)?.(at);
        waiting.delete(address!);
      }
    }
  });
  const nft = host.spawn(program('nft'), ['-i'], { HOME: '/nonexistent' });
  children.push(nft);
  nft.stdin!.write('add table ip bench\nadd set ip bench floor { type ipv4_addr; }\n');
  let last = 0;
  const add = (): string => {
    const address = `240.0.${++last >> 8}.${last & 255}`;
    nft.stdin!.write(`add element ip bench floor { ${address} }\n`);
    return address;
  };
  // It does not say when it has begun to listen.
  await eventually('nft monitor tells of an element', () => told.has(add()) || told.size > 0, 10_000, 50);

  const seen = async (address: string, timeout = 10_000): Promise<number> => {
    const known = told.get(address);
    if (known !== undefined) return known;
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`${address} was in no set within ${timeout} ms`)),
        timeout,
      );
      waiting.set(address, (at) => {
        clearTimeout(limit);
        resolve(at);
      });
    });
  };
  return {
    seen,
    async floor(times) {
      const took: number[] = [];
      for (let n = 0; n < times; n++) {
        const began = now();
        took.push((await seen(add())) - began);
        await sleep(20);
      }
      return took;
    },
    end() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

/** Sets by the name of their table and their own: `inet bailiff ban4_32_any`. */
export async function setsOf(host: Host): Promise<string[]> {
  const text = await host.runOk(program('nft'), ['-j', 'list', 'sets']);
  const { nftables } = JSON.parse(text) as {
    nftables: { set?: { family: string; table: string; name: string } }[];
  };
  return nftables.flatMap(({ set }) => (set ? [`${set.family} ${set.table} ${set.name}`] : []));
}

/** The set that holds the address. */
export async function setWith(host: Host, address: string): Promise<string | undefined> {
  for (const set of await setsOf(host)) if (await holds(host, set, [address])) return set;
  return undefined;
}

/** Does the set hold all of them? */
export async function holds(host: Host, set: string, addresses: readonly string[]): Promise<boolean> {
  const command = `get element ${set} { ${addresses.join(', ')} }`;
  return (await host.run(program('nft'), [command])).code === 0;
}

/** Every IPv4 address that is an element of the set. */
export async function elementsOf(host: Host, set: string): Promise<string[]> {
  const [family, table, name] = set.split(' ');
  const ran = await host.run(program('nft'), ['list', 'set', family!, table!, name!], { timeout: 120_000 });
  const begin = ran.stdout.indexOf('elements = {');
  if (begin < 0) return [];
  return [...ran.stdout.slice(begin).matchAll(/(?:[{,]\s*)(\d+\.\d+\.\d+\.\d+)/g)].map(
    ([, address]) => address!,
  );
}

const HELD = join(import.meta.dirname, 'held.pl');
/** In milliseconds. */
const PATIENCE = 300_000;

/** So many are asked for, each in some microseconds, and asked again until it is there. */
const ASKED = 2_000;

/**
 * Watches until the set holds all of the addresses: many of them are asked for, then all are listed. It watches when this
 * resolves, so that what is measured doesn't share the processor with a program that starts.
 * @returns tells when all were held, as {@link now}; accurate to a few milliseconds.
 */
export async function watchFor(
  host: Host,
  set: string,
  addresses: readonly string[],
): Promise<() => Promise<number>> {
  const step = Math.ceil(addresses.length / ASKED);
  const some = addresses.filter((_, index) => index % step === 0);
  const someHeld = await ask(host, set, [...some, addresses.at(-1)!]);
  return async () => {
    const at = await someHeld();
    const listed = new Set(await elementsOf(host, set));
    const unlisted = addresses.filter((address) => !listed.has(address));
    // A list that is made while the kernel gives the set a larger table leaves out some that are there.
    const missing = await notHeld(host, set, unlisted);
    return missing.length === 0 ? at : (await ask(host, set, missing))();
  };
}

/** Those that are no elements. */
async function notHeld(host: Host, set: string, addresses: readonly string[]): Promise<string[]> {
  if (addresses.length === 0) return [];
  const ran = await host.runOk(program('perl'), [HELD, '-n', ...set.split(' '), ...addresses]);
  return ran.split('\n').filter((line) => line !== '');
}

/** @returns tells when each has been an element. */
async function ask(host: Host, set: string, addresses: readonly string[]): Promise<() => Promise<number>> {
  const child = host.spawn(program('perl'), [HELD, ...set.split(' '), ...addresses]);
  const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const said = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<number> => {
    const { done } = await said.next();
    if (done) throw new WrongVerdict(`${addresses.length} addresses are not all in ${set}`);
    return now();
  };
  await next();
  return async () => {
    const at = await next();
    clearTimeout(limit);
    return at;
  };
}

/** `p50 0.6, p99 2.0 ms of 200`. */
export const spread = (took: readonly number[]): string =>
  `p50 ${rank(took, 0.5).toFixed(2)}, p99 ${rank(took, 0.99).toFixed(2)}, worst ${rank(took, 1).toFixed(2)} ms of ${took.length}`;
