// What `status` tells: is it working, is it keeping up, what is it not seeing.
import type { Mode } from './contract-events.ts';

export interface Alive {
  version: string;
  pid: number;
}

export interface RuntimeFault {
  code: string;
  message: string;
  count: number;
  since: string;
  /** When it last happened. */
  last?: string;
  /** What to do about it, in a sentence. */
  hint?: string;
}

export interface SourceView {
  id: string;
  kind: string;
  path?: string;
  state: 'following' | 'catching-up' | 'waiting' | 'failed';
  /** Bytes not read yet. */
  lag: number;
  /** The number of the first line that was or will be read since the start; absent while no file was met. */
  firstLine?: number;
  lines: number;
  skipped: number;
  /** When lines of it were last read; null: not since the start. */
  lastLine?: string | null;
  faults: RuntimeFault[];
}

/** What happened in each of the last minutes, oldest first; the last one is the minute that runs. */
export interface HistoryOfHour {
  /** Seconds that one number stands for. */
  step: number;
  matches: number[];
  bans: number[];
}

export interface JailView {
  name: string;
  state: 'active' | 'dry-run' | 'disabled' | 'tripped';
  /** Its brake has tripped: it only detects until "enable" answers. */
  tripped?: { at: string; why: string };
  filters: string[];
  matches: number;
  ignored: number;
  late: number;
  offenders: number;
  banned: number;
  bansTotal: number;
  evicted: number;
  /** Networks of offenders who had to make room, the busiest first. Nobody is counted or banned by it. */
  crowds?: CrowdView[];
  hour?: HistoryOfHour;
}

/** What offenders of one network had done when they made room for others. */
export interface CrowdView {
  network: string;
  /** How often one of them made room. */
  forgotten: number;
  matches: number;
  /** The latest of these matches. */
  last: string;
}

/** Something that grows with what others write. */
export interface BoundView {
  /** `offenders`, `evidence`, `bans`, … */
  what: string;
  held: number;
  /** null: bounded by what stands above it. */
  most: number | null;
  /** How many were let go for want of room since the start. */
  dropped: number;
}

export interface StatusView extends Alive {
  startedAt: string;
  mode: Mode;
  firewall: {
    kind: string;
    healthy: boolean;
    fault?: string;
    dropped?: { packets: number; bytes: number };
    /** Networks that the kernel holds. */
    blocked?: number;
    /** How it is noticed that others take our rules or blocks out: when it happens, or at the next look. */
    noticedBy?: 'event' | 'poll';
    /** How often something was put back since the start. */
    rearmed?: number;
  };
  /** What this daemon was started for: `detect-only` where nothing is meant to be blocked. */
  intent?: 'enforcing' | 'detect-only';
  /** From the reading of the deciding line to the kernel, in seconds, over the last `bans` bans; null where there was none. */
  latency?: { bans: number; median: number | null; p99: number | null };
  /** For monitoring: `ok` is false where something that should work doesn't; `problems` says what, a sentence each. */
  health?: { ok: boolean; problems: string[] };
  caughtUp: boolean;
  sources: SourceView[];
  jails: JailView[];
  /** What memory and disk hold, and how much they may. */
  bounds?: BoundView[];
  /** Who is or was logged in from elsewhere, or ran `bailiff` over ssh: the latest 100. */
  administrators?: AdministratorView[];
  faults: RuntimeFault[];
}

/** How we know: a log line, a session that was open, or `bailiff` over ssh. */
export type ProtectedBy = 'log-in' | 'session' | 'command';

/** Whose address is protected though no log line said so. */
export interface AdministratorView {
  /** As offenders are counted: IPv6 by prefix. */
  address: string;
  by: ProtectedBy;
  /** When he was there last. */
  last: string;
  until: string;
}
