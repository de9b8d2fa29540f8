// Part of contract.ts: what /v1/events tells, as it happens. Instants are ISO 8601 in UTC.

export type Mode = 'enforcing' | 'detect-only' | 'stood-down';

/** One line that a filter recognised, and what a jail made of it. */
export interface MatchNews {
  kind: 'match';
  jail: string;
  filter: string;
  address: string;
  outcome: 'counted' | 'ban' | 'recorded' | 'ignored' | 'late' | 'success';
  why?: string;
  count?: number;
  of?: number;
  /** The line's own instant. */
  time: string;
  file: string;
  line: number;
  /** What the pattern kept, and the line itself: hostile text, on control.sock alone. */
  fields?: Record<string, string>;
  text?: string;
}

export interface BanNews {
  kind: 'ban';
  what: 'imposed' | 'extended';
  ban: number;
  jail: string;
  address: string;
  since: string;
  until: string | null;
  nth: number;
  /** Empty on status.sock. */
  reason: string;
  by: string;
}

export interface ReleaseNews {
  kind: 'release';
  ban: number;
  jail: string;
  address: string;
  by: string;
  why: string;
}

/** What the firewall was told. */
export interface KernelNews {
  kind: 'kernel';
  what: 'blocked' | 'released' | 'refused';
  address: string;
  protocol: 'any' | 'tcp' | 'udp';
  ports: number[];
  /** Left out: drop. */
  answer?: string;
  why?: string;
}

export interface FaultNews {
  kind: 'fault';
  what: 'raised' | 'cleared';
  code: string;
  message: string;
  source?: string;
}

/** A jail that bans the wrong people only detects from now on, or an administrator has put it back in force. */
export interface BrakeNews {
  kind: 'brake';
  what: 'tripped' | 'released';
  jail: string;
  /** Empty when it is released. */
  why: string;
}

export interface ModeNews {
  kind: 'mode';
  mode: Mode;
  was: Mode;
}

export interface ReloadNews {
  kind: 'reload';
  outcome: 'applied' | 'refused' | 'rolled-back' | 'confirmed';
  message: string;
  /** Names of jails. */
  added: string[];
  removed: string[];
  changed: string[];
  /** How many faults the new config has. */
  faults: number;
}

/** Events between the one that was asked for and the next one that is told are lost to this reader. */
export interface GapNews {
  kind: 'gap';
  why: 'restarted' | 'overrun' | 'unwatched';
}

export type News =
  MatchNews | BanNews | ReleaseNews | BrakeNews | KernelNews | FaultNews | ModeNews | ReloadNews | GapNews;
export type NewsKind = News['kind'];
/** In the order of the reference. */
export const NEWS_KINDS = [
  'match',
  'ban',
  'release',
  'brake',
  'kernel',
  'fault',
  'mode',
  'reload',
  'gap',
] as const satisfies readonly NewsKind[];
/** `id` is the place in the stream, to be handed back as `Last-Event-ID`; `at` is when the daemon noticed. */
export type LiveEvent = News & { id: string; at: string };

/** Events that the daemon remembers for readers who come back. */
export const EVENTS_REMEMBERED = 2_000;

/** Which events a reader wants. Several of one key: any of them. */
export interface EventsQuery {
  jail?: string[];
  kind?: NewsKind[];
  /** Addresses or networks: events about one that holds, or lies in, one of them. */
  address?: string[];
  /** The id of the last event that the reader has seen. */
  after?: string;
  /** So many of the remembered events are told first, where there is no `after`. */
  last?: number;
}

/** A reader's place in the stream. */
export interface Subscription {
  /** The id to go on from, should no event come. */
  readonly at: string;
  stop(): void;
}
