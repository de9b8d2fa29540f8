// What a verb is: one file in verbs/, and a row in verbs.ts.
import type { Client } from '../api/index.ts';
import type { Role } from '../api/contract.ts';
import type { Paths } from './paths.ts';

/** One argument or option, in commander's notation. */
export interface Term {
  /** Arguments: `<address...>` (at least one), `[jail]` (may be left out). Options: `--for <duration>`, `--all`. */
  readonly term: string;
  readonly summary: string;
  /** The only words that it takes, for completions; where they are not fixed, its name says what it takes (surface.ts). */
  readonly choices?: readonly string[];
}

/** Options by their camel-cased long names; flags are true, those not given are missing. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface Verb {
  readonly name: string;
  /** A few words for `bailiff --help`. */
  readonly summary: string;
  readonly arguments: readonly Term[];
  readonly options: readonly Term[];
  /** More for `bailiff VERB --help`. */
  readonly details?: string;
  /**
   * @param args the arguments, flat: those of a list follow each other, one left out is missing.
   * @returns the exit status (EXIT); results have gone to `context.out`.
   * @throws BailiffError, which becomes one sentence on standard error and its own exit status.
   */
  run(context: Context, args: readonly string[], options: Options): Promise<number>;
}

/** What a verb may use of the world around it. */
export interface Context {
  readonly version: string;
  readonly paths: Paths;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  /** Is standard output a terminal? Then tables are drawn; else columns are separated by tabs. */
  readonly terminal: boolean;
  /** Writes to standard output as it is: hostile text must have gone through printable(). A closed pipe is quiet. */
  out(text: string): void;
  /** Writes to standard error, likewise. */
  err(text: string): void;
  /** Every verb there is, loaded: for those that describe the command line. */
  verbs(): Promise<Verb[]>;
  /** A client of the daemon; `status` reaches it without root, but only for reads without hostile text. */
  client(role?: Role): Promise<Client>;
}
