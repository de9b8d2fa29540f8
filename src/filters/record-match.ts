// The match of a record: what is counted is read at once, the rest when somebody asks.
import type { Instant, Match, Network } from '../model.ts';

/** Reads what evidence shows of the line [start, end). */
export type ReadRest = (text: string, start: number, end: number) => Readonly<Record<string, string>>;

interface MatchParts extends Omit<Match, 'fields' | 'pattern'> {
  readonly text: string;
  /** The number of its pattern. */
  readonly index: number;
  readonly readRest: ReadRest;
}

/** A match whose fields are taken apart when they are asked for: most matches are only counted. */
export class RecordMatch implements Match {
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
  readonly #text: string;
  readonly #readRest: ReadRest;

  constructor(parts: MatchParts) {
    this.start = parts.start;
    this.end = parts.end;
    this.filter = parts.filter;
    this.pattern = parts.index;
    this.outcome = parts.outcome;
    this.address = parts.address;
    this.via = parts.via;
    this.at = parts.at;
    this.counts = parts.counts;
    this.oncePerSession = parts.oncePerSession;
    this.session = parts.session;
    this.#text = parts.text;
    this.#readRest = parts.readRest;
  }

  get fields(): Readonly<Record<string, string>> {
    return this.#readRest(this.#text, this.start, this.end);
  }
}
