// Programs that tests start, as values: a failed one has the same shape as a good one.
import { spawn, type ChildProcess } from 'node:child_process';

/** How a program ended and what it said. */
export interface Ran {
  /** undefined when a signal ended it. */
  code: number | undefined;
  signal: NodeJS.Signals | undefined;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string | Buffer;
  cwd?: string;
  /** Added to this process's environment; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** Milliseconds until SIGKILL: against hanging only. */
  timeout?: number;
}

/** Runs a program to its end. @throws only where it can't be started at all. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
      timeout: options.timeout ?? 60_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr }),
    );
    // A program may end without reading what it was sent.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a program that must succeed. @returns its standard output. @throws with all it said where it doesn't. */
export async function runOk(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const ran = await run(file, args, options);
  if (ran.code !== 0) {
    const said = (ran.stderr || ran.stdout).trim();
    throw new Error(`${file} ${args.join(' ')} ended with ${ran.code ?? ran.signal}: ${said}`);
  }
  return ran.stdout;
}

/** Waits until a process has ended; harmless where it already has. */
export function ended(
  child: ChildProcess,
): Promise<{ code: number | undefined; signal: NodeJS.Signals | undefined }> {
  const outcome = () => ({ code: child.exitCode ?? undefined, signal: child.signalCode ?? undefined });
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(outcome());
  return new Promise((resolve) => child.once('exit', () => resolve(outcome())));
}

/**
 * Asks `question` again and again until its answer is neither false nor undefined: for what another process or the kernel
 * does, and announces to nobody. @throws after `timeout` ms. @param pause between two questions, in ms: longer where one
 * costs something.
 */
export async function eventually<T>(
  what: string,
  question: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 30_000,
  pause = 15,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
