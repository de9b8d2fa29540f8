// What the ledger is to the rest of the house: what must survive, in one kind of commit.
import type {
  Ban,
  BanEvent,
  BrakeMemory,
  Duration,
  Instant,
  Network,
  Offender,
  Position,
  Waiting,
  Welcome,
} from '../model.ts';
import type { OpenBans } from '../open-bans.ts';

/**
 * Everything that changed since the last commit. One transaction: positions never without what was counted up to them.
 * What is forgotten goes before what is written, and bans that ended before those that are open, whatever their order.
 */
export interface Commit {
  readonly positions: readonly Position[];
  readonly forgottenPositions: readonly string[];
  readonly offenders: readonly Offender[];
  readonly forgottenOffenders: readonly { readonly jail: string; readonly address: Network }[];
  /** Those that were opened or spoken of, in the order in which that happened last. */
  readonly sessions: readonly KeptSession[];
  readonly forgottenSessions: readonly SessionKey[];
  /** Logs of which `sessions` has all that are under way: whatever else is known of them is over. */
  readonly wholeSessions: readonly string[];
  /** The last lines of logs that may be said to have come again, and the logs of which none is to be remembered. */
  readonly lastLines: readonly LastLine[];
  readonly forgottenLastLines: readonly string[];
  /** In the order in which the log-ins were heard of. */
  readonly welcomes: readonly Welcome[];
  readonly forgottenWelcomes: readonly { readonly jail: string; readonly address: Network }[];
  /** New bans and changed ones, whole; but evidence that was written stays where they bring none. */
  readonly bans: readonly Ban[];
  readonly events: readonly BanEvent[];
  /** New ones, in the order in which they came. The oldest in the ledger make room for them. */
  readonly reports: readonly KeptReport[];
  readonly brakes: readonly KeptBrake[];
  readonly regulars: readonly KeptRegular[];
  readonly forgottenRegulars: readonly string[];
}

/** What the brake of a jail remembers. */
export interface KeptBrake {
  readonly jail: string;
  readonly memory: BrakeMemory;
}

/** Whose lines hardly ever match: the record of an address, as it is written. */
export interface KeptRegular {
  readonly address: string;
  /** Periods with lines and without a match, and periods with one. */
  readonly clean: number;
  readonly spoiled: number;
  /** The number of the last period. */
  readonly period: number;
}

/** What was answered to a report that came with an id. */
export interface KeptReport {
  readonly jail: string;
  /** The reporter's own. */
  readonly id: string;
  /** When it came. */
  readonly at: Instant;
  /** As the answer wrote it. */
  readonly address: string;
  readonly outcome: string;
  readonly why: string | undefined;
}

/** So many answers to reports are kept, and so long: who repeats a report later reports it anew. */
export const REPORTS_KEPT = 200_000;
export const REPORTS_KEPT_FOR: Duration = 86_400_000;

/** Which session of which log. */
export interface SessionKey {
  /** The path that is watched. */
  readonly source: string;
  readonly filter: string;
  readonly session: string;
}

/** Whose session it is, and until which stamp it is known. */
export interface KeptSession extends SessionKey {
  /** undefined: no line has told it yet. */
  readonly address: Network | undefined;
  /** What counts once a line tells the address. */
  readonly waiting: Waiting | undefined;
  readonly until: Instant;
}

/** The last line of a log, where a filter took it. */
export interface LastLine {
  /** The path that is watched. */
  readonly source: string;
  /** latin1: one byte, one character. */
  readonly line: string;
  /** When it was read. */
  readonly at: Instant;
}

export interface Remembered {
  readonly positions: readonly Position[];
  /** How many offenders there are, sound or not: {@link Ledger.offenders} has them. */
  readonly offenderCount: number;
  /** In the order in which they were spoken of last. */
  readonly sessions: readonly KeptSession[];
  readonly lastLines: readonly LastLine[];
  /** In the order in which the log-ins were heard of. */
  readonly welcomes: readonly Welcome[];
  readonly brakes: readonly KeptBrake[];
  readonly regulars: readonly KeptRegular[];
  /** Without their evidence, which {@link Ledger.bans} has. */
  readonly openBans: OpenBans;
  readonly nextBanId: number;
  /** Rows that made no sense and were passed over. They stay in the ledger. */
  readonly damaged: number;
}

export interface BanQuery {
  readonly jail?: string;
  /** Ended ones too. */
  readonly all?: boolean;
  /** Only those whose address lies in it, or holds it. */
  readonly address?: Network;
  /** Bans with an id above it, in order of id. */
  readonly after?: number;
  readonly limit: number;
}

/** Some offenders, in the order in which they were first written. */
export interface OffenderPage {
  readonly sound: readonly Offender[];
  /** Rows that made no sense and were passed over. */
  readonly damaged: number;
}

/** What a jail remembers between lines. */
export interface JailMemory {
  readonly offenders: readonly Offender[];
  /** Log-ins that protect their address, in the order in which they were heard of. */
  readonly welcomes: readonly Welcome[];
}

/** It was damaged: it stands under this path now, and a new one was begun. */
export interface SetAside {
  readonly kind: 'set-aside';
  readonly to: string;
  readonly why: string;
}

/** What had to be done so that a daemon could start. */
export type Rescue =
  | SetAside
  /** It can't be written yet: what it knew is there, and commits fail until it can. */
  | { readonly kind: 'sheltered'; readonly why: string };

export interface Ledger {
  readonly rescue?: Rescue;
  /** Equal where nothing was committed in between. Cheap: it reads no offenders. */
  state(): string;
  /**
   * All that a daemon needs to go on, but its offenders. Addresses, instants and blobs are checked as they are read.
   */
  load(): Remembered;
  /** All offenders, a page at a time, each page read when it is asked for. Nothing may be committed meanwhile. */
  offenders(): Iterable<OffenderPage>;
  /**
   * Writes all of it or nothing. A large one gives the event loop back while it is written: it must not change meanwhile,
   * and the next one waits until it is settled.
   * @param durable waits for the disk (an administrator's ban); else the next sync takes it along.
   * @returns undefined: it is written. Else the ledger was found damaged, and an empty one stands in its place: nothing was
   * written, and the next commit must bring all that is known.
   * @throws BailiffError E_LEDGER_UNAVAILABLE on a full or read-only disk, a lock; the caller keeps what is dirty and tries again.
   */
  commit(commit: Commit, durable: boolean): Promise<SetAside | undefined>;
  /** What is known of a jail: of one that was not configured when {@link load} was called. */
  memoryOf(jail: string): JailMemory;
  bans(query: BanQuery): Ban[];
  /** What was answered to a report, while it is kept. */
  report(jail: string, id: string): KeptReport | undefined;
  /** Every event of a ban, oldest first. */
  events(ban: number): BanEvent[];
  /** Proofs of filters that passed their forgeries, by the hash of the filter's text. */
  isProven(hash: string): boolean;
  remember(hash: string, at: Instant): void;
  /**
   * For whoever ends, after the last commit: has the next {@link load} find the open bans at once, as long as nobody changes one
   * in the ledger. @param bans all that are open, as they were committed. @returns whether there are enough for it to be worth it.
   */
  leave(bans: OpenBans): boolean;
  readonly upkeep: Upkeep;
  close(): void;
}

/** Housekeeping, a short step a call. @throws BailiffError E_LEDGER_UNAVAILABLE; the step has then done nothing. */
export interface Upkeep {
  /** Runs a step once no commit is under way, for one may take several turns of the event loop. */
  between<T>(step: () => T): Promise<T>;
  /**
   * Deletes up to `limit` bans that ended at or before an instant (`Infinity`: at any), with their events; those that
   * ended first go first. Open ones stay, and the newest, from which the next one's number is counted.
   * @returns how many it deleted.
   */
  forgetBans(before: Instant, limit: number): number;
  /** Keeps the 10 000 newest proofs. @returns how many it deleted. */
  forgetProofs(): number;
  /** The file without its write-ahead log, and how much of it holds nothing; in bytes. */
  size(): { readonly bytes: number; readonly free: number };
  /** Gives up to so many free pages back to the file system. @returns how many it gave. */
  giveBack(pages: number): number;
  /** Writes the write-ahead log back as far as no reader is in the way: by another process, because it waits for the disk. */
  checkpoint(): Promise<void>;
  /** Has the write-ahead log on the disk, so that it outlives a crash of the power. Nobody else waits for it. */
  settle(): Promise<void>;
  /** Has so much been written since the last checkpoint that it is time for another? */
  isLogLong(): boolean;
  /** While held back, no commit writes the log back by itself: whoever holds it does so with {@link checkpoint}. */
  holdBack(isHeld: boolean): void;
}
