// A program: what floods do to the daemon, beside floors from the same run. `node bench/flood.ts [addresses|bans]`; needs root.
//
// addresses: a million IPv4 and a million IPv6 addresses come once each, a thousand attackers among them, each five times.
// Told: how many attackers are banned, what memory it took, how long the socket took to answer meanwhile; beside it what
// an idle daemon takes, and how fast Node finds one literal in the same file.
// bans: in a namespace with nftables of its own, ten thousand addresses a second earn a ban, for a minute. Told: by how
// much the kernel lags behind, what the socket takes; beside it what nft takes for as many elements with nobody deciding.
// FLOOD_ADDRESSES (of each family), FLOOD_RATE and FLOOD_SECONDS make it smaller.
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusView } from '../src/api/contract.ts';
import { createClient } from '../src/api/index.ts';
import type { Client } from '../src/api/index.ts';
import { createFirewall } from '../src/firewall/index.ts';
import { block } from '../test/firewall/conformance.ts';
import { onThisKernel } from '../test/firewall/worlds.ts';

const ADDRESSES = Number(process.env['FLOOD_ADDRESSES'] ?? 1_000_000);
const RATE = Number(process.env['FLOOD_RATE'] ?? 10_000);
const SECONDS = Number(process.env['FLOOD_SECONDS'] ?? 60);
const ATTACKERS = 1_000;
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const ROOT = join(import.meta.dirname, '..');
interface Running {
  readonly client: Client;
  readonly pid: number;
  end(): Promise<void>;
}

/** @param around a program and its arguments that start the daemon. */
async function start(folder: string, config: object, firewall: string, around: string[]): Promise<Running> {
  writeFileSync(join(folder, 'jails.json'), JSON.stringify(config), { mode: 0o600 });
  const places = ['--config', join(folder, 'jails.json'), '--runtime', join(folder, 'run')];
  const line = [...around, join(ROOT, 'bin/bailiff'), ...places];
  const [file, ...args] = [...line, 'run', '--state', join(folder, 'state'), '--firewall', firewall];
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const client = createClient(join(folder, 'run'));
  for (let tries = 0; tries < 600 && !(await client.ping().catch(() => undefined)); tries++) await sleep(100);
  const { pid } = await client.ping();
  return {
    client,
    pid,
    async end() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Asks one question after the other until told to stop. @returns milliseconds of each. */
function probe(client: Client): () => Promise<number[]> {
  const took: number[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const began = performance.now();
      await client.ping();
      took.push(performance.now() - began);
      await sleep(5);
    }
  })();
  return async () => {
    isOver = true;
    await asking;
    return took.toSorted((a, b) => a - b);
  };
}

const rank = (sorted: readonly number[], share: number): string =>
  (sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(1);
const told = (name: string, took: readonly number[]): string =>
  `${name}: p50 ${rank(took, 0.5)} ms, p99 ${rank(took, 0.99)} ms, worst ${rank(took, 1)} ms over ${took.length} answers`;

/** MiB of memory: now, and the most so far. */
function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1_024;
  return { now: Math.round(of('VmRSS')), most: Math.round(of('VmHWM')) };
}

/** Seconds of the processor that a process has had. */
function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

const faultsOf = ({ faults }: StatusView): string =>
  faults.map(({ code, message }) => `  ${code}: ${message}`).join('\n');
const boundsOf = ({ bounds }: StatusView): string =>
  (bounds ?? [])
    .map(({ what, held, most, dropped }) => `  ${what} ${held} of ${most ?? '…'}, let go ${dropped}`)
    .join('\n');

/** As syslog writes it. */
function stampOf(at: number): string {
  const date = new Date(at);
  const day = String(date.getUTCDate()).padStart(2);
  return `${date.toUTCString().slice(8, 11)} ${day} ${date.toISOString().slice(11, 19)}`;
}
const lineOf = (address: string, stamp: string): string =>
  `${stamp} web sshd[812]: Failed password for root from ${address} port 40022 ssh2\n`;

async function addresses(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-flood-'));
  const log = join(folder, 'auth.log');
  const [count, stamp] = [ADDRESSES * 2, stampOf(Date.now())];
  const every = Math.floor((ADDRESSES * 2) / (ATTACKERS * 5)) || 1;
  const file = openSync(`${log}.new`, 'w');
  let attempts = 0;
  for (let from = 0; from < count; from += 10_000) {
    let text = '';
    for (let i = from; i < Math.min(count, from + 10_000); i++) {
      const n = i >> 1;
      text += lineOf(
        i % 2 === 0
          ? `${10 + (n >> 24)}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
          : `2001:db8:${(n >> 16).toString(16)}:${(n & 65_535).toString(16)}::1`,
        stamp,
      );
      // Ten attackers side by side, each five times, then the next ten: up to 4 000 strangers between two of his.
      if (i % every === 0 && attempts < ATTACKERS * 5) {
        const who = Math.floor(attempts / 50) * 10 + (attempts % 10);
        text += lineOf(`198.18.${who >> 8}.${who & 255}`, stamp);
        attempts++;
      }
    }
    writeSync(file, text);
  }
  closeSync(file);
  const { size } = statSync(`${log}.new`);
  console.log(
    `── addresses: ${ADDRESSES} of each family, ${ATTACKERS} attackers, ${(size / 1e6).toFixed(0)} MB`,
  );
  const began = performance.now();
  const text = readFileSync(`${log}.new`, 'latin1');
  let found = 0;
  for (let at = text.indexOf('198.18.'); at >= 0; at = text.indexOf('198.18.', at + 1)) found++;
  console.log(
    `floor, one literal over the whole file: ${(performance.now() - began).toFixed(0)} ms (${found} found)`,
  );

  const jails = {
    sshd: { filter: 'sshd', logs: [log], maxRetry: 5, findTime: '1h', zone: 'UTC', banTime: '1d' },
  };
  const daemon = await start(folder, { jails }, 'memory', []);
  const { client, pid } = daemon;
  try {
    const idle = probe(client);
    await sleep(3_000);
    console.log(told('floor, the socket of the idle daemon', await idle()));
    console.log(`floor, memory of the idle daemon: ${memoryOf(pid).now} MiB`);
    const busy = probe(client);
    const [from, before] = [performance.now(), processorTime(pid)];
    renameSync(`${log}.new`, log);
    let status = await client.status();
    while (!status.caughtUp || (status.jails[0]?.matches ?? 0) < count + attempts) {
      await sleep(500);
      status = await client.status();
    }
    const took = performance.now() - from;
    const { matches, offenders, banned, evicted } = status.jails[0]!;
    console.log(
      `read, judged and committed: ${(took / 1_000).toFixed(1)} s, ${((matches / took) * 1_000).toFixed(0)} matches/s`,
    );
    const used = processorTime(pid) - before;
    console.log(`of the processor ${used.toFixed(1)} s: ${(matches / used).toFixed(0)} matches/s of its own`);
    console.log(told('the socket meanwhile', await busy()));
    console.log(`memory: ${memoryOf(pid).now} MiB, at the most ${memoryOf(pid).most} MiB`);
    console.log(`attackers banned: ${banned} of ${ATTACKERS}; ${offenders} remembered, ${evicted} made room`);
    console.log(boundsOf(status));
    await sleep(6_000);
    console.log(faultsOf(await client.status()));
  } finally {
    await daemon.end();
    rmSync(folder, { recursive: true });
  }
}

async function bans(): Promise<void> {
  const count = RATE * SECONDS;
  console.log(`── bans: ${RATE} a second for ${SECONDS} s, nftables in a namespace of its own`);
  const address = (i: number): string => `${10 + (i >> 24)}.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
  const world = await onThisKernel('nftables');
  const firewall = createFirewall('nftables', world.ports);
  await firewall.prepare([]);
  const until = Date.now() + 3_600_000;
  const began = performance.now();
  for (let from = 0; from < count; from += RATE)
    await firewall.apply(
      Array.from({ length: RATE }, (_, i) => block(address(from + i), until)),
      Date.now(),
    );
  const alone = performance.now() - began;
  console.log(`floor, nft alone: ${((count / alone) * 1_000).toFixed(0)} elements a second`);
  await firewall.close();
  await world.remove();

  const folder = mkdtempSync(join(tmpdir(), 'bailiff-flood-'));
  const log = join(folder, 'auth.log');
  const name = `bailiff-flood-${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  writeFileSync(log, '');
  const config = {
    limits: {
      bans: Math.max(1_000, count * 2),
      offenders: Math.max(1_000, count * 2),
      offendersPerJail: Math.max(1_000, count * 2),
    },
    jails: { sshd: { filter: 'sshd', logs: [log], maxRetry: 1, zone: 'UTC', banTime: '1h' } },
  };
  const daemon = await start(folder, config, 'nftables', ['ip', 'netns', 'exec', name]);
  const { client, pid } = daemon;
  try {
    const idle = probe(client);
    await sleep(3_000);
    console.log(told('floor, the socket of the idle daemon', await idle()));
    const busy = probe(client);
    const from = performance.now();
    let most = { waiting: 0, lag: 0 };
    const behind = new Set<string>();
    let unanswered = 0;
    const look = async (): Promise<StatusView | undefined> => {
      // It is answered when all that was there is read and committed: in a flood that may be too late.
      const status = await client.status().catch(() => undefined);
      if (!status) return void unanswered++;
      const waiting = status.bounds?.find(({ what }) => what === 'kernel')?.held ?? 0;
      most = {
        waiting: Math.max(most.waiting, waiting),
        lag: Math.max(most.lag, status.sources[0]?.lag ?? 0),
      };
      for (const { code, message } of status.faults) if (code === 'W_FIREWALL_BEHIND') behind.add(message);
      return status;
    };
    let written = 0;
    // Ten times a second, whatever the clock did in between.
    while (written < count) {
      const due = Math.min(count, Math.floor(((performance.now() - from) / 1_000) * RATE));
      const stamp = stampOf(Date.now());
      let text = '';
      for (; written < due; written++) text += lineOf(address(written), stamp);
      appendFileSync(log, text);
      if (Math.floor(written / RATE) % 5 === 0) await look();
      await sleep(100);
    }
    const wrote = performance.now() - from;
    let status = await look();
    while (!status?.caughtUp || (status.firewall.blocked ?? 0) < count) {
      if (performance.now() - from > wrote * 10 + 60_000) break;
      await sleep(250);
      status = await look();
    }
    const took = performance.now() - from;
    if (!status) throw new Error('the daemon does not tell how it is');
    console.log(`${unanswered} questions for the status were not answered within five seconds`);
    console.log(
      `written in ${(wrote / 1_000).toFixed(1)} s; all in the kernel ${((took - wrote) / 1_000).toFixed(1)} s later: ${status.firewall.blocked} of ${count}`,
    );
    console.log(
      `at the most ${most.waiting} changes waited for the kernel, ${most.lag} bytes for the reader`,
    );
    console.log(`from line to kernel: median ${status.latency?.median} s, p99 ${status.latency?.p99} s`);
    console.log(told('the socket meanwhile', await busy()));
    console.log(`memory: ${memoryOf(pid).now} MiB, at the most ${memoryOf(pid).most} MiB`);
    for (const message of behind) console.log(`  W_FIREWALL_BEHIND: ${message}`);
    console.log(boundsOf(status));
  } finally {
    await daemon.end();
    execFileSync('ip', ['netns', 'del', name]);
    rmSync(folder, { recursive: true });
  }
}

const commit = execFileSync('git', ['-C', ROOT, 'describe', '--always', '--dirty'], { encoding: 'utf8' });
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, commit ${commit.trim()}`);
if (process.argv[2] !== 'bans') await addresses();
if (process.argv[2] !== 'addresses') await bans();
