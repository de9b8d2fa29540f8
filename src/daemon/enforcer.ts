// Kernel state is a function: desired(open bans, now) → { scope → { network → until } }, where a scope is the traffic and
// what is done with it: of several answers to one network the kernel gives the severest while it lasts. The enforcer applies the
// difference between that and what it believes to be in force; at boot, and whenever it lost touch, it asks the kernel.
import { setImmediate as breathe } from 'node:timers/promises';
import { BailiffError } from '../errors.ts';
import type { Change, Firewall } from '../firewall/contract.ts';
import type { Ban, Block, Instant, Network, Scope } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import { createAsking } from './asking.ts';
import type { Bans } from './bans.ts';
import type { Enforcer, EnforcerNews } from './enforcing.ts';
import type { FaultPoint } from './fault-points.ts';
import { desired, difference, isSameScope, refusalKey } from './kernel/desired.ts';
import { fill } from './kernel/filling.ts';
import { createFlood } from './kernel/flood.ts';
import { createHeld } from './kernel/held.ts';
import { relist } from './kernel/relisted.ts';
import type { Relisted } from './kernel/relisted.ts';
import { createRetry } from './kernel/retry.ts';
import { AT_ONCE, tellOf } from './kernel/telling.ts';

export type { Enforcer, EnforcerNews } from './enforcing.ts';

/** For a batch of more than these a program is started. */
const LARGE = 100;
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
    readonly adopt?: ((blocks: Iterable<Block>) => void) | undefined;
  },
  ports: { clock: Clock; log: Log; at: FaultPoint; news?: EnforcerNews },
): Enforcer {
  const { clock, log, at, news = NOBODY } = ports;
  const asking = createAsking(clock);
  /** What we believe to be in the kernel. */
  let held = createHeld(bans.size);
  const refusals = new Map<string, string>();
  let pending = new Map<string, Network>();
  /** What the kernel held at boot and no open ban wants: lines still to be read may want it again. */
  let deferred: Map<string, Network> | undefined = new Map();
  let allowed: readonly Network[] = [];
  let standing = true;
  let lost = true;
  let booting = true;
  let hasListed = false;
  let fault: string | undefined;
  const retry = createRetry(clock, () => void sync());
  const flood = createFlood(clock);
  const arrivals = createFlood(clock);
  let queued: Promise<void> | undefined;
  /** No more bans come for now: whoever waits its turn needn't pause in it. */
  let isLast = false;
  let endPause = (): void => {};
  let tail: Promise<void> = Promise.resolve();

  const desiredOn = (network: Network, now: Instant): readonly Block[] =>
    desired(bans.on(network), scopeOf, network, now);

  function changesOf(network: Network, now: Instant): readonly Change[] {
    const may = { block: !options.detectOnly, release: !deferred?.has(network.text) };
    return difference(network, held.on(network), desiredOn(network, now), may);
  }

  /** @returns what the kernel holds and no open ban stands on. */
  async function reconcile(): Promise<readonly Network[]> {
    if (!options.detectOnly) await firewall.prepare(allowed);
    const listed = await firewall.list();
    if (!hasListed) options.adopt?.(listed);
    hasListed = true;
    const { vanished } = await relist(listed, held, clock.now());
    if (vanished > 0) tellVanished(vanished);
    lost = false;
    const unwanted: Network[] = [];
    let looks = 0;
    for (const { network } of held.all()) {
      if (++looks % AT_ONCE === 0) await breathe();
      if (bans.on(network).length === 0) unwanted.push(network);
    }
    // Lines that are still to be read may decide anew what the kernel holds and the ledger doesn't know.
    if (deferred) for (const network of unwanted) deferred.set(network.text, network);
    return unwanted;
  }

  const tellVanished = (count: number): void =>
    log.warn({ count }, 'blocks had vanished from the kernel; they are put back');

  async function tellKernel(): Promise<void> {
    if (!standing) {
      bans.takeTouched();
      pending.clear();
      return;
    }
    try {
      await tell(lost ? await everything(await reconcile()) : whatChanged());
      if (lost) void sync();
      if (refusals.size === 0) retry.reset();
      if (fault !== undefined) log.info({}, 'the firewall answers again');
      fault = undefined;
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error;
      // Another daemon's bans are not ours to compare with: whoever starts second ends.
      if (booting && error.code === 'E_ALREADY_RUNNING') throw error;
      loseTouch(error.message);
    }
  }

  function* whatChanged(): Generator<Network> {
    const again = pending;
    pending = new Map();
    yield* again.values();
    for (const network of touched()) {
      // Its ban was just passed or lifted: that is newer than what was found at boot.
      deferred?.delete(network.text);
      yield network;
    }
  }

  /**
   * Each network once, or hardly ever oftener: there may be hundreds of thousands. A kernel that holds nothing is told of them
   * at once.
   * @returns what is still to be told.
   */
  async function everything(unwanted: readonly Network[]): Promise<Iterator<Network>> {
    pending = new Map();
    const all = bans.takeAll();
    const left = held.size === 0 && !options.detectOnly ? await fillWith(all) : [];
    return (function* () {
      yield* left;
      yield* all;
      yield* unwanted;
    })();
  }

  const fillWith = (networks: Iterator<Network>): Promise<readonly Network[]> =>
    fill(networks, held, {
      ...{ now: clock.now, desiredOn, told: news.told, begin: firewall.fill },
      async tell(filling) {
        at('before-enforce');
        const began = clock.monotonic();
        const outcome = await filling.tell();
        flood.told(began);
        if (outcome.outcome === 'applied' && outcome.rebuilt) lost = true;
        at('after-enforce');
        return outcome;
      },
      blocked: ({ scope, network, until }, outcome) =>
        news.applied({ what: 'block', scope, network, until }, outcome),
    });

  /** What is touched from here on waits for the next run, so that this one ends. */
  function* touched(): Generator<Network> {
    for (let left = bans.touched; left > 0; left -= AT_ONCE) yield* bans.takeTouched(Math.min(left, AT_ONCE));
  }

  async function tell(networks: Iterator<Network>): Promise<void> {
    const failed = await tellOf(networks, { now: clock.now, changesOf, apply, told: news.told });
    if (!failed) return;
    for (const [text, network] of failed.left) pending.set(text, network);
    throw failed.why;
  }

  async function apply(changes: readonly Change[]): Promise<void> {
    const refused = new Map<string, Network>();
    at('before-enforce');
    // If we die here the bans are committed and pending; boot tells the kernel, which is harmless to do twice.
    const began = clock.monotonic();
    const outcomes = await firewall.apply(changes, clock.now());
    if (changes.length > LARGE) {
      flood.told(began);
      arrivals.told(began);
    }
    for (let index = 0; index < changes.length; index++) {
      if (index > 0 && index % AT_ONCE === 0) await breathe();
      const change = changes[index]!;
      const outcome = outcomes[index]!;
      const { network, scope } = change;
      news.applied(change, outcome);
      if (outcome.outcome === 'refused') {
        refusals.set(refusalKey(network, scope), outcome.why);
        refused.set(network.text, network);
        log.error({ address: network.text, what: change.what, why: outcome.why }, 'the kernel refused');
        continue;
      }
      if (refusals.size > 0) refusals.delete(refusalKey(network, scope));
      // The sets had vanished and were made anew with this change: everything else that they held is gone.
      if (outcome.rebuilt) lost = true;
      if (change.what === 'block') held.hold(change);
      else held.letGo(network, scope);
    }
    if (refused.size > 0) tryAgain(refused);
    at('after-enforce');
  }

  /** A refusal may pass (memory is short, say): the same changes are tried once more, ever later. */
  function tryAgain(networks: ReadonlyMap<string, Network>): void {
    for (const [text, network] of networks) pending.set(text, network);
    retry.later();
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
    retry.later();
  }

  /** Calls that come while one waits its turn share it: it takes whatever is pending when it runs. */
  function sync(last = false): Promise<void> {
    isLast ||= last;
    if (isLast) endPause();
    if (queued) return queued;
    const mine = tail.then(async () => {
      if (!isLast) await pause();
      isLast = false;
      queued = undefined;
      return asking.during(tellKernel);
    });
    queued = mine;
    tail = mine;
    return mine;
  }

  async function pause(): Promise<void> {
    const left = flood.pause;
    if (left > 0 && bans.touched > LARGE / 2)
      await new Promise<void>((resolve) => {
        const cancel = clock.schedule(left, resolve);
        endPause = () => {
          cancel();
          resolve();
        };
      });
  }

  /** Runs after everything that is under way, so that two conversations with the kernel never mix. */
  function inTurn(task: () => Promise<void>): Promise<void> {
    const mine = tail.then(() => asking.during(task));
    tail = mine.catch(() => {});
    return mine;
  }

  /** Somebody else's tool may take our rules away. */
  async function mend(): Promise<boolean> {
    if (booting || !standing || lost || options.detectOnly) return false;
    let isGone = false;
    await inTurn(async () => {
      if (!standing || lost) return;
      try {
        isGone = lost = !(await firewall.isWhole());
        if (lost) log.warn({}, 'rules or sets had vanished from the kernel; they are made anew');
      } catch (error) {
        if (!(error instanceof BailiffError)) throw error;
        loseTouch(error.message);
      }
    });
    if (lost) await sync();
    return isGone;
  }

  async function audit(): Promise<number | undefined> {
    const isMeant = (): boolean => standing && !lost && !deferred && !options.detectOnly;
    let found: Relisted | undefined;
    await inTurn(async () => {
      if (!isMeant()) return;
      try {
        // Somebody may have changed whom it lets pass.
        await firewall.prepare(allowed);
        // Not while the kernel is told of something: nft would begin to list anew each time.
        found = await relist(await firewall.list(), held, clock.now());
      } catch (error) {
        if (!(error instanceof BailiffError)) throw error;
        loseTouch(error.message);
      }
    });
    if (!found || found.changed.length === 0) return found && 0;
    for (const network of found.changed) pending.set(network.text, network);
    if (found.vanished > 0) tellVanished(found.vanished);
    await sync();
    return found.vanished;
  }

  async function putBack(released: readonly { scope: Scope; network: Network }[]): Promise<number> {
    if (!standing || lost || options.detectOnly) return 0;
    let count = 0;
    await inTurn(async () => {
      for (const { scope, network } of released) {
        if (!held.has(network, scope)) continue;
        held.letGo(network, scope);
        pending.set(network.text, network);
        if (desiredOn(network, clock.now()).some((block) => isSameScope(block.scope, scope))) count++;
      }
      if (count > 0) tellVanished(count);
    });
    await sync();
    return count;
  }

  return {
    mend,
    audit,
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
        retry.cancel();
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
    get isFlooded() {
      return bans.touched + pending.size > LARGE || flood.isOn;
    },
    get isSwamped() {
      return bans.touched + pending.size > LARGE || arrivals.isOn;
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
      return { state: held.has(ban.address, scope) ? 'blocked' : 'pending' };
    },
    async close() {
      retry.cancel();
      await tail.catch(() => {});
      await firewall.close();
    },
  };
}
