// What a compiled filter is inside this room: `judge` runs it on one line, a scanner runs many over a chunk.
import type { Instant } from '../model.ts';
import type { LineAt } from './again.ts';
import type { Filter, LineVerdict, OptionKey, SessionMemory, ShortMatch, TellWhose } from './contract.ts';
import type { RecentMinute } from '../recent-minute.ts';
import type { Literal } from './literal.ts';
import type { ReadingPlan } from './short/plan.ts';

/**
 * How lines are framed. A line that is open is shared by all engines of a scanner with the same `key`;
 * opening the next one ends it.
 */
export interface Framing<L> {
  readonly key: string;
  /** @returns undefined where the line is not of this layout. */
  open(text: string, start: number, end: number, arrivedAt: Instant, among?: Among): L | undefined;
}

/** Bytes of which a text was made: what stands at `at` in the text stands at `at + shift` there. */
export interface Among {
  readonly bytes: Buffer;
  readonly shift: number;
}

/** Whose a fault is: the filter file's, or the jail's options'; of these it may be known which condition. */
export type Whose = 'filter' | 'jail' | OptionKey;

/** Told of what is wrong while a filter is compiled. */
export type Report = (whose: Whose, code: string, message: string, hint?: string) => void;

/** Whose conditions are compiled. */
export type Owner = 'filter' | OptionKey['key'];

/** Whose a fault in one of these conditions is. */
export function whoseCondition(owner: Owner, field: string): Whose {
  return owner === 'filter' ? owner : { key: owner, field };
}

/** A filter as it runs. `L` is the open line of its framing. */
export interface Engine<L> {
  readonly framing: Framing<L>;
  /** Every line that is a match holds one of these; undefined: every line must be looked at. */
  readonly literals: readonly Literal[] | undefined;
  readonly misfit: LineVerdict;
  /** Does a line that says that the one before came again count for as many? */
  readonly heedsRepeats?: boolean;
  /**
   * @param explains false where only matches matter: then an excepted line may be reported as no match, which is quicker.
   * @param around what is known besides the line itself; the sessions that it opens and closes are noted there.
   */
  examine(line: L, start: number, end: number, explains: boolean, around: Surroundings): LineVerdict;
  /** undefined: a line of this layout is always said in full. */
  readonly short?: Short<L>;
  /** Whose line it is, match or not: for layouts in which every line is somebody's. It opens lines of its own. */
  readonly whose?: TellWhose;
}

/**
 * The short way to say what a line is, of layouts that read bytes: of most matches it is enough to know whose and of when they
 * are, and nothing is made of them but a number.
 */
export interface Short<L> {
  /** {@link Framing}'s, of a line of which no text was made. */
  open(bytes: Buffer, start: number, end: number, arrivedAt: Instant): L;
  /** @param found filled where it is a match. */
  tell(line: L, found: ShortMatch): ShortVerdict;
  /** Where every line of the form is a match: what reads them many at a time; undefined where nothing does. */
  readonly reading?: Reading | undefined;
}

/** How lines are read many at a time. */
export interface Reading {
  readonly plan: ReadingPlan;
  /** Stamps of the minute that `tell` read last are known to whoever reads so, and others only to `tell`. */
  readonly minute: RecentMinute;
}

/** `unsure`: {@link Engine.examine} says. */
export type ShortVerdict = 'match' | 'no-match' | 'unsure';

/** What is known of a line besides itself. */
export interface Surroundings {
  readonly sessions: SessionMemory;
  /** The host that a syslog daemon named in front of the line; undefined where none did. */
  readonly host: string | undefined;
  /** When the line that begins there was received, for one without a stamp of its own. */
  receivedAt(start: number): Instant;
  readonly arrivedAt: Instant;
  /** Where the text that engines are given stands among bytes; undefined where it was made of none. */
  readonly among: Among | undefined;
  /** Which message the line [start, end) says came again. */
  before(start: number, end: number): LineAt | undefined;
}

/** What a syslog daemon wrote before the line that it relayed. */
export interface Relayed {
  /** Where the line begins. */
  readonly from: number;
  readonly at: Instant | undefined;
  readonly host: string | undefined;
  /** Is it a line of a program that the filter doesn't listen to? */
  readonly isForeign: boolean;
}

/** Reads such headers for one filter. */
export interface Relay {
  /**
   * Does a line as it stands come first? It does where a layout says what is of it: then a line that fits is never opened
   * further, whatever a client wrote into it. To `plain` any line is.
   */
  readonly layoutFirst: boolean;
  read(text: string, start: number, end: number, now: Instant): Relayed | undefined;
}

/** Every Filter of this room is one; see {@link engineOf}. */
export interface EngineFilter extends Filter {
  readonly engine: Engine<unknown>;
  /** Who may have relayed its lines; undefined where the layout tells that itself. */
  readonly relay: Relay | undefined;
}

/** @throws TypeError for a filter that compileFilter did not make. */
export function engineOf(filter: Filter): EngineFilter {
  if ('engine' in filter) return filter as EngineFilter;
  throw new TypeError(`the filter ${filter.definition.name} was not made by compileFilter`);
}
