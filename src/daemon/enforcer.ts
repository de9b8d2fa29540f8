// Kernel state is a function: desired(open bans, now) → { scope → { network → until } }, where a scope is the traffic and
// what is done with it: of several answers to one network the kernel gives the severest while it lasts. The enforcer applies the
// difference between that and what it believes to be in force; at boot, and whenever it lost touch, it asks the kernel.
import { setImmediate as breathe } from 'node:timers/promises';
import { BailiffError } from '../errors.ts';
import type { Applied, Change, Firewall } from '../firewall/contract.ts';
import type { Ban, Block, Duration, Instant, Network, Scope } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import { createAsking } from './asking.ts';
import type { Bans } from './bans.ts';
import type { FaultPoint } from './fault-points.ts';
import { desired, isSame, isSameScope, refusalKey, TOLERANCE } from './kernel/desired.ts';
import { createHeld } from './kernel/held.ts';
import type { Held } from './kernel/held.ts';

/**
 * After a batch for which a program was started the next one waits for twice as long as it took: starting one costs
 * milliseconds in which nobody is served, and in a flood more bans come meanwhile.
 */
const LARGE = 100;
const LONGEST_PAUSE: Duration = 50;
/** As many as fit into one transaction. */
const COMPARED_AT_ONCE = 10_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 30_000;

export interface Enforcer {
  /** Makes the table, compares the kernel with the bans and applies the difference. Removals wait for {@link settle}. */
  boot(allowed: readonly Network[]): Promise<void>;
  /** Tells the kernel what changed. Resolves when it has been told, or could not be reached. Coalesces calls. */
  sync(): Promise<void>;
  /** The backlog has been read: what is in the kernel and no longer wanted may go. */
  settle(): Promise<void>;
  /**
   * Looks at every block in the kernel, and puts back those that somebody else took out. Costs a listing: half a second
   * for 100 000 blocks; {@link mend} asks less and oftener. Does nothing before {@link settle}, nor where nothing is to be in force.
   * @returns how many were gone.
   */
  audit(): Promise<number>;
  allow(networks: readonly Network[]): Promise<void>;
  /**
   * Looks whether somebody else took our rules or sets out of the kernel (`flush ruleset`, say), and puts them back.
   * @param isKnown it is known to be gone: nobody needs to ask.
   * @returns whether anything was gone.
   */
  mend(isKnown?: boolean): Promise<boolean>;
  /** The kernel announced that these are not blocked any more: those that should be are put back. @returns how many. */
  putBack(released: readonly { readonly scope: Scope; readonly network: Network }[]): Promise<number>;
  /** Takes everything out of the kernel and rests until {@link arm}. */
  standDown(): Promise<void>;
  arm(): Promise<void>;
  readonly isStanding: boolean;
  /** How many networks the kernel holds, as far as we know. */
  readonly heldCount: number;
  /** How many networks wait to be compared with it. */
  readonly waiting: number;
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

const NOBODY: EnforcerNews = { applied() {}, told() {} };

/**
 * @param scopeOf what traffic a ban drops; undefined where its jail only detects.
 * @param options `detectOnly`: nothing new ever reaches the kernel; what an earlier run left there can be lifted.
 */
export function createEnforcer(
  firewall: Firewall,
  bans: Bans,
  scopeOf: (ban: Ban) => Scope | undefined,
  options: {
    readonly detectOnly: boolean;
    /** Is handed what the kernel holds before it is first compared with the bans. */
    readonly adopt?: ((blocks: readonly Block[]) => void) | undefined;
  },
  ports: { clock: Clock; log: Log; at: FaultPoint; news?: EnforcerNews },
): Enforcer {
  const { clock, log, at, news = NOBODY } = ports;
  const asking = createAsking(clock);
  /** What we believe to be in the kernel. */
  let held = createHeld();
  const refusals = new Map<string, string>();
  let pending = new Map<string, Network>();
  /** What the kernel held at boot and no open ban wants: lines still to be read may want it again. */
  let deferred: Map<string, Network> | undefined = new Map();
  let allowed: readonly Network[] = [];
  let standing = true;
  let lost = true;
  /** How many blocks the last listing missed. */
  let vanished = 0;
  let booting = true;
  let hasListed = false;
  let fault: string | undefined;
  let retryAfter = FIRST_RETRY;
  let cancelRetry: (() => void) | undefined;
  /** By the monotonic clock: before it nothing large is told. */
  let nextAt: Duration = 0;
  let queued: Promise<void> | undefined;
  let tail: Promise<void> = Promise.resolve();

  const desiredOn = (network: Network, now: Instant): readonly Block[] =>
    desired(bans.on(network), scopeOf, network, now);

  function difference(networks: readonly Network[], now: Instant): Change[] {
    const changes: Change[] = [];
    for (const network of networks) {
      const wanted = desiredOn(network, now);
      const have = held.on(network);
      if (!options.detectOnly)
        for (const block of wanted) {
          const before = have.find(({ scope }) => isSameScope(scope, block.scope));
          if (!before) changes.push({ what: 'block', ...block, isNew: true });
          else if (!isSame(before, block)) changes.push({ what: 'block', ...block });
        }
      if (deferred?.has(network.text)) continue;
      for (const { scope } of have)
        if (!wanted.some((block) => isSameScope(block.scope, scope)))
          changes.push({ what: 'release', scope, network });
    }
    return changes;
  }

  async function reconcile(): Promise<void> {
    if (!options.detectOnly) await firewall.prepare(allowed);
    const listed = await firewall.list();
    if (!hasListed) options.adopt?.(listed);
    hasListed = true;
    const before = held;
    held = createHeld();
    for (const block of listed) held.hold(block);
    vanished = countVanished(before);
    for (const ban of bans.open()) pending.set(ban.address.text, ban.address);
    for (const { network } of held.all()) {
      pending.set(network.text, network);
      // Lines that are still to be read may decide anew what the kernel holds and the ledger doesn't know.
      if (bans.on(network).length === 0) deferred?.set(network.text, network);
    }
    lost = false;
  }

  /** Whatever we knew to be there, and is not over: somebody else took it out. */
  function countVanished(before: Held): number {
    const now = clock.now();
    let count = 0;
    for (const { network, scope, until } of before.all())
      if ((until === undefined || until > now + TOLERANCE) && !held.find(network, scope)) count++;
    if (count > 0) log.warn({ count }, 'blocks had vanished from the kernel; they are put back');
    return count;
  }

  async function tellKernel(): Promise<void> {
    for (const network of bans.takeTouched()) {
      pending.set(network.text, network);
      // Its ban was just passed or lifted: that is newer than what was found at boot.
      if (!lost) deferred?.delete(network.text);
    }
    if (!standing) {
      pending.clear();
      return;
    }
    try {
      if (lost) await reconcile();
      await tellPending();
      if (lost) void sync();
      if (refusals.size === 0) retryAfter = FIRST_RETRY;
      if (fault !== undefined) log.info({}, 'the firewall answers again');
      fault = undefined;
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error;
      // Another daemon's bans are not ours to compare with: whoever starts second ends.
      if (booting && error.code === 'E_ALREADY_RUNNING') throw error;
      loseTouch(error.message);
    }
  }

  /** Some at a time: to compare a hundred thousand takes as long as nobody should wait for an answer. */
  async function tellPending(): Promise<void> {
    const networks = [...pending.values()];
    pending = new Map();
    for (let done = 0; done < networks.length; done += COMPARED_AT_ONCE) {
      const some = networks.slice(done, done + COMPARED_AT_ONCE);
      try {
        const changes = difference(some, clock.now());
        if (changes.length > 0) await apply(changes);
        else if (some.length === COMPARED_AT_ONCE) await breathe();
      } catch (error) {
        for (const network of networks.slice(done)) pending.set(network.text, network);
        throw error;
      }
      news.told(some);
    }
  }

  async function apply(changes: readonly Change[]): Promise<void> {
    const refused = new Map<string, Network>();
    at('before-enforce');
    // If we die here the bans are committed and pending; boot tells the kernel, which is harmless to do twice.
    const began = clock.monotonic();
    const outcomes = await firewall.apply(changes, clock.now());
    const ended = clock.monotonic();
    if (changes.length > LARGE) nextAt = ended + Math.min(LONGEST_PAUSE, (ended - began) * 2);
    outcomes.forEach((outcome, index) => {
      const change = changes[index]!;
      const { network, scope } = change;
      news.applied(change, outcome);
      if (outcome.outcome === 'refused') {
        refusals.set(refusalKey(network, scope), outcome.why);
        refused.set(network.text, network);
        log.error({ address: network.text, what: change.what, why: outcome.why }, 'the kernel refused');
        return;
      }
      if (refusals.size > 0) refusals.delete(refusalKey(network, scope));
      // The sets had vanished and were made anew with this change: everything else that they held is gone.
      if (outcome.rebuilt) lost = true;
      if (change.what === 'block') held.hold({ scope, network, until: change.until });
      else held.letGo(network, scope);
    });
    if (refused.size > 0) tryAgain(refused);
    at('after-enforce');
  }

  /** A refusal may pass (memory is short, say): the same changes are tried once more, ever later. */
  function tryAgain(networks: ReadonlyMap<string, Network>): void {
    for (const [text, network] of networks) pending.set(text, network);
    cancelRetry?.();
    cancelRetry = clock.schedule(retryAfter, () => void sync());
    retryAfter = Math.min(retryAfter * 2, LAST_RETRY);
  }

  function loseTouch(why: string): void {
    if (options.detectOnly) {
      // Nothing is to be told to it; there was only the question what an earlier run had left.
      lost = false;
      return;
    }
    if (fault === undefined) log.error({ why }, 'the firewall does not answer');
    fault = why;
    lost = true;
    cancelRetry?.();
    cancelRetry = clock.schedule(retryAfter, () => void sync());
    retryAfter = Math.min(retryAfter * 2, LAST_RETRY);
  }

  /** Calls that come while one waits its turn share it: it takes whatever is pending when it runs. */
  function sync(): Promise<void> {
    if (queued) return queued;
    const mine = tail.then(async () => {
      await pause();
      queued = undefined;
      return asking.during(tellKernel);
    });
    queued = mine;
    tail = mine;
    return mine;
  }

  async function pause(): Promise<void> {
    const left = nextAt - clock.monotonic();
    if (left > 0 && bans.touched > LARGE / 2)
      await new Promise<void>((resolve) => clock.schedule(left, resolve));
  }

  /** Runs after everything that is under way, so that two conversations with the kernel never mix. */
  function inTurn(task: () => Promise<void>): Promise<void> {
    const mine = tail.then(() => asking.during(task));
    tail = mine.catch(() => {});
    return mine;
  }

  /** Somebody else's tool may take our rules away. */
  async function mend(isKnown = false): Promise<boolean> {
    if (booting || !standing || lost || options.detectOnly) return false;
    let isGone = false;
    await inTurn(async () => {
      if (!standing || lost) return;
      try {
        isGone = lost = isKnown || !(await firewall.isWhole());
        if (lost) log.warn({}, 'rules or sets had vanished from the kernel; they are made anew');
      } catch (error) {
        if (!(error instanceof BailiffError)) throw error;
        loseTouch(error.message);
      }
    });
    if (lost) await sync();
    return isGone;
  }

  async function putBack(released: readonly { scope: Scope; network: Network }[]): Promise<number> {
    if (!standing || lost || options.detectOnly) return 0;
    let count = 0;
    await inTurn(async () => {
      for (const { scope, network } of released) {
        if (!held.find(network, scope)) continue;
        held.letGo(network, scope);
        pending.set(network.text, network);
        if (desiredOn(network, clock.now()).some((block) => isSameScope(block.scope, scope))) count++;
      }
      if (count > 0) log.warn({ count }, 'blocks had vanished from the kernel; they are put back');
    });
    await sync();
    return count;
  }

  return {
    mend,
    putBack,
    async boot(networks) {
      allowed = networks;
      await sync();
      booting = false;
      at('after-boot-enforce');
    },
    sync,
    async settle() {
      if (!deferred) return;
      for (const [text, network] of deferred) pending.set(text, network);
      deferred = undefined;
      await sync();
    },
    async audit() {
      if (!standing || lost || deferred || options.detectOnly) return 0;
      lost = true;
      vanished = 0;
      await sync();
      return vanished;
    },
    async allow(networks) {
      allowed = networks;
      // Asked in turn: whoever is laying the table just now may have begun with the list of before.
      await inTurn(async () => {
        if (!standing || lost) return;
        try {
          await firewall.allow(allowed);
        } catch (error) {
          if (!(error instanceof BailiffError)) throw error;
          loseTouch(error.message);
        }
      });
    },
    async standDown() {
      await inTurn(async () => {
        await firewall.teardown();
        standing = false;
        held = createHeld();
        refusals.clear();
        cancelRetry?.();
        fault = undefined;
      });
    },
    async arm() {
      standing = true;
      lost = true;
      await sync();
    },
    get isStanding() {
      return standing;
    },
    get heldCount() {
      return held.size;
    },
    get waiting() {
      return bans.touched + pending.size;
    },
    get refusal() {
      const [why] = refusals.values();
      return why && `The kernel refuses ${refusals.size} changes (${why}); they are tried again.`;
    },
    get fault() {
      return fault ?? asking.trouble;
    },
    standingOf(ban) {
      const scope = scopeOf(ban);
      if (!scope) return { state: 'pending' };
      const why = refusals.get(refusalKey(ban.address, scope));
      if (why !== undefined) return { state: 'unenforceable', why };
      return { state: held.find(ban.address, scope) ? 'blocked' : 'pending' };
    },
    async close() {
      cancelRetry?.();
      await tail.catch(() => {});
      await firewall.close();
    },
  };
}
