// The nouns of Bailiff, types only. Rooms that don't know each other share these words.
//
// sources give Chunks → filters recognise Matches → jails pass Verdicts → the ledger keeps Bans → the firewall enforces.

/** A point in time: whole milliseconds since the epoch, UTC. */
export type Instant = number;
/** A length of time in milliseconds; `Infinity` for "forever". */
export type Duration = number;

// ── addresses ────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * An address or a network. An address is a network of full length (32 or 128 bits).
 * `text` is canonical and serves as the key in maps: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::1`, `2001:db8::/64`.
 */
export interface Network {
  readonly family: 4 | 6;
  /** Length of the prefix: 0 to 32, or 0 to 128. */
  readonly bits: number;
  /** 4 or 16 bytes, one character each; host bits zero. */
  readonly bytes: string;
  readonly text: string;
  /** The first four bytes as a number with a sign: whoever looks an address up need not fetch its bytes. */
  readonly first: number;
}

// ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** How far a source has been read: what is committed together with what was decided up to there. */
export type Position = FilePosition | JournalPosition;

/**
 * How far a file has been read, and how to recognise that file again (inode, head, the bytes before the position):
 * never by its path alone, which rotation changes, nor by its device number, which a reboot changes.
 */
export interface FilePosition {
  readonly kind: 'file';
  /** The row's key in the ledger. Chosen by the source at first sight; stays when the file is renamed. */
  readonly id: string;
  /** Where the file was last seen. */
  readonly path: string;
  /** The inode number in decimal (it may not fit a double). */
  readonly inode: string;
  readonly headLength: number;
  /** Hex digests of the head's prefixes, the last one of all `headLength` bytes, so that a shorter file compares too. */
  readonly headHash: string;
  /** Offset of the first byte that is not applied yet. */
  readonly offset: number;
  /** Hex digest of the up to 256 bytes before `offset`. */
  readonly tailHash: string;
  /** How many whole lines lie before `offset` (so that evidence can name its line). */
  readonly lines: number;
  /** True inside an over-long line whose rest is being skipped: a crash must not take the rest for a new line. */
  readonly skipping: boolean;
  /** True once the file was rotated away and read to its end: kept so that a copy of it is recognised. */
  readonly finished: boolean;
}

/** How far the journal has been read for one set of match terms. */
export interface JournalPosition {
  readonly kind: 'journal';
  /** The row's key in the ledger, made of the match terms. */
  readonly id: string;
  /** The last entry that was read, as journalctl names it; undefined before the first. */
  readonly cursor: string | undefined;
  /** While there is no cursor: entries that the journal received before it are not read. */
  readonly since: Instant;
  /** How many entries were read (so that evidence can name its line). */
  readonly lines: number;
  /** Streams whose latest line the journal broke off: what comes next in them is the rest of it, and no line. */
  readonly broken: readonly string[];
}

/** Whole lines of one source, as bytes: `text` is latin1, one byte one character. */
export interface Chunk {
  /** The path that is watched, or the id of another source; jails are found by it. */
  readonly source: string;
  /** The watched paths and globs that name this file, sorted, those of now, also after a reload; for another source its id. */
  readonly patterns: readonly string[];
  /** The file that the bytes stand in: after a rotation `access.log.1`, say. */
  readonly file: string;
  /**
   * Latin1. Every line ends in \n (a \r before it is still there). May be empty: then only the position counts. Where there
   * are bytes it is made of them each time it is asked for: whoever reads it over and over keeps it as LinesAtHand.
   */
  readonly text: string;
  /** The same, a byte for each character, until the next chunk of the source is asked for. undefined: there is only the text. */
  readonly bytes?: Buffer | undefined;
  /** Number of the first line in its file, from 1. */
  readonly firstLine: number;
  readonly lines: number;
  /**
   * Where the source stands after this chunk; it is committed together with what the chunk decided. undefined where nothing
   * can be read twice (standard input).
   */
  readonly position: Position | undefined;
  /** When the bytes were read. */
  readonly arrivedAt: Instant;
  /** False while old lines are caught up: their stamps say nothing about the clock. */
  readonly live: boolean;
  /** True when the position must be committed before anything that follows is read (a first sight's cutoff). */
  readonly commitFirst: boolean;
}

// ── filters ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a filter recognised in one line of a chunk. */
export interface Match {
  /** The line within the chunk's text: [start, end), without its line end. */
  readonly start: number;
  readonly end: number;
  readonly filter: string;
  /** Index of the pattern within its filter; 0 for a filter by fields. */
  readonly pattern: number;
  /** `success` lines never count; they speak for the address. */
  readonly outcome: 'failure' | 'success';
  /** As it was read: a full-length address, `::ffff:` already resolved to IPv4. */
  readonly address: Network;
  /** The trusted proxy that handed the request on; undefined where the address itself reached this host. */
  readonly via?: Network | undefined;
  /** The line's own stamp; undefined where it has none or an unreadable one. */
  readonly at: Instant | undefined;
  /** How often the match counts; 0 is evidence only. */
  readonly counts: number;
  /** Is the line about an attempt that may have counted already? Then it counts only where no line of its session has. */
  readonly oncePerSession: boolean;
  /** Which of the service's processes wrote the line: the pid in the syslog tag. undefined where the layout has none. */
  readonly session: string | undefined;
  /** What the pattern kept besides the address, decoded as UTF-8. Hostile text. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What was recognised in lines that bear no address, while no line of their session has told it. */
export interface Waiting {
  /** The pattern of the first of them. */
  readonly pattern: number;
  /** How often they count together; 0: once, unless another line of the session has counted. */
  readonly counts: number;
}

/**
 * Conditions on the fields of a line, as a filter's or a jail's `where` and `except` write them; all must hold.
 * A list holds where one of its members does.
 */
export type Conditions = Readonly<Record<string, Condition>>;
export type Condition = string | number | boolean | readonly (string | number)[] | ConditionTests;
export interface ConditionTests {
  readonly prefix?: string | readonly string[];
  readonly suffix?: string | readonly string[];
  readonly contains?: string | readonly string[];
  readonly glob?: string | readonly string[];
  readonly regex?: string | readonly string[];
  /** Networks; the value is an address inside one of them. */
  readonly in?: string | readonly string[];
  readonly present?: boolean;
}

// ── jails ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How long the nth sentence lasts. */
export interface Sentence {
  readonly first: Duration;
  readonly factor: number;
  readonly max: Duration;
  /** So long after the end of the last sentence the count of offences begins anew. */
  readonly forget: Duration;
  /** Replaces first/factor where given; the last step repeats. */
  readonly steps?: readonly Duration[];
  /** Whose earlier sentences count: this jail's or every jail's. */
  readonly scope: 'jail' | 'all';
}

/** How fast whoever is throttled may go on: so many packets in a unit of time, and so many at once. */
export interface Rate {
  readonly packets: number;
  readonly per: 'second' | 'minute' | 'hour' | 'day';
}

/** What becomes of traffic that isn't dropped. A TCP connection is rejected with a reset, all else with an ICMP error. */
export type Gentle = { readonly do: 'reject' } | { readonly do: 'throttle'; readonly rate: Rate };

/** What the nth sentence does, of a jail's `respond`. */
export interface Step {
  /** undefined: drop. */
  readonly answer: Gentle | undefined;
  /** Empty: all ports and protocols; undefined: those of the jail. */
  readonly ports: readonly number[] | undefined;
  /** How long it lasts, whatever `banTime` says; undefined: what that says. */
  readonly duration: Duration | undefined;
  readonly wider: Wider | undefined;
}

/** From how many banned addresses on their network is banned instead, and by which prefix; undefined: not in this family. */
export interface Wider {
  readonly when: number;
  readonly ipv4: number | undefined;
  readonly ipv6: number | undefined;
}

/** What a jail counts by. */
export interface JailRules {
  readonly name: string;
  /** The match with this number bans: `limit: "100/1m"` is 101. */
  readonly maxRetry: number;
  readonly findTime: Duration;
  readonly banTime: Sentence;
  /** IPv6 addresses are counted and banned by this prefix length. */
  readonly ipv6Prefix: number;
  readonly resetOnSuccess: boolean;
  /** So long after a successful log-in its address is protected here; 0: not at all. */
  readonly protectAfterSuccess: Duration;
  /** What the nth sentence does; the last step repeats. Absent: it drops. */
  readonly respond?: readonly Step[];
}

/**
 * When a jail goes over to detecting: where most of those that it banned last had behaved before, where it bans more than
 * `count` within `window`, or never.
 */
export type BrakeRule =
  | { readonly kind: 'behaving' }
  | { readonly kind: 'number'; readonly count: number; readonly window: Duration }
  | { readonly kind: 'off' };

/** A ban as the brake sees it. */
export interface Braked {
  readonly ban: number;
  /** As the ban has it: a prefix is one offender. */
  readonly address: string;
  readonly at: Instant;
  /** Had the address behaved before? */
  readonly behaved: boolean;
}

/** What a brake remembers between bans. */
export interface BrakeMemory {
  /** The latest bans, oldest first. */
  readonly latest: readonly Braked[];
  readonly tripped: Tripped | undefined;
}

export interface Tripped {
  readonly at: Instant;
  /** Bans with this number and later ones are only detected. */
  readonly from: number;
  /** In our own words, as a half-sentence. */
  readonly why: string;
}

/** One line that speaks against an offender. `text` is hostile: printable() before it reaches a terminal. */
export interface Evidence {
  readonly file: string;
  readonly line: number;
  readonly at: Instant;
  /** At most 1 000 characters of the line. */
  readonly text: string;
}

/** All that a jail remembers of one offender. The ledger keeps it as a versioned blob. */
export interface Offender {
  readonly jail: string;
  readonly address: Network;
  /** Sorted by instant: [instant, how many matches bear it]. */
  readonly stamps: readonly (readonly [Instant, number])[];
  /** The latest lines, oldest first; bounded. */
  readonly evidence: readonly Evidence[];
  /** The latest sessions of which a line has counted, oldest first; bounded. Absent where there is none. */
  readonly sessions?: readonly string[];
  /** How many sentences so far, and when the last one ends (or ended). */
  readonly nth: number;
  /** The same number over the sentences of every jail (`banTime.scope: "all"`); absent where it equals `nth`. */
  readonly overall?: number;
  /** With a `lastSince` but no `lastUntil`, the last sentence is for good. */
  readonly lastSince: Instant | undefined;
  readonly lastUntil: Instant | undefined;
  /** The last sentence only throttles: his matches count on. */
  readonly throttled?: true;
  /** Matches stamped up to here never count: set by unban. */
  readonly forgivenUntil: Instant | undefined;
}

/**
 * Somebody logged in from the address of late, as one jail knows it: from `since` to `until`, by the lines' own stamps,
 * it is protected. Log-ins one after the other make one span, of which `last` is the latest.
 */
export interface Welcome {
  readonly jail: string;
  /** As offenders are counted: IPv6 by prefix. */
  readonly address: Network;
  readonly since: Instant;
  readonly last: Instant;
  readonly until: Instant;
  /**
   * How we know: a session of somebody was open on this host, or an administrator spoke to the daemon from there.
   * Absent: a log line said that somebody logged in.
   */
  readonly by?: 'session' | 'command';
}

export type Verdict =
  | { readonly outcome: 'ignored'; readonly why: string }
  | { readonly outcome: 'success' }
  | { readonly outcome: 'late'; readonly why: string }
  /**
   * The offender is banned at the line's instant, or was forgiven up to it, or the match counts 0, or the attempt that it
   * speaks of has counted by another line of its session.
   */
  | {
      readonly outcome: 'recorded';
      readonly why: 'banned' | 'forgiven' | 'counts-nothing' | 'counted-already';
    }
  | { readonly outcome: 'counted'; readonly count: number; readonly of: number }
  | {
      readonly outcome: 'ban';
      readonly offender: Network;
      readonly since: Instant;
      /** undefined: for good. */
      readonly until: Instant | undefined;
      readonly nth: number;
      readonly count: number;
      readonly evidence: readonly Evidence[];
      /** What became of banning the network around the offender, where the step asks for it and enough of it offend. */
      readonly widening?: Widening;
    };

/** Whom a wider ban hits, or would have hit. */
export interface Widening {
  /** Whose sentence it is. */
  readonly culprit: Network;
  readonly network: Network;
  /** How many addresses of it are banned at that instant, this one among them. */
  readonly offenders: number;
  /** Why it was not widened: who must not be hit. undefined: the network is banned. */
  readonly spared: string | undefined;
}

// ── bans ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A sentence on an address in a jail. At most one is open per (jail, address). */
export interface Ban {
  readonly id: number;
  readonly address: Network;
  readonly jail: string;
  /** The deciding line's instant; an administrator's: when he said so. */
  readonly since: Instant;
  /** undefined: no end. */
  readonly until: Instant | undefined;
  readonly nth: number;
  readonly reason: string;
  /** `jail`, `admin`, or what a later source calls itself. */
  readonly by: string;
  readonly evidence: readonly Evidence[];
  /** What it was to drop when it was decided, for the day when its jail is configured no more; undefined: nothing. */
  readonly scope: Scope | undefined;
  /** The trusted proxy through which the address reached this host: only there can it be refused. */
  readonly via?: string | undefined;
  /** undefined while the ban is open. */
  readonly endedAt: Instant | undefined;
  /** `expired`, `admin`, `replaced`, … */
  readonly endedBy: string | undefined;
}

/** Every change to a ban, for ever: who, when, why. */
export interface BanEvent {
  readonly ban: number;
  readonly at: Instant;
  readonly what: 'banned' | 'extended' | 'ended';
  readonly by: string;
  readonly why: string;
}

// ── firewall ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** What traffic of a banned address is dropped, or answered. Jails with the same scope share its sets. */
export interface Scope {
  readonly protocol: 'any' | 'tcp' | 'udp';
  /** Sorted, distinct; empty: all ports (and with protocol `any`, everything). With ports, `any` is TCP and UDP. */
  readonly ports: readonly number[];
  /** Absent: it is dropped. */
  readonly answer?: Gentle;
}

/** One address to be dropped in one scope. */
export interface Block {
  readonly scope: Scope;
  readonly network: Network;
  /** undefined: no end. */
  readonly until: Instant | undefined;
}
