// What a firewall is to the rest of the house. Each back end is one file behind this contract, and
// test/firewall/conformance.ts runs on every one of them.
import type { Block, Instant, Network, Scope } from '../model.ts';

export type Change =
  /** `isNew`: as far as is known nothing of the network is blocked in this scope, so that no earlier end has to be undone. */
  | ({ readonly what: 'block'; readonly isNew?: true } & Block)
  | { readonly what: 'release'; readonly scope: Scope; readonly network: Network };

export type Applied =
  /**
   * `rebuilt`: the table had vanished (`flush ruleset`, say) and was made anew with this change in it. Whatever else
   * was blocked is gone from the kernel: list, compare, and apply the difference.
   */
  | { readonly outcome: 'applied'; readonly rebuilt?: true }
  | { readonly outcome: 'refused'; readonly why: string };

/**
 * Who enforces here. Two daemons in one network namespace would take each other's bans for leftovers: so each leaves a
 * mark in the kernel, and heeds another's while its process lives.
 */
export interface Owner {
  /** Pid and start time: a pid alone comes back. */
  readonly id: string;
  isAlive(id: string): boolean;
}

/** Packets and bytes that the rules dropped since the table was made. */
export interface Dropped {
  readonly packets: number;
  readonly bytes: number;
}

/** What somebody may have done to our part of the kernel, as the kernel announced it. */
export interface Notice {
  /** What bans stand on may have changed: {@link Firewall.isWhole} knows. */
  readonly structure: boolean;
  /** More than can be told: compare with a list. */
  readonly unsure: boolean;
  /** These are not blocked any more. */
  readonly released: readonly { readonly scope: Scope; readonly network: Network }[];
  /** The program that did it, where that is known. As the kernel has its name: somebody chose it. */
  readonly by: string | undefined;
}

/** A program that says what the kernel announces. */
export interface AnnouncingProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** It tells our own doing as well, and keeps all that it was told. */
  readonly tellsAll?: true;
}

/** How the kernel's announcements are heard: by a program that stays, and is read line by line. */
export interface Announcements {
  /** The best first; another where one isn't there, or can't listen. */
  readonly programs: readonly AnnouncingProgram[];
  /**
   * The program runs, or runs anew.
   * @param tell is called for each transaction that may concern us. Our own, as far as they can be told, are passed over.
   * @returns what takes its lines, and says of each whether it is an announcement at all; `confused` where the program can't
   * be trusted any more and is to be started anew.
   */
  open(tell: (notice: Notice) => void): (line: string) => boolean | 'confused';
  /** Are announcements heard? Until they are, and after that, the back end looks for itself. */
  heard(isHeard: boolean): void;
}

/** Blocks of which, as far as is known, none is there yet: written down as they come, told together. */
export interface Filling {
  add(block: Block): void;
  /**
   * To be called once.
   * @returns `refused` where not all of them are in force; nobody knows which.
   * @throws BailiffError E_FIREWALL_UNAVAILABLE when it can't be reached at all.
   */
  tell(): Promise<Applied>;
}

export interface Firewall {
  readonly kind: 'nftables' | 'iptables' | 'dry-run' | 'memory';
  /** Does a block hold? `dry-run` only writes down what it would do. (`memory` holds, in a kernel of its own making.) */
  readonly enforces: boolean;
  /**
   * Begins with what the first {@link prepare} does first, which then says what came of it: whoever has other things to do
   * before that need not wait for it. Left out where there is nothing to gain.
   */
  begin?(): void;
  /**
   * Makes the table, its chain and the allow sets, or completes what is there; bans in force stay untouched.
   * A second call is harmless.
   * @throws BailiffError E_FIREWALL_UNAVAILABLE with what to do, when it can't be reached at all; E_ALREADY_RUNNING where
   *   another daemon enforces in this network namespace.
   */
  prepare(allow: readonly Network[]): Promise<void>;
  /** Replaces the allowed addresses, in one transaction. They pass ahead of every drop. */
  allow(networks: readonly Network[]): Promise<void>;
  /** What is blocked now. Empty where there is no table. `until` is accurate to a second or so. */
  list(): Promise<Iterable<Block>>;
  /**
   * Blocks and releases addresses: a block of one that is there sets its end anew, a release of one that isn't is fine.
   * Sets and rules that a change needs are made with it. Large lists go in batches, which happen whole or not at all with
   * nftables, and up to what is refused with ipset; each change happens whole or not at all.
   * @returns one outcome per change, in order; a refusal is a value, not an exception.
   * @throws BailiffError E_FIREWALL_UNAVAILABLE when it can't be reached at all.
   */
  apply(changes: readonly Change[], now: Instant): Promise<Applied[]>;
  /** The quicker way to block thousands at once, where nothing of them is blocked. */
  fill(now: Instant): Filling;
  /** Blocks may come soon: a program that is at rest is started ahead of them. Left out where there is none. */
  expect?(): void;
  /**
   * The first {@link prepare} and what follows it come soon: the programs for them are started. To start one takes the longer the
   * more memory there is, so a daemon does it before it recalls anything. {@link close} ends them.
   */
  wake?(): void;
  dropped(): Promise<Dropped>;
  /** Left out where nothing announces what others do. */
  readonly announcements?: Announcements;
  /**
   * Is everything there that was made here? Not the bans one by one: what they stand on, and that nothing
   * stands ahead of it that would let packets by. Cheap enough for every few seconds.
   * After a no, `prepare`, and compare with a list. A loss that a change met on its way is told here, once.
   * @throws BailiffError E_FIREWALL_UNAVAILABLE when it can't be reached at all.
   */
  isWhole(): Promise<boolean>;
  /** Leaves the host as found: the table and everything in it goes. Harmless where there is none. */
  teardown(): Promise<void>;
  /** Ends child processes. What is in force stays in force. */
  close(): Promise<void>;
}
