// What a jail is to the rest of the house: matches in, verdicts out. Pure: no clock, no I/O.
import type { Evidence, Instant, JailRules, Network, Offender, Verdict } from '../model.ts';

/** What a jail needs to know of a match. */
export interface Count {
  readonly address: Network;
  /** The line's own instant, or the arrival where it has none. */
  readonly at: Instant;
  readonly counts: number;
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
}

export interface Jail {
  readonly rules: JailRules;
  readonly stats: Readonly<JailStats>;
  readonly size: number;
  /** The same matches in the same order give the same verdicts, whenever they are run. */
  decide(match: Count): Verdict;
  /** What is remembered of an address (the prefix that holds it, where IPv6 is counted by prefix). */
  offender(address: Network): Offender | undefined;
  /** Matches stamped up to `until` never count; the count starts anew, `nth` stays. */
  forgive(address: Network, until: Instant): void;
  /** Offenders changed since the last call; the caller commits them, and hands them back with {@link restore} if it can't. */
  takeDirty(): Offender[];
  /** How many {@link takeDirty} would give. */
  readonly dirty: number;
  /** After a commit that failed: these are still to be written. */
  restore(offenders: readonly Offender[]): void;
  /**
   * Forgets offenders of whom nothing is to be remembered any more: no match for findTime, no sentence within `forget`.
   * `now` is handed in. Call it only while no source has a backlog, else old lines may still be to come.
   * @returns their addresses, to be deleted from the ledger.
   */
  prune(now: Instant): Network[];
}

/** What a jail asks about an address before it counts. */
export interface Ignoring {
  /** Why the address is never counted here (`allowed: 198.51.100.0/24`, `protected: this host's own address`), or undefined. */
  whyIgnored(address: Network): string | undefined;
  /** Does the network hold a protected address? Then an IPv6 offender is taken exactly. */
  isProtected(network: Network): boolean;
}

export type CreateJail = (rules: JailRules, ignoring: Ignoring, remembered: Iterable<Offender>, now: Instant) => Jail;
