// What a firewall is to the rest of the house. Each back end is one file behind this contract, and
// test/firewall/conformance.ts runs on every one of them.
import type { Block, Instant, Network, Scope } from '../model.ts';

export type Change =
  | ({ readonly what: 'block' } & Block)
  | { readonly what: 'release'; readonly scope: Scope; readonly network: Network };

export type Applied = { readonly outcome: 'applied' } | { readonly outcome: 'refused'; readonly why: string };

/** Packets and bytes that the rules dropped since the table was made. */
export interface Dropped {
  readonly packets: number;
  readonly bytes: number;
}

export interface Firewall {
  readonly kind: 'nftables' | 'iptables' | 'dry-run' | 'memory';
  /** Does it really keep packets out? */
  readonly enforces: boolean;
  /**
   * Makes the table, its chain and the allow sets, or completes what is there; bans in force stay untouched.
   * A second call is harmless.
   * @throws BailiffError E_FIREWALL_UNAVAILABLE with what to do, when it can't be reached at all.
   */
  prepare(allow: readonly Network[]): Promise<void>;
  /** Replaces the allowed addresses, in one transaction. They pass ahead of every drop. */
  allow(networks: readonly Network[]): Promise<void>;
  /** What is blocked now. Empty where there is no table. `until` is accurate to a second or so. */
  list(): Promise<Block[]>;
  /**
   * Blocks and releases addresses: a block of one that is there sets its end anew, a release of one that isn't is fine.
   * Sets and rules that a change needs are made with it. Large lists go in batches; each batch happens whole or not at all.
   * @returns one outcome per change, in order; a refusal is a value, not an exception.
   * @throws BailiffError E_FIREWALL_UNAVAILABLE when it can't be reached at all.
   */
  apply(changes: readonly Change[], now: Instant): Promise<Applied[]>;
  dropped(): Promise<Dropped>;
  /** Leaves the host as found: the table and everything in it goes. Harmless where there is none. */
  teardown(): Promise<void>;
  /** Ends child processes. What is in force stays in force. */
  close(): Promise<void>;
}
