// The match of a line of text: what is counted stands in it, what the pattern kept is decoded when somebody asks.
import type { Instant, Match, Network } from '../model.ts';
import { decoded } from './addresses.ts';

/** A group of a pattern: its name, and its number among all. */
export interface Group {
  readonly name: string;
  readonly number: number;
}

/** What a pattern kept of a message, by the names of its groups; decoded as UTF-8 once, when it is first asked for. */
export class CapturedFields {
  readonly #groups: readonly Group[];
  readonly #found: RegExpExecArray;
  #read: Readonly<Record<string, string>> | undefined;

  /** @param found in a latin1 text. Groups of an alternative that was not taken are left out. */
  constructor(groups: readonly Group[], found: RegExpExecArray) {
    this.#groups = groups;
    this.#found = found;
  }

  read(): Readonly<Record<string, string>> {
    // fromEntries: a field may be named __proto__.
    this.#read ??= Object.fromEntries(
      this.#groups.flatMap(({ name, number }) => {
        const value = this.#found[number];
        return value === undefined ? [] : [[name, decoded(value)] as const];
      }),
    );
    return this.#read;
  }
}

type MatchParts = Omit<Match, 'fields'>;

/** A class, for most matches are only counted: a getter in an object costs more than the rest of it. */
export class TextMatch implements Match {
  readonly start: number;
  readonly end: number;
  readonly filter: string;
  readonly pattern: number;
  readonly outcome: 'failure' | 'success';
  readonly address: Network;
  readonly via: Network | undefined;
  readonly at: Instant | undefined;
  readonly counts: number;
  readonly oncePerSession: boolean;
  readonly session: string | undefined;
  readonly #captured: CapturedFields;

  constructor(parts: MatchParts, captured: CapturedFields) {
    this.start = parts.start;
    this.end = parts.end;
    this.filter = parts.filter;
    this.pattern = parts.pattern;
    this.outcome = parts.outcome;
    this.address = parts.address;
    this.via = parts.via;
    this.at = parts.at;
    this.counts = parts.counts;
    this.oncePerSession = parts.oncePerSession;
    this.session = parts.session;
    this.#captured = captured;
  }

  get fields(): Readonly<Record<string, string>> {
    return this.#captured.read();
  }
}
