// The doors to the outside world, as interfaces. `daemon/system.ts` makes the real ones; tests hand in their own.
import type { Duration, Instant } from './model.ts';

export interface Clock {
  /** Wall time. */
  now(): Instant;
  /** Never jumps; only differences mean something. */
  monotonic(): Duration;
  /** Like `monotonic`, and goes on while the host sleeps. Left out: it never sleeps. */
  sinceBoot?: () => Duration;
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
  /** Takes what it prints, piece by piece, in the place of {@link ExecResult.stdout}. */
  readonly output?: (text: string) => void;
  /** Told its pid once it runs. */
  readonly started?: (pid: number) => void;
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
  write(text: string | Buffer): void;
  /**
   * Puts a text where the child can read it, in place of the one before: so it must have read that.
   * @returns the path by which the child opens it; undefined where there is no room for it. Left out for who asked for none.
   */
  readonly lay?: (text: string) => string | undefined;
  /** Called with each piece of output as it comes. */
  onOutput(listener: (text: string) => void): void;
  /** While held, nothing of its output is read; once its pipe is full, it waits. A second call is harmless. */
  hold(isHeld: boolean): void;
  /** Called once, when it has ended for whatever reason. */
  onExit(listener: (why: string) => void): void;
  kill(): void;
}

/** Bytes that come by and by and are pulled: what nobody takes stays in the pipe, and whoever writes into it waits. */
export interface Feed {
  /** What has come since the last call; undefined where nothing has. */
  take(): Buffer | undefined;
  /** Calls back when there may be something to take. Only who has taken everything is called again. */
  onReadable(listener: () => void): void;
  /** Calls back once, when everything was taken and nothing more will come. */
  onEnd(listener: (why: string) => void): void;
  /** Has it an end already: is it a file? */
  readonly isFile: boolean;
  /** Ends the program that feeds it. Harmless where it has ended. */
  close(): void;
}

/**
 * Runs one of our own programs to its end, with `input` as its standard input.
 * @returns what it said; undefined where it could not be started, or failed.
 */
export type RunBeside = (program: string, input: string) => Promise<string | undefined>;

export interface Exec {
  run(request: ExecRequest): Promise<ExecResult>;
  /** Starts a program that stays. @param reads may it be laid texts to read? @returns undefined where it can't be started. */
  spawn(file: string, args: readonly string[], reads?: boolean): Child | undefined;
  /** The absolute path of a program looked up in the fixed system folders (never in PATH). */
  find(program: string): string | undefined;
}

/** When something comes round: `at` so long after each multiple of `every`, counted from 1970. Milliseconds. */
export interface Round {
  readonly every: Duration;
  readonly at: Duration;
}

/** Runs `task` at each of these instants by the host's clock. Doesn't keep the process alive. */
export type Rounds = (round: Round, task: () => void) => Cancel;

/** Programs that say more and more and are told nothing. */
export interface FeedExec extends Exec {
  /** @returns undefined where it can't be started. */
  follow(file: string, args: readonly string[]): Feed | undefined;
}

/** Log lines are facts: a constant message and fields. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** A log that says nothing, for `replay` and `check`. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
