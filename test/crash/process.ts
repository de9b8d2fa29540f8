// The daemon as a process in a namespace of its own: started, asked, killed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { createClient } from '../../src/api/index.ts';
import type { Client } from '../../src/api/index.ts';
import { READY } from './points.ts';
import type { Host } from '../support/namespaces.ts';
import { program } from '../support/programs.ts';
import { ended, eventually } from '../support/run.ts';

/** On a machine that many share, what takes a second alone takes half a minute. */
const PATIENCE = 180_000;

/** Between two questions. */
const ASKED = 60;
const MOST_ASKED = 100;

/** Where a daemon runs and what it is called on. */
export interface Place {
  /** Holds jails.json, clock, filters/, logs/, state/ and run/. */
  readonly folder: string;
  readonly host: Host;
  /** The program. */
  readonly main: string;
}

/** @param mark `POINT:TIMES`: it dies by SIGKILL when it passes the point for that time; empty: it lives. */
export function launch({ host, main, folder }: Place, mark = ''): ChildProcess {
  // A third of what a start costs is to translate the same sources once more. Whoever first ends in order leaves it behind.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(dirname(main), 'compiled') };
  const child = spawn(
    program('ip'),
    ['netns', 'exec', host.namespace, process.execPath, main, folder, mark],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    },
  );
  child.stderr.on('data', (text: Buffer) => process.stderr.write(text));
  return child;
}

/** Resolves when it answers, or has ended before. @returns whether it answers. */
export async function ready(child: ChildProcess): Promise<boolean> {
  const said = await Promise.race([
    new Promise<Buffer>((resolve) => child.stdout!.once('data', resolve)),
    ended(child),
  ]);
  return Buffer.isBuffer(said) && said.toString('latin1').startsWith(READY);
}

export async function caughtUp(child: ChildProcess, { folder }: Place): Promise<void> {
  const client = createClient(join(folder, 'run'));
  await eventually(
    'the daemon has caught up',
    async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('the daemon has ended');
      const isDone = (await client.status().catch(() => undefined))?.caughtUp;
      // To be asked is work for it: it looks at every log, and commits.
      if (!isDone) await pause(ASKED);
      return isDone;
    },
    PATIENCE,
  );
}

/** A point that was never passed is no place to die: then it dies once it has caught up. */
export async function settleOrDie(child: ChildProcess, place: Place): Promise<void> {
  await Promise.race([ended(child), caughtUp(child, place).catch(() => {})]);
  child.kill('SIGKILL');
  await ended(child);
}

/** What a reboot leaves of the kernel's part: nothing. For while no daemon runs. */
export async function reboot({ host }: Place): Promise<void> {
  await host.runOk(program('nft'), ['flush', 'ruleset']);
}

/** Starts a daemon, lets `task` happen, and ends it by the signal. @throws where it ends before. */
export async function during(
  place: Place,
  signal: 'SIGTERM' | 'SIGKILL',
  task: (client: Client, child: ChildProcess) => Promise<void>,
): Promise<void> {
  const child = launch(place);
  try {
    await ready(child);
    await task(createClient(join(place.folder, 'run')), child);
    child.kill(signal);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    await ended(child);
  }
}

/** The processes that a process has started, and that have not ended. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // It has ended.
  }
}

/** Keeps the daemon from committing, as somebody does who looks at the ledger by hand. @returns what ends it. */
export function lockLedger({ folder }: Place): () => void {
  const db = new Database(join(folder, 'state', 'ledger.sqlite'), { timeout: 5_000 });
  db.exec('BEGIN IMMEDIATE');
  return () => void db.close();
}

/**
 * Waits until the daemon has read everything and could not commit it, or has ended; but not for long, for where nothing has
 * changed there is nothing to commit.
 * @returns whether it failed.
 */
export async function commitFailed(child: ChildProcess, { folder }: Place): Promise<boolean> {
  const client = createClient(join(folder, 'run'));
  let before = '';
  for (let asked = 0; asked < MOST_ASKED && child.exitCode === null && child.signalCode === null; asked++) {
    // It tries to commit before it answers, and says how much is unread after it has looked. Half a line stays so.
    const status = await client.status().catch(() => undefined);
    const { faults = [], sources = [] } = status ?? {};
    const hasFailed = faults.some(({ code }) => code === 'E_LEDGER_UNAVAILABLE');
    // Applications go on: they repeat what has no answer.
    const read = sources.filter(({ kind }) => kind !== 'report');
    const now = read.map(({ id, lag, lines }) => `${id} ${lag} ${lines}`).join();
    if (hasFailed && now === before) return true;
    before = now;
    await pause(ASKED);
  }
  return false;
}

/** The writer's own rhythm: the pauses are part of the script, not a way to wait for something. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
