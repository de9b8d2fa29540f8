// A checked configuration: every value present, every duration in milliseconds, nothing left to look up.
import type { BrakeRule, Conditions, Duration, Network, Sentence, Step } from '../model.ts';
import type { Place } from './place.ts';

export type { Place } from './place.ts';

/** What an administrator may write in `allow` and `ignore`. */
export type AllowEntry =
  | { readonly kind: 'network'; readonly network: Network; readonly written: string }
  | { readonly kind: 'file'; readonly path: string; readonly written: string }
  | { readonly kind: 'name'; readonly name: string; readonly written: string };

/** The filter of a jail that counts what no log says: the bans of the other jails. */
export const RECIDIVE = 'recidive';

export interface JailConfig {
  readonly name: string;
  readonly enabled: boolean;
  readonly filters: readonly string[];
  /** Absolute paths and globs; `-` is standard input. */
  readonly logs: readonly string[];
  /** Match terms in a settled order: groups of them, `+` in between. */
  readonly journal: readonly string[];
  readonly sources: 'all' | undefined;
  /** Applications may report to it. */
  readonly reports: boolean;
  readonly start: 'beginning' | 'end' | undefined;
  readonly maxRetry: number;
  readonly findTime: Duration;
  readonly banTime: Sentence;
  /** What the nth ban does; the last step repeats. */
  readonly respond: readonly Step[];
  readonly ports: readonly number[];
  readonly protocol: 'any' | 'tcp' | 'udp';
  /** Without the global `allow`, which holds as well. */
  readonly ignore: readonly AllowEntry[];
  readonly ipv6Prefix: number;
  readonly brake: BrakeRule;
  readonly mode: 'normal' | 'aggressive';
  readonly dryRun: boolean;
  readonly resetOnSuccess: boolean;
  readonly protectAfterSuccess: Duration;
  readonly zone: string | undefined;
  readonly logFormat: string | undefined;
  readonly where: Conditions | undefined;
  readonly except: Conditions | undefined;
  /** Where each of their conditions was written, by field: in the jail or in `defaults`. */
  readonly conditionsAt: Readonly<Record<'where' | 'except', ReadonlyMap<string, Place>>>;
  /** Where the jail stands in its file, for faults found later (an unproven filter, say). */
  readonly at: Place;
  /** Where its log format was written: in the jail or in `defaults`; `at` where it is not. */
  readonly logFormatAt: Place;
}

/** What is remembered of bans that have ended. */
export interface History {
  readonly keep: Duration;
  /** Bytes that the ledger's file may hold. */
  readonly maxSize: number;
}

/** How much the daemon holds in memory at most. */
export interface Limits {
  readonly offendersPerJail: number;
  /** In all jails together. */
  readonly offenders: number;
  /** Bytes, in all jails together. */
  readonly evidence: number;
  /** Bans in force. */
  readonly bans: number;
}

export interface Config {
  readonly file: string;
  readonly allow: readonly AllowEntry[];
  /** Whose forwarding header is believed; no names among them. */
  readonly trustedProxies: readonly AllowEntry[];
  readonly journalDirectory: string | undefined;
  /** `defaults.banTime`: bans by hand last its `first`. */
  readonly banTime: Sentence;
  readonly history: History;
  readonly limits: Limits;
  readonly jails: readonly JailConfig[];
}
