// What a jail is to the rest of the house: matches in, verdicts out. Pure: no clock, no I/O.
import type { AddressWords } from '../address-words.ts';
import type { ShortRun } from '../short-run.ts';
import type {
  Duration,
  Evidence,
  Instant,
  JailRules,
  Network,
  Offender,
  Verdict,
  Welcome,
  Widening,
} from '../model.ts';
import type { Crowds } from './crowds.ts';
import type { Earlier } from './sentence.ts';
import type { Arrival, Welcomes } from './welcomes.ts';

export type { Brake } from './brake.ts';
export type { Arrival } from './welcomes.ts';

/** What a jail needs to know of a match. It is the caller's, who may fill it anew for the next one. */
export interface Count {
  readonly address: Network;
  /** The line's own instant, or the arrival where it has none. */
  readonly at: Instant;
  readonly counts: number;
  /** Who wrote the line: lines of one session may speak of the same attempt. undefined where that can't be told. */
  readonly session?: string | undefined;
  /** Counts only where no other match of its session has counted, as far as that still counts. */
  readonly oncePerSession?: boolean;
  readonly outcome: 'failure' | 'success';
  /** Called only when the jail keeps the line. */
  readonly evidence: () => Evidence;
}

export interface JailStats {
  matches: number;
  ignored: number;
  late: number;
  /** Sentences passed since the start. */
  bans: number;
  /** Offenders forgotten because there were too many. */
  evicted: number;
  /** Lines that were evidence and were dropped because there were too many. */
  thinned: number;
}

/** How much a jail remembers at most. */
export interface Bounds {
  /** Offenders, banned ones aside. */
  readonly offenders: number;
  /** Bytes of evidence, about. */
  readonly evidence: number;
}

/** The network around an address, how many of it are banned, and from how many on all of it is. */
export interface Around extends Widening {
  readonly when: number;
}

export interface Next {
  readonly nth: number;
  readonly duration: Duration;
  /** Where the step may ban the network around the address: how many of it are banned with this one, and from how many on. */
  readonly wider?: Around | undefined;
}

export interface Jail {
  readonly rules: JailRules;
  readonly stats: Readonly<JailStats>;
  readonly size: number;
  /** The same matches in the same order give the same verdicts, whenever they are run. */
  decide(match: Count): Verdict;
  /** Are there matches of which it keeps nothing but the number? Where few of them ban, a line of each is kept. */
  readonly countsOnly: boolean;
  /**
   * Counts a match where nothing but that is to be done: a failure that counts once and of which no session is known, of
   * somebody who is far from a ban and of whom nothing else is remembered.
   * @param address the caller's, who may fill it anew.
   * @returns false: then nothing has happened, and {@link decide} says what becomes of it.
   */
  countOnly(address: AddressWords, at: Instant): boolean;
  /** The same of many, in their order, up to the first that must be told in full: `run.first` is moved on to that. */
  countRun(run: ShortRun): void;
  /**
   * Someone logged in from the address: until `protectAfterSuccess` is over, it takes many times maxRetry to ban it here.
   * Who is banned here, or comes to be all the same, is protected again only by a log-in after the sentence.
   */
  welcome(address: Network, at: Instant, how?: Arrival): void;
  /** The log-in that protects the address here at that instant; of a network, one that protects somebody inside. */
  welcomed(address: Network, at: Instant): Welcome | undefined;
  /** How many matches ban the address at that instant. */
  limitOf(address: Network, at: Instant): number;
  /** What is remembered of log-ins, sentences or not: for the ledger, and for a jail that takes this one's place. */
  readonly welcomes: Omit<Welcomes, 'note' | 'inside' | 'edition' | 'knows'>;
  /**
   * What is remembered of an address (the prefix that holds it, where IPv6 is counted by prefix). Its stamps are those
   * that count with the newest; those from {@link takeDirty} reach further back, for lines out of order.
   */
  offender(address: Network): Offender | undefined;
  /** The latest sentence of the address (or of the prefix that holds it), by its number over all jails; undefined: there was none. */
  sentenceOf(address: Network): Earlier | undefined;
  /** Somebody whom the ledger remembers, as if he had been handed over at the start: before anything else is asked of the jail. */
  recollect(offender: Offender, now: Instant): void;
  /** Everyone that it remembers, for a jail that takes its place under other rules. */
  offenders(): Offender[];
  /** What the next sentence of the address would be, were it passed at `at`; and whom its network would hit. */
  next(address: Network, at: Instant): Next;
  /**
   * An administrator's sentence in this jail: it counts for `nth` and stands on exactly `network` (no widening to a /64).
   * It drops, whatever `respond` says.
   * @param duration undefined: what the ladder says.
   */
  convict(
    network: Network,
    at: Instant,
    duration: Duration | undefined,
  ): { readonly nth: number; readonly until: Instant | undefined };
  /** An open sentence was extended by hand: its matches are recorded up to `until`, and `nth` stays. Never shortens. */
  prolong(network: Network, until: Instant | undefined): void;
  /** Matches stamped up to `until` never count; the count starts anew, `nth` stays. A network: everyone inside it. */
  forgive(address: Network, until: Instant): void;
  /** Offenders changed since the last call; the caller commits them, and hands them back with {@link restore} if it can't. */
  takeDirty(): Offender[];
  /** How many changes are to be committed: offenders, and what is remembered of log-ins. */
  readonly dirty: number;
  /** Offenders evicted since the last call, to be deleted from the ledger in the same commit as {@link takeDirty} writes. */
  takeForgotten(): Network[];
  /** After a commit that failed: these are still to be written. Forgotten ones are the caller's to keep. */
  restore(offenders: readonly Offender[]): void;
  /** One offender goes to make room: never a banned one, and rather one far from a ban. @returns whether one went. */
  evict(at: Instant): boolean;
  /** What its evidence takes, about, in bytes. */
  readonly weight: number;
  /** Where those came from who had to make room. Nobody is counted by it. */
  readonly crowds: Pick<Crowds, 'size' | 'largest'>;
  /**
   * Forgets offenders of whom nothing is to be remembered any more: no match for findTime, no sentence within `forget`.
   * `now` is handed in. Call it only while no source has a backlog, else old lines may still be to come.
   * Looks at some tens of thousands in turn, so that a crowd is forgotten over several calls.
   * @returns their addresses, to be deleted from the ledger.
   */
  prune(now: Instant): Network[];
}

/** What a jail asks about an address before it counts. */
export interface Ignoring {
  /** Why the address is never counted here (`allowed: 198.51.100.0/24`, `protected: this host's own address`), or undefined. */
  whyIgnored(address: Network): string | undefined;
  /**
   * Another number whenever `whyIgnored` may have come to say something else, and never the same one again; the jail asks once
   * for each. Left out: it asks each time.
   */
  edition?(): number;
  /** Does the network hold a protected address? Then an IPv6 offender is taken exactly. */
  isProtected(network: Network): boolean;
  /**
   * Whom a ban of the whole network would hit who must not be: `192.0.2.9 is allowed by "office"`, or that someone has
   * logged in from there. Left out: nobody.
   */
  whySpared?(network: Network, at: Instant): string | undefined;
}

/** The latest sentence of an address in every jail that passed one, for `banTime.scope: "all"`. */
export type Prior = (address: Network) => readonly Earlier[];

export interface JailOptions {
  /** Handed to every jail as soon as one of them says `scope: "all"`; its own record may be among the answers. */
  readonly prior?: Prior;
  /** Asked each time, because a reload may change them. */
  readonly bounds?: () => Bounds;
  /** Called before an offender is added: whoever sees all jails may ask one of them to {@link Jail.evict}. */
  readonly makeRoom?: (at: Instant) => void;
  /** What the jail in whose place it comes has seen; it is counted on. */
  readonly stats?: Readonly<JailStats>;
  /** A number that nobody outside can know, so that nobody can choose where addresses stand in memory. No verdict hangs on it. */
  readonly salt?: number;
  /** What is remembered of log-ins, in the order in which they were heard of; those of other jails are passed over. */
  readonly welcomes?: Iterable<Welcome>;
}

/** @param remembered offenders of other jails are passed over. */
export type CreateJail = (
  rules: JailRules,
  ignoring: Ignoring,
  remembered: Iterable<Offender>,
  now: Instant,
  options?: JailOptions,
) => Jail;
