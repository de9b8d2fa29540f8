// The match of a line of text: what is counted stands in it, what the pattern kept is decoded when somebody asks.
import type { Instant, Match, Network } from '../model.ts';
import { decoded } from './addresses.ts';

/** What a pattern kept of a message, by the names of its groups; decoded as UTF-8 once, when it is first asked for. */
export class CapturedFields {
  readonly #names: readonly string[];
  readonly #values: readonly string[];
  #read: Readonly<Record<string, string>> | undefined;

  /** @param values latin1, one for each name. */
  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  read(): Readonly<Record<string, string>> {
    // fromEntries: a field may be named __proto__.
    this.#read ??= Object.fromEntries(
      this.#names.map((name, index) => [name, decoded(this.#values[index]!)] as const),
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
