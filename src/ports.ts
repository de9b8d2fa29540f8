// The doors to the outside world, as interfaces. `daemon/system.ts` makes the real ones; tests hand in their own.
import type { Duration, Instant } from './model.ts';

export interface Clock {
  /** Wall time. */
  now(): Instant;
  /** Never jumps; only differences mean something. */
  monotonic(): Duration;
  /** Runs `task` once, `after` milliseconds from now, unless cancelled. Doesn't keep the process alive. */
  schedule(after: Duration, task: () => void): Cancel;
}
export type Cancel = () => void;

export interface ExecRequest {
  /** Absolute path of the program. There is never a shell. */
  readonly file: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Added to the fixed environment; nothing of the daemon's own is handed on unless it stands here. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed. */
  readonly timeout: Duration;
}

/** A failed command has the same shape as a good one. */
export interface ExecResult {
  readonly outcome: 'exited' | 'timeout' | 'not-started';
  /** The exit status; undefined unless `exited`. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** For `not-started`: why (ENOENT, EACCES, …). */
  readonly stderr: string;
}

/** A long-lived child that is fed through a pipe. Its stdout and stderr are one stream, so that answers keep their order. */
export interface Child {
  readonly pid: number;
  write(text: string): void;
  /** Called with each piece of output as it comes. */
  onOutput(listener: (text: string) => void): void;
  /** Called once, when it has ended for whatever reason. */
  onExit(listener: (why: string) => void): void;
  kill(): void;
}

export interface Exec {
  run(request: ExecRequest): Promise<ExecResult>;
  /** Starts a program that stays. @returns undefined where it can't be started. */
  spawn(file: string, args: readonly string[]): Child | undefined;
  /** The absolute path of a program looked up in the fixed system folders (never in PATH). */
  find(program: string): string | undefined;
}

/** Runs `task` whenever the host's clock shows `when` (cron's five fields, or six with seconds in front). Doesn't keep the process alive. */
export type Cron = (when: string, task: () => void) => Cancel;

/** Log lines are facts: a constant message and fields. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** A log that says nothing, for `replay` and `check`. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
