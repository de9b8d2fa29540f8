// The public shapes: what the sockets answer and `--json` prints. Instants are ISO 8601 in UTC, durations seconds.
// `Control` is what the server needs of a daemon; `daemon/` implements it.
import type { Fault } from '../errors.ts';
import type { EventsQuery, LiveEvent, Subscription } from './contract-events.ts';
import type { Alive, ProtectedBy, StatusView } from './contract-status.ts';

export * from './contract-checks.ts';
export * from './contract-events.ts';
export * from './contract-status.ts';

export type BanState = 'pending' | 'blocked' | 'detected' | 'unenforceable' | 'ended';

export interface BanView {
  id: number;
  address: string;
  jail: string;
  state: BanState;
  since: string;
  until: string | null;
  nth: number;
  /** May quote a log line: hostile text, made printable by whoever shows it. */
  reason: string;
  by: string;
  endedBy?: string;
  why?: string;
  /** Lines from the address keep arriving though the ban is in force. */
  ineffective?: IneffectiveView;
  /** What becomes of which traffic; left out where only detected. */
  answer?: AnswerView;
}

/** Why a ban has no effect, as far as it was seen. */
export interface IneffectiveView {
  cause:
    'ports' | 'proxy' | 'flowtable' | 'allowed' | 'accepted-first' | 'clock' | 'not-in-kernel' | 'unknown';
  /** What it was found by. */
  seen: string;
  /** What to do about it. */
  mend: string;
  /** How many lines so far. */
  lines: number;
  since: string;
  last: string;
}

export interface AnswerView {
  do: 'drop' | 'reject' | 'throttle';
  /** Of `throttle`: packets in a unit of time, such as `10/1m`. */
  rate?: string;
  protocol: 'any' | 'tcp' | 'udp';
  /** Empty: all. */
  ports: number[];
}

export interface EvidenceView {
  file: string;
  line: number;
  at: string;
  text: string;
}

export interface HistoryView {
  address: string;
  bans: (BanView & { evidence: EvidenceView[] })[];
  offenders: { jail: string; count: number; of: number; window: number; last: string | null }[];
  /** The jails in which a log-in of late protects the address, with its instant. */
  protected: { jail: string; loggedIn: string; until: string; by?: ProtectedBy }[];
  /** What the next ban would be: null seconds for "for good". */
  next: {
    jail: string;
    nth: number;
    for: number | null;
    /** Why there would be none all the same: the address is allowed, ignored by this jail, or the host's own. */
    never?: string;
    answer?: AnswerView;
    /** The network that would be banned from `when` offenders on; `spared`: why it would not be all the same. */
    wider?: { network: string; offenders: number; when: number; spared?: string };
  }[];
}

export interface BanRequest {
  addresses: string[];
  jail?: string;
  /** A duration: `"10m"`, `600`, `"forever"`. */
  for?: string | number;
  reason?: string;
  force?: boolean;
}
export interface BanOutcome {
  address: string;
  outcome: 'banned' | 'extended' | 'unchanged' | 'refused';
  why?: string;
  /** false when the ban is in force but could not be written to the disk yet. */
  durable?: boolean;
}

export interface UnbanRequest {
  /** An address or network; left out: everything (of `jail`, where given). `all` must then be true. */
  addresses?: string[];
  jail?: string;
  all?: boolean;
}
export interface UnbanOutcome {
  address: string;
  jail: string;
  outcome: 'released' | 'not-banned';
  /** What keeps it from being true everywhere yet: the firewall is out of reach, say. */
  why?: string;
  /** false when it could not be written to the disk yet: a restart would bring the ban back. */
  durable?: boolean;
}

/** What an application knows of an address, without a log. */
export interface Report {
  jail: string;
  address: string;
  /** `failure` is one match; `abuse` bans at once; `success` never counts, and speaks for the address. */
  outcome: 'failure' | 'success' | 'abuse';
  /** What else there is to say: kept as evidence. Hostile text. */
  fields?: unknown;
  /** When it happened: a stamp (ISO 8601), or seconds, milliseconds, … since the epoch. Left out: now. */
  at?: string | number;
  /** The reporter's own, one a report: a report that comes again under it counts nothing and is answered as before. */
  id?: string;
}
export interface ReportRequest {
  reports: Report[];
}
export interface ReportOutcome {
  /** As it was read; as it was sent where it was refused. */
  address: string;
  outcome: 'counted' | 'banned' | 'recorded' | 'ignored' | 'late' | 'success' | 'refused';
  why?: string;
  /** Of a refused report. */
  code?: 'E_UNKNOWN_JAIL' | 'E_ADDRESS' | 'E_USAGE';
  id?: string;
  /** true: it came before, and this is what was answered then. */
  repeated?: boolean;
}

export interface AttemptRequest {
  addresses: string[];
  jail: string;
}
export interface AttemptOutcome {
  address: string;
  outcome: 'counted' | 'banned' | 'ignored';
  why?: string;
  /** false when it counts but could not be written to the disk yet. */
  durable?: boolean;
}

export interface Page<T> {
  items: T[];
  /** Hand it back as `after` for the next page; null at the end. */
  next: string | null;
}

export interface StandingView {
  mode: StatusView['mode'];
}

export interface ReloadRequest {
  /** A duration: the config before comes back after it, unless somebody confirms. */
  confirm?: string | number;
  /** Lifts the bans of jails that are gone; otherwise they stay until they end. */
  release?: boolean;
}

export interface ReloadView {
  jails: { added: string[]; removed: string[]; changed: string[] };
  /** The logs that were not followed before, each with the number of the line from which it is read; null: it isn't there yet. */
  sources: { id: string; from: number | null }[];
  released: number;
  warnings: Fault[];
  /** Until when "confirm" must come; null: the config stays. */
  confirmBy: string | null;
}

export interface ConfirmView {
  outcome: 'confirmed' | 'unchanged';
}

export interface JailSwitch {
  jail: string;
  outcome: 'enabled' | 'disabled' | 'unchanged';
}

/** From the least to the most pressing. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogQuery {
  /** This level and the more pressing ones. */
  level?: LogLevel;
  /** Lines about this jail. */
  jail?: string;
  /** Lines from this instant on. */
  since?: string;
  /** Lines after the one with this number. */
  after?: number;
  /** Where there is none: so many seconds are waited for one. */
  wait?: number;
}

/** A line of the daemon's own log. */
export interface LogLine {
  /** Numbered from 1 since the daemon started. */
  n: number;
  at: string;
  level: LogLevel;
  message: string;
  /** May quote a log line: hostile text. */
  facts: Record<string, unknown>;
}

export interface LogPage extends Page<LogLine> {
  /** The number of the last line that was looked at: for `after`, once `next` is null. */
  last: number;
  /** So many lines after `after` are not kept any more. */
  missed: number;
}

/** Where an administrator speaks to the daemon from: his ssh client. */
export interface PresentRequest {
  address: string;
}
export interface PresentView {
  address: string;
  /** `unchanged`: it is allowed, or this host's own, or no jail protects who logged in. */
  outcome: 'protected' | 'unchanged';
  /** Until when at least one jail bans it only after many times its matches; null where none does. */
  until: string | null;
}

/** What the server needs of a daemon. Everything may be called at any time; answers come when they are true. */
export interface Control {
  ping(): Alive;
  /** Looks at the disk and commits, so that `caughtUp` speaks for everything that was there at the call. */
  status(): Promise<StatusView>;
  bans(query: { jail?: string; all?: boolean; after?: string }): Promise<Page<BanView>>;
  /** @throws BailiffError E_ADDRESS, E_UNKNOWN_JAIL, E_DURATION; a refusal is an outcome. */
  ban(request: BanRequest): Promise<BanOutcome[]>;
  unban(request: UnbanRequest): Promise<UnbanOutcome[]>;
  history(address: string): Promise<HistoryView>;
  /**
   * Counts reports in the jails that take them. Answered once they are committed, one outcome a report, in order.
   * @throws BailiffError E_LEDGER_UNAVAILABLE where they can't be; a report that makes no sense is an outcome.
   */
  report(request: ReportRequest): Promise<ReportOutcome[]>;
  /** One match for each address, now, in any jail. @throws BailiffError E_ADDRESS, E_UNKNOWN_JAIL. */
  attempt(request: AttemptRequest): Promise<AttemptOutcome[]>;
  /**
   * Hands each event to `tell`, within the very turn in which it happens: `tell` must not wait. What is remembered and
   * asked for is told before the call returns.
   * @throws BailiffError E_UNKNOWN_JAIL, E_ADDRESS.
   */
  events(query: EventsQuery, tell: (event: LiveEvent) => void): Subscription;
  /** An administrator is there: no jail is to lock him out. @throws BailiffError E_ADDRESS. */
  present(request: PresentRequest): Promise<PresentView>;
  /** Takes everything out of the kernel and enforces nothing until {@link arm}. */
  teardown(): Promise<StandingView>;
  arm(): Promise<StandingView>;
  /** @throws BailiffError E_CONFIG with every fault among its facts; the config in force stays. */
  reload(request: ReloadRequest): Promise<ReloadView>;
  /** The config that is on trial stays. */
  confirm(): Promise<ConfirmView>;
  /**
   * Until the next reload. A jail whose brake has tripped enforces again, and that stays.
   * @throws BailiffError E_UNKNOWN_JAIL, E_CONFIG.
   */
  enable(jails: string[]): Promise<JailSwitch[]>;
  disable(jails: string[]): Promise<JailSwitch[]>;
  /** The daemon's own log, as far as it is kept in memory. @param signal for a client that stops waiting. */
  log(query: LogQuery, signal?: AbortSignal): Promise<LogPage>;
}

/** Which routes a socket serves. `status` shows facts without hostile text, `report` takes reports and nothing else; `control` has everything. */
export type Role = 'status' | 'report' | 'control';

/** Bytes that a socket's path may have: `sun_path` holds 108, its closing zero included (unix(7)). */
export const SUN_PATH = 107;
