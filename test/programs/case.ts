// What a case is: a program with a configuration of its own, what two clients do to it, and what our filters must make of
// the log that it wrote.
import type { FilterOptions } from '../../src/filters/contract.ts';
import type { HttpAnswer, HttpRequest } from '../support/http.ts';
import type { Ran } from '../support/run.ts';

/** Who acts: one that guesses, one that doesn't. Each has an IPv4 and an IPv6 address. */
export type Who = 'attacker' | 'friend';

/** What a case does over one family. */
export interface Act {
  /** The server's address. */
  readonly server: string;
  /** The same as it stands in a URL. */
  readonly host: string;
  /** Speaks over TCP: each step waits for its first text (from where the last one was found), then says its second. */
  talk(who: Who, port: number, ...steps: readonly (readonly [string, string])[]): Promise<string>;
  http(who: Who, path: string, options?: HttpRequest): Promise<HttpAnswer>;
  /** A shell script with the case's packages at hand, in the client's namespace. */
  run(who: Who, script: string): Promise<Ran>;
}

export interface LogCase {
  /** Whose log in which form, as a heading. */
  readonly name: string;
  /** Its file in the case's folder. */
  readonly file: string;
  readonly filters: readonly string[];
  readonly options?: Partial<FilterOptions>;
  /**
   * What must come of the log, over one family, in any order: `attacker failed 1 root` and `friend got in alice`. What
   * counts nothing is left out.
   */
  readonly expected: readonly string[];
  /** Why the verdicts are wrong as yet. */
  readonly wrong?: string;
}

export interface Case {
  readonly name: string;
  /** The Debian packages that bring the program, and what else the case drives. */
  readonly packages: readonly string[];
  /** A shell script that becomes the program, or ends with a `wait`. */
  start(folder: string): string;
  /** The TCP ports that it listens on once it is ready. */
  readonly ports: readonly number[];
  play(act: Act): Promise<void>;
  /** Milliseconds for which its logs must not grow before they count as written, where it buffers them. */
  readonly quiet?: number;
  readonly logs: readonly LogCase[];
}
