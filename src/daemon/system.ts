// The real doors to the outside world: the one file that starts processes and reads the system's clock.
//
// Programs run by absolute path with an array of arguments, of which no shell reads anything, and in a fixed environment:
// nothing that the daemon was started with (PATH, LD_PRELOAD, a locale) reaches them.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { uptime } from 'node:os';
import type { Readable } from 'node:stream';
import type { Owner } from '../firewall/contract.ts';
import type { Duration } from '../model.ts';
import type { Cancel, Child, Clock, ExecRequest, ExecResult, Feed, FeedExec } from '../ports.ts';
import { reasonOf } from '../errors.ts';
import { createSinceBoot } from './since-boot.ts';

/** Where programs are looked up: only root writes here. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const ENVIRONMENT = {
  PATH: FOLDERS.join(':'),
  LANG: 'C',
  // `nft -i` would keep a history file of every ban in a home that exists.
  HOME: '/nonexistent',
};
/** `detached`: a process group of its own. Ctrl-C is for the daemon, which may have something to say to nft before it ends. */
const SURROUNDINGS = { env: ENVIRONMENT, cwd: '/', detached: true } as const;
/** What says more than this, and is not handed on as it comes, is killed. A listing of 500 000 elements is about 35 MB. */
const MAX_OUTPUT = 64 * 1024 * 1024;
/** setTimeout takes a longer delay for none at all. */
const MAX_DELAY = 2 ** 31 - 1;

/** `performance.now` to the microsecond; the global of that name has Node load all that measures performance. */
function monotonic(): Duration {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

/** The system's clocks; its timers don't keep the process alive. */
export function createClock(): Clock {
  const clock = { now: Date.now, monotonic, schedule };
  try {
    uptime();
  } catch {
    // A sandbox that shows nothing of it.
    return clock;
  }
  const sinceBoot = createSinceBoot(() => uptime() * 1_000, { monotonic, wall: clock.now });
  return { ...clock, sinceBoot };
}

/** CLOCK_MONOTONIC, which other processes read as well; in microseconds. */
export const monotonicMicroseconds = (): bigint => process.hrtime.bigint() / 1_000n;

/** Starts real processes. What they print is read as UTF-8. */
export function createExec(): FeedExec {
  return { run, spawn: spawnChild, follow, find };
}

function schedule(after: Duration, task: () => void): Cancel {
  let timer: NodeJS.Timeout;
  const wait = (left: Duration): void => {
    const step = Math.min(Math.max(0, left), MAX_DELAY);
    timer = setTimeout(() => (left > step ? wait(left - step) : task()), step);
    timer.unref();
  };
  if (after !== Infinity) wait(after);
  return () => clearTimeout(timer);
}

function find(program: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${program}`).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function run(request: ExecRequest): Promise<ExecResult> {
  let child: ChildProcess;
  try {
    const env = { ...ENVIRONMENT, ...request.env };
    child = spawn(request.file, request.args, { ...SURROUNDINGS, env, stdio: 'pipe' });
  } catch (error) {
    return Promise.resolve(notStarted(reasonOf(error)));
  }
  if (child.pid !== undefined) request.started?.(child.pid);
  return new Promise((resolve) => {
    const output = { stdout: '', stderr: '' };
    let size = 0;
    let cutOff: 'timeout' | 'output' | undefined;
    const cutShort = (why: 'timeout' | 'output'): void => {
      cutOff ??= why;
      child.kill('SIGKILL');
      // A grandchild may hold the pipes open: without this the answer would wait for it.
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const timer = setTimeout(() => cutShort('timeout'), Math.min(request.timeout, MAX_DELAY));
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        // What is handed on takes no room; but its taker takes time, and Node would read on and on within one turn.
        if (name === 'stdout' && request.output) {
          request.output(text);
          child.stdout!.pause();
          return void setImmediate(() => child.stdout!.resume());
        }
        size += text.length;
        if (size > MAX_OUTPUT) cutShort('output');
        else output[name] += text;
      });
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      // It could not be started; for one that runs this is a signal that did not reach it.
      if (child.pid === undefined) resolve(notStarted(reasonOf(error)));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (cutOff === 'timeout') return resolve({ outcome: 'timeout', code: undefined, ...output });
      if (cutOff === 'output') output.stderr = `more than ${MAX_OUTPUT} bytes of output`;
      // As shells write it: a program ended by a signal has a status above 128.
      resolve({ outcome: 'exited', code: code ?? 128 + 9, ...output });
    });
    // It may end without reading its input; that shows in its exit status.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(request.input ?? '');
  });
}

/**
 * Runs one of our own programs to its end, as this one was started: by the same Node, in the same surroundings.
 * @param isAwaited who ends this process waits for it; else it ends with it.
 * @returns what it said; undefined where it could not be started, or said nothing to the end.
 */
export function runBeside(isAwaited: boolean, program: string, input: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [...process.execArgv, program], { stdio: ['pipe', 'pipe', 'ignore'] });
    } catch {
      return resolve(undefined);
    }
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    if (!isAwaited)
      for (const each of [child, child.stdin, child.stdout] as (ChildProcess | Socket)[]) each.unref();
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => {
      process.removeListener('exit', end);
      resolve(code === 0 ? said : undefined);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function notStarted(why: string): ExecResult {
  return { outcome: 'not-started', code: undefined, stdout: '', stderr: why };
}

/**
 * Node gives each stream of a child a socket of its own, so what a child says on stdout and on stderr would lose its
 * order. A shell makes one of the two and becomes the program: of the program's path and arguments it reads nothing, for they
 * are arguments of its own, and no process is left between it and us.
 */
const ONE_OUTPUT = 'exec "$0" "$@" 2>&1';

function spawnChild(file: string, args: readonly string[], reads = false): Child | undefined {
  const shell = find('sh');
  // What the shell can't start would look like a program that ended.
  if (shell === undefined || !isProgram(file)) return undefined;
  const shared = reads ? openShared() : undefined;
  const streams = ['pipe' as const, 'pipe' as const, 'ignore' as const];
  const all = shared ? [...streams, shared.fd] : streams;
  const child = startQuietly(shell, ['-c', ONE_OUTPUT, file, ...args], all);
  if (!child?.stdin || !child.stdout || child.pid === undefined) {
    shared?.close();
    return undefined;
  }
  if (shared) child.once('exit', shared.close);
  const { stdin, stdout, pid } = child;
  stdin.on('error', () => undefined);
  stdout.setEncoding('utf8');
  return {
    pid,
    write: (text) => void stdin.write(text),
    ...(shared && { lay: shared.lay }),
    onOutput: (listener) => void stdout.on('data', listener),
    hold: (isHeld) => void (isHeld ? stdout.pause() : stdout.resume()),
    // Only after its last words: an answer must not come after the news of the end.
    onExit: (listener) => void child.on('close', (code, signal) => listener(signal ?? `exit ${code}`)),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Where a file may lie that has no name: in memory if possible. */
const SHARED = ['/dev/shm', '/tmp'];
/** O_TMPFILE of open(2), whose constant Node has no name for: such a file was never in a folder, so nobody else can open it. */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY | constants.O_RDWR;
/** The first that a child is handed after its three streams. */
const ITS_NUMBER = 3;

interface Shared {
  readonly fd: number;
  readonly lay: (text: string) => string | undefined;
  readonly close: () => void;
}

/** A file that a child is handed and can open anew, to read it from its beginning. One for each child: none meets another's text. */
function openShared(): Shared | undefined {
  for (const folder of SHARED) {
    try {
      const fd = openSync(folder, NAMELESS, 0o600);
      let isOpen = true;
      const close = (): void => {
        isOpen = false;
        closeSync(fd);
      };
      // The number may be another file's by then.
      return { fd, lay: (text) => (isOpen ? layInto(fd, text) : undefined), close };
    } catch {
      // No such folder, or its file system has no such files.
    }
  }
  return undefined;
}

function layInto(fd: number, text: string): string | undefined {
  try {
    ftruncateSync(fd, 0);
    const bytes = Buffer.from(text, 'utf8');
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
    return `/dev/fd/${ITS_NUMBER}`;
  } catch {
    return undefined;
  }
}

/** Of what a program says on its standard error, so much tells why it ended. */
const LAST_WORDS = 2_000;

function follow(file: string, args: readonly string[]): Feed | undefined {
  const child = startQuietly(file, args, ['ignore', 'pipe', 'pipe']);
  if (!child?.stdout || !child.stderr) return undefined;
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-LAST_WORDS)));
  const { stdout } = child;
  return {
    ...pulled(stdout),
    isFile: false,
    // Once its output was read to the end.
    onEnd: (listener) =>
      void child.on('close', (code, signal) => listener(words.trim() || (signal ?? `exit ${code}`))),
    close() {
      child.kill('SIGKILL');
      stdout.destroy();
    },
  };
}

/** Standard input. Whoever asks for it is the only one who reads it. */
export function createInput(): Feed {
  const { stdin } = process;
  return {
    ...pulled(stdin),
    isFile: fstatSync(0).isFile(),
    onEnd(listener) {
      stdin.on('end', () => listener('it has ended'));
      stdin.on('error', (error) => listener(reasonOf(error)));
    },
    close: () => void stdin.destroy(),
  };
}

function pulled(stream: Readable): Pick<Feed, 'take' | 'onReadable'> {
  return {
    take: () => (stream.read() as Buffer | null) ?? undefined,
    onReadable: (listener) => void stream.on('readable', listener),
  };
}

type Stdio = NonNullable<Parameters<typeof spawn>[2]['stdio']>;

/** @returns undefined where the program can't be started (missing, not permitted, no memory). */
function startQuietly(file: string, args: readonly string[], stdio: Stdio): ChildProcess | undefined {
  try {
    const child = spawn(file, args, { ...SURROUNDINGS, stdio });
    child.on('error', () => undefined);
    return child.pid === undefined ? undefined : child;
  } catch {
    return undefined;
  }
}

/** This process as it marks the kernel, and how it tells whether another one that did still lives. */
export function createOwner(): Owner {
  return {
    id: `${process.pid}_${startOf(process.pid) ?? 0}`,
    isAlive(id) {
      const [pid, start] = id.split('_').map(Number);
      return startOf(pid!) === start;
    },
  };
}

/** When a process started, in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)), undefined where there is none. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets, which may hold anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
