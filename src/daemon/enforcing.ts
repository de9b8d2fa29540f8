// What is asked of the enforcer, and what it tells.
import type { Applied, Change } from '../firewall/contract.ts';
import type { Ban, Network, Scope } from '../model.ts';

export interface Enforcer {
  /** Makes the table, compares the kernel with the bans and applies the difference. Removals wait for {@link settle}. */
  boot(allowed: readonly Network[]): Promise<void>;
  /**
   * Tells the kernel what changed. Resolves when it has been told, or could not be reached. Coalesces calls.
   * @param isLast no more comes for now: in a flood it is told without a pause as well.
   */
  sync(isLast?: boolean): Promise<void>;
  /** The backlog has been read: what is in the kernel and no longer wanted may go. */
  settle(): Promise<void>;
  /**
   * Looks at every block in the kernel, and puts back those that somebody else took out. Costs a listing: half a second
   * for 100 000 blocks; {@link mend} asks less and oftener. Does nothing before {@link settle}, nor where nothing is to be in force.
   * @returns how many were gone; undefined where it did not look.
   */
  audit(): Promise<number | undefined>;
  allow(networks: readonly Network[]): Promise<void>;
  /**
   * Looks whether somebody else took our rules or sets out of the kernel (`flush ruleset`, say), and puts them back.
   * @returns whether anything was gone.
   */
  mend(): Promise<boolean>;
  /** The kernel announced that these are not blocked any more: those that should be are put back. @returns how many. */
  putBack(released: readonly { readonly scope: Scope; readonly network: Network }[]): Promise<number>;
  /** Takes everything out of the kernel and rests until {@link arm}. */
  standDown(): Promise<void>;
  arm(): Promise<void>;
  readonly isStanding: boolean;
  /** How many networks the kernel holds, as far as we know. */
  readonly heldCount: number;
  /** Do bans wait for the kernel by the hundred, or did they a moment ago? Then a listing had better wait. */
  readonly isFlooded: boolean;
  /** The same of new bans alone: to put a thousand back after a flush is none, for the next flush must be heard at once. */
  readonly isSwamped: boolean;
  /** What the kernel refused and will be asked for again, in a sentence for status. */
  readonly refusal: string | undefined;
  /** What the firewall's last failure said, while it fails. */
  readonly fault: string | undefined;
  /** Is the ban in the kernel? `why` says what the kernel answered when it refused it. */
  standingOf(ban: Ban): { readonly state: 'blocked' | 'pending' | 'unenforceable'; readonly why?: string };
  close(): Promise<void>;
}

/** What became of what the kernel was told. */
export interface EnforcerNews {
  applied(change: Change, outcome: Applied): void;
  /** All that was wanted of these networks has been told; what the kernel refused of it was `applied` as refused. */
  told(networks: Iterable<Network>): void;
}
