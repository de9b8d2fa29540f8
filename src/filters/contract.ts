// What a filter is to the rest of the house: bytes in, matches out.
import type { AddressWords } from '../address-words.ts';
import type { Fault } from '../errors.ts';
import type { Lines } from '../lines.ts';
import type { Conditions, Instant, Match, Network, Waiting } from '../model.ts';
import type { ShortRun } from '../short-run.ts';
import type { SessionId } from './session-index.ts';

export type LayoutName = 'syslog' | 'access' | 'json' | 'logfmt' | 'plain';

export interface PatternDefinition {
  /** As it was written, placeholders and all. */
  readonly regex: string;
  /**
   * 0: evidence only. `session`: once, unless a line of the same session has counted: for services that have a process
   * for each connection, whose pid stands in the syslog tag, or that write an id of it. Without either it counts each time.
   */
  readonly counts: number | 'session';
  /** `aggressive` patterns are taken in only where a jail asks for them. */
  readonly mode: 'normal' | 'aggressive';
  /** Texts of which each of its lines holds one, to be searched for in the place of what is derived from the pattern. */
  readonly literals?: readonly string[];
  /** Its place in the filter's file. */
  readonly line: number;
  readonly column: number;
}

/** One kind of record that counts, or that speaks for its address: what its fields hold. */
export interface CaseDefinition {
  readonly where: Conditions;
  /** `session`: once, unless a record with the same id under `session` has counted; without an id each time. */
  readonly counts: number | 'session';
  /** `aggressive` cases are taken in only where a jail asks for them. */
  readonly mode: 'normal' | 'aggressive';
  /** Its place in the filter's file. */
  readonly line: number;
  readonly column: number;
}

export interface Sample {
  /** In a filter that joins lines, maybe several of them: the last one is judged, after the others were read. */
  readonly text: string;
  /** `none`: the line must not match (or speaks for the address: a success). Else at least these fields. */
  readonly yields: 'none' | Readonly<Record<string, string>>;
  readonly line: number;
  readonly column: number;
}

/** What a filter states of its service. */
export interface Limit {
  readonly field: string;
  /** What in the service sees to it, for the reader. */
  readonly why: string;
  readonly line: number;
  readonly column: number;
}

/** A filter file, checked but not compiled. */
export interface FilterDefinition {
  /** The file's name without `.yaml`. */
  readonly name: string;
  readonly file: string;
  /** Digest of the file's text: a proof holds for exactly this text. */
  readonly hash: string;
  readonly service: string;
  readonly description: string;
  readonly layout: LayoutName;
  /** Where the layout is written. */
  readonly layoutAt: { readonly line: number; readonly column: number };
  readonly program: readonly string[];
  readonly match: readonly PatternDefinition[];
  readonly success: readonly PatternDefinition[];
  /**
   * In which jails a success protects its address: those that have the filter, all of them (where whoever logs in is an
   * administrator), or none (where a client can make one up).
   */
  readonly protects: 'jail' | 'host' | 'nobody';
  /** Lines that tell whose session it is, so that later lines of it need no address … */
  readonly opens: readonly PatternDefinition[];
  /** … and lines that end one. */
  readonly closes: readonly PatternDefinition[];
  /** Lines that are no match although a pattern says so: as patterns … */
  readonly except: readonly PatternDefinition[];
  /** … or as conditions on fields. */
  readonly where: Conditions | undefined;
  readonly exceptWhere: Conditions | undefined;
  /** Fields of the patterns in which the service itself writes nothing that their class leaves out. */
  readonly limits: readonly Limit[];
  /** What access, json and logfmt have instead of patterns: `match`, for which `where` must hold too, and `success` (not access). */
  readonly matchWhere: readonly CaseDefinition[];
  readonly successWhere: readonly CaseDefinition[];
  /** json and logfmt: the fields to look in, in order. */
  readonly address: readonly string[];
  readonly time: readonly string[];
  /** Which of a record's fields names the request or connection that it is about. */
  readonly session: readonly string[];
  readonly samples: readonly Sample[];
  readonly forged: readonly Sample[];
}

export interface FilterOptions {
  /** An nginx `log_format` string, or `combined`, `common`, `json`; default: combined. */
  readonly logFormat: string | undefined;
  /** IANA zone or `UTC` for stamps that name none; undefined: the host's. */
  readonly zone: string | undefined;
  readonly mode: 'normal' | 'aggressive';
  /** A jail's own narrowing of the filter's fields. */
  readonly where: Conditions | undefined;
  readonly except: Conditions | undefined;
  /** Whose forwarding header is believed: the offender is whom it names. */
  readonly trustedProxies?: readonly Network[];
}

/** What a filter says about one line, stage by stage. */
export type LineVerdict =
  | { readonly outcome: 'no-layout'; readonly why: string }
  | { readonly outcome: 'no-match'; readonly why: string }
  | { readonly outcome: 'excepted'; readonly why: string; readonly match: Match }
  | { readonly outcome: 'match' | 'success'; readonly match: Match }
  /** The line counts nothing: it tells whose session it is, or that a session is over. */
  | {
      readonly outcome: 'opened';
      readonly why: string;
      readonly session: string;
      readonly address: Network;
    }
  | {
      readonly outcome: 'closed';
      readonly why: string;
      readonly session: string;
      /** undefined where the line bears none. */
      readonly address: Network | undefined;
    };

/**
 * Whose sessions are under way, by the lines of one log so far: a line without an address is about the address that an
 * earlier line of its session bore, or waits for the line that ends it. Asked and told line by line, in order.
 * `at` is the instant of the line, `until` when the session is forgotten, by later lines' stamps.
 */
export interface SessionMemory {
  /** A session begins, and is this address's, whatever was known under its id. */
  open(filter: string, session: SessionId, address: Network, at: Instant, until: Instant): void;
  /** A line of a session bears this address. What waits goes on waiting: the line may be another's with the same id. */
  tell(filter: string, session: SessionId, address: Network, at: Instant, until: Instant): void;
  find(filter: string, session: SessionId, at: Instant): Network | undefined;
  /** Is anything known of it, if only that something waits? */
  has(filter: string, session: SessionId): boolean;
  /** A line without an address is kept, in sum with those of its session that are kept already. */
  wait(filter: string, session: SessionId, waiting: Waiting, at: Instant, until: Instant): void;
  /** A session is over. @returns what waited for it. */
  close(filter: string, session: SessionId, at: Instant): Waiting | undefined;
  /** The last line of the log so far, where a filter took it: the next one may say that it came again. latin1. */
  readonly lastLine: string | undefined;
  /** @param at when it was read. */
  keepLast(line: string | undefined, at: Instant): void;
}

/** A filter ready to run. */
export interface Filter {
  readonly definition: FilterDefinition;
  readonly options: FilterOptions;
  /**
   * Matches one line (latin1, without its end). Slow path: `explain`, samples. Same verdicts as a scan.
   * @param sessions what earlier lines told; without it, nothing.
   */
  judge(line: string, arrivedAt: Instant, sessions?: SessionMemory): LineVerdict;
}

export interface ScanReport {
  /** Lines that were looked at: those that the search for literals let through, and the last one whatever it holds. */
  readonly candidates: number;
  /** Those of them that fit no layout. */
  readonly unframed: number;
}

/** Whose a line of a chunk is, and its stamp; undefined where the line doesn't say. [start, end) without its line end. */
export type TellWhose = (
  text: string,
  start: number,
  end: number,
  arrivedAt: Instant,
) => { readonly address: Network; readonly at: Instant | undefined } | undefined;

/** What most matches come to: a failure that counts once and of which no session is known. The scanner's own: it is filled anew. */
export interface ShortMatch {
  readonly address: AddressWords;
  at: Instant;
}

/** Who is content with matches in short. */
export interface Shortly {
  /** By filter: are any of its matches wanted in short? */
  readonly wanted: readonly boolean[];
  /**
   * Told of a match that can be said in short, by where its line begins among all.
   * @returns whether that was enough; else it comes in full.
   */
  visit(filter: number, start: number, match: ShortMatch): boolean;
  /** The same of many, in their order: it moves `run.first` on to the first that isn't enough, and that comes in full. */
  visitRun(filter: number, run: ShortRun): void;
}

/** All filters of one source, compiled together: one search for literals, full patterns on candidate lines only. */
export interface Scanner {
  /**
   * Calls `visit` for each match, in the order of lines; `filter` is the index in the list that the scanner was made from.
   * A line may match several filters, but each at most once. A match's `fields` may be read from the line when they are
   * asked for: name what you keep of it, a spread would miss them. `base` is to be added to its `start` and `end`, to find
   * its line among all.
   * @param lines whole ones, each ended by \n or \r\n; a string is latin1. Of bytes only few are made text.
   * @param source whose lines they are, in order: a container engine writes a long line in parts, of which a chunk may hold
   *   some only.
   * @param sessions what earlier lines of that source told, and where these lines are noted; without it, they are joined
   *   with nothing.
   * @param short left out where every match is wanted in full.
   */
  scan(
    lines: string | Lines,
    arrivedAt: Instant,
    visit: (filter: number, match: Match, base: number) => void,
    source?: string,
    sessions?: SessionMemory,
    short?: Shortly,
  ): ScanReport;
  /** undefined where lines of the source that don't match are nobody's. May be asked while a scan is under way. */
  readonly whose?: TellWhose | undefined;
}

export type Compiled =
  | { readonly ok: true; readonly filter: Filter; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly FilterFault[] };

/** A condition among a jail's options. */
export interface OptionKey {
  readonly key: 'where' | 'except';
  readonly field: string;
}

/** A fault of a filter, or of the options that it was compiled for: then `file` is empty, and a condition is named. */
export interface FilterFault extends Fault {
  readonly option?: OptionKey;
}

/** One thing that a filter failed to prove. */
export interface Refutation {
  readonly kind: 'sample' | 'forged' | 'forgery';
  /** The line in question. Hostile text. */
  readonly text: string;
  readonly expected: string;
  readonly got: string;
  readonly hint?: string;
  readonly line: number;
  readonly column: number;
}
