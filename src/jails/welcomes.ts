// Where somebody logged in successfully of late, as one jail knows it: such an address has more patience coming to it.
// Bounded in number, and told by the lines' own stamps, so that the same lines give the same verdicts.
import { isAddress, mask, offenderOf, overlaps } from '../address.ts';
import type { Duration, Instant, Network, Welcome } from '../model.ts';
import { createOldest } from '../oldest.ts';
import { formatInstant } from '../time.ts';

/** What changed since the last commit. */
interface WelcomeChanges {
  /** In the order in which the log-ins were heard of. */
  readonly welcomes: readonly Welcome[];
  readonly forgottenWelcomes: readonly { readonly jail: string; readonly address: Network }[];
}

/** Known otherwise than by a log line. */
export interface Arrival {
  readonly by: NonNullable<Welcome['by']>;
  /** From when on he was there; left out: from that instant. */
  readonly since?: Instant;
}

export interface Welcomes {
  /** In the order in which they were heard of. */
  all(): Iterable<Welcome>;
  /** How many changes the ledger doesn't know. */
  readonly dirty: number;
  readonly size: number;
  readonly most: number;
  /** How many made room for later ones. */
  readonly evicted: number;
  /** Another number whenever an address is among them that wasn't. */
  readonly edition: number;
  /** Is there one, at whatever instant, of the address or the prefix under which it is counted? */
  knows(address: Network): boolean;
  /** Someone logged in from the address at that instant, or `how` says how else we know of him. */
  note(address: Network, at: Instant, how?: Arrival): void;
  /** The welcome that protects the address at that instant, by itself or by the prefix under which it is counted. */
  find(address: Network, at: Instant): Welcome | undefined;
  /** Those that protect somebody inside the network at that instant. Looks at all of them: for commands by hand. */
  inside(network: Network, at: Instant): Iterable<Welcome>;
  takeDirty(): WelcomeChanges;
  /** After a commit that failed: these are still to be written; those of other jails are passed over. */
  restore(changes: WelcomeChanges): void;
  /** Forgets those that protect nobody at `at` or later. */
  prune(at: Instant): void;
}

/** Beyond it those whose log-in is longest ago make room. */
const MOST_WELCOMES = 20_000;

/**
 * @param protect how long a log-in protects; 0: not at all.
 * @param remembered of this jail, the one that was heard of first in front.
 */
export function createWelcomes(
  jail: string,
  { protect, ipv6Prefix }: { readonly protect: Duration; readonly ipv6Prefix: number },
  remembered: Iterable<Welcome>,
): Welcomes {
  /** In the order in which they were heard of. */
  const known = new Map<string, Welcome>();
  const oldest = createOldest(known);
  let changed = new Set<string>();
  let evicted = 0;
  let edition = 0;
  let forgotten = new Map<string, Network>();
  for (const each of remembered) if (each.jail === jail) recall(each);

  /** The rules may be stricter by now than when it was noted. */
  function recall(welcome: Welcome): void {
    const { address, last } = welcome;
    if (protect <= 0) return void forgotten.set(address.text, address);
    const until = Math.min(welcome.until, last + protect);
    known.set(address.text, until < welcome.until ? { ...welcome, until } : welcome);
    if (until < welcome.until) changed.add(address.text);
  }

  /** Counted as offenders are, and never by what happens to be protected now: that changes, and the key may not. */
  const keyOf = (address: Network): Network =>
    isAddress(address)
      ? offenderOf(address, ipv6Prefix, () => false)
      : mask(address, Math.min(address.bits, ipv6Prefix));

  const forget = (welcome: Welcome): void => {
    known.delete(welcome.address.text);
    changed.delete(welcome.address.text);
    forgotten.set(welcome.address.text, welcome.address);
  };

  return {
    all: () => known.values(),
    get dirty() {
      return changed.size + forgotten.size;
    },
    get size() {
      return known.size;
    },
    most: MOST_WELCOMES,
    get evicted() {
      return evicted;
    },
    get edition() {
      return edition;
    },
    knows: (address) => known.size > 0 && known.has(keyOf(address).text),
    note(written, at, how) {
      if (protect <= 0) return;
      const address = keyOf(written);
      const before = known.get(address.text);
      const since = Math.min(at, how?.since ?? at);
      const named = { jail, address, since, last: at, until: at + protect };
      const welcome = joined(before, how ? { ...named, by: how.by } : named);
      if (welcome === before) return;
      if (!before) edition++;
      // Last in order, whenever it was first heard of.
      known.delete(address.text);
      known.set(address.text, welcome);
      changed.delete(address.text);
      changed.add(address.text);
      forgotten.delete(address.text);
      if (known.size <= MOST_WELCOMES) return;
      forget(known.get(oldest()!)!);
      evicted++;
    },
    find(address, at) {
      const welcome = known.size > 0 ? known.get(keyOf(address).text) : undefined;
      return welcome && protects(welcome, at) ? welcome : undefined;
    },
    *inside(network, at) {
      for (const welcome of known.values())
        if (protects(welcome, at) && overlaps(network, welcome.address)) yield welcome;
    },
    takeDirty() {
      const welcomes = Array.from(changed, (key) => known.get(key)!);
      const gone = Array.from(forgotten.values(), (address) => ({ jail, address }));
      const changes = { welcomes, forgottenWelcomes: gone };
      changed = new Set();
      forgotten = new Map();
      return changes;
    },
    restore(changes) {
      const isOwn = (each: { readonly jail: string }): boolean => each.jail === jail;
      const older = changes.welcomes.filter(isOwn).map(({ address }) => address.text);
      changed = new Set([...older.filter((key) => known.has(key) && !changed.has(key)), ...changed]);
      for (const { address } of changes.forgottenWelcomes.filter(isOwn))
        if (!known.has(address.text)) forgotten.set(address.text, address);
    },
    prune(at) {
      for (const welcome of known.values()) if (welcome.until < at) forget(welcome);
    },
  };
}

/** Why nobody bans the address, as a half-sentence. */
export function whyWelcome({ address, last, by }: Welcome): string {
  const when = formatInstant(last);
  if (by === 'session') return `someone who came from ${address.text} was logged in at ${when}`;
  if (by === 'command') return `an administrator ran bailiff from ${address.text} at ${when}`;
  return `someone logged in from ${address.text} at ${when}`;
}

function protects({ since, until }: Welcome, at: Instant): boolean {
  return since <= at && at <= until;
}

/** Two spans of which one begins before the other ends are one; else the later one is kept. */
function joined(before: Welcome | undefined, next: Welcome): Welcome {
  if (!before || next.since > before.until) return next;
  if (next.until < before.since) return before;
  if (next.since >= before.since && next.last <= before.last && next.until <= before.until) return before;
  return {
    // How we know is told of what we know last.
    ...(next.last >= before.last ? next : before),
    since: Math.min(before.since, next.since),
    last: Math.max(before.last, next.last),
    until: Math.max(before.until, next.until),
  };
}
