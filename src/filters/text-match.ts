// The match of a line of text: what is counted stands in it, what the pattern kept is taken out when somebody asks.
import type { Instant, Match, Network } from '../model.ts';
import { decoded } from './addresses.ts';
import type { TextFrame } from './text-frame.ts';

/** A group of a pattern: its name, and its number among all. */
export interface Group {
  readonly name: string;
  readonly number: number;
}

/** What takes a message apart. */
export interface Taking {
  readonly regex: RegExp;
  /** The groups that are kept as fields. */
  readonly kept: readonly Group[];
}

/** What a pattern says of a message that it fits. */
export class Captured {
  /** undefined where the pattern names nobody. */
  readonly address: Network | undefined;
  /** The trusted proxy that handed the request on. */
  readonly via: Network | undefined;
  /** undefined where it has no <session>. */
  readonly session: string | undefined;
  readonly #taking: Taking;
  readonly #frame: TextFrame;
  #fields: Readonly<Record<string, string>> | undefined;

  constructor(
    address: Network | undefined,
    via: Network | undefined,
    session: string | undefined,
    taking: Taking,
    frame: TextFrame,
  ) {
    this.address = address;
    this.via = via;
    this.session = session;
    this.#taking = taking;
    this.#frame = frame;
  }

  /**
   * What it kept besides, by the names of its groups, decoded as UTF-8. Taken out when it is first asked for: most matches
   * are only counted. Groups of an alternative that was not taken are left out.
   */
  get fields(): Readonly<Record<string, string>> {
    const { regex, kept } = this.#taking;
    const found = this.#fields ? undefined : regex.exec(this.#frame.message);
    // fromEntries: a field may be named __proto__.
    this.#fields ??= Object.fromEntries(
      kept.flatMap(({ name, number }) => {
        const value = found?.[number];
        return value === undefined ? [] : [[name, decoded(value)] as const];
      }),
    );
    return this.#fields;
  }
}

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
  readonly #captured: Pick<Match, 'fields'>;

  constructor(parts: Omit<Match, 'fields'>, captured: Pick<Match, 'fields'>) {
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
    return this.#captured.fields;
  }
}
