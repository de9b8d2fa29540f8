// Since when each block is in the kernel: what was logged before says nothing about it.
import type { Applied, Change } from '../../firewall/contract.ts';
import type { Instant, Network, Scope } from '../../model.ts';
import { createOldest } from '../../oldest.ts';

export interface Force {
  /** The firewall took a change. @returns whether a block is in force from now on, or anew; undefined for no block. */
  applied(change: Change, outcome: Applied, now: Instant): 'new' | 'again' | undefined;
  /** Of a block that is in the kernel. */
  since(network: Network, scope: Scope): Instant;
}

/** So many blocks of the same traffic are told apart; of older ones it is enough that they are older. */
const MOST = 20_000;

/** @param from what is in the kernel by then, and was not put there since, is in force from here on. */
export function createForce(from: Instant): Force {
  const byTraffic = new Map<string, ReturnType<typeof createBlocks>>();

  function blocksOf(scope: Scope): ReturnType<typeof createBlocks> {
    const traffic = trafficIn(scope);
    const blocks = byTraffic.get(traffic) ?? createBlocks(from);
    byTraffic.set(traffic, blocks);
    return blocks;
  }

  return {
    applied({ what, network, scope }, outcome, now) {
      if (outcome.outcome === 'refused') return undefined;
      const isKnown = blocksOf(scope).forget(network);
      if (what === 'release') return undefined;
      blocksOf(scope).note(network, now);
      return isKnown ? 'again' : 'new';
    },
    since: (network, scope) => byTraffic.get(trafficIn(scope))?.since(network) ?? from,
  };
}

function createBlocks(from: Instant) {
  const known = new Map<string, Instant>();
  const oldestKey = createOldest(known);
  let oldest = from;

  function forgetOldest(): void {
    const key = oldestKey()!;
    oldest = Math.max(oldest, known.get(key)!);
    known.delete(key);
  }

  return {
    /** @returns was it there? */
    forget: (network: Network): boolean => known.delete(network.text),
    note(network: Network, now: Instant): void {
      known.set(network.text, now);
      if (known.size > MOST) forgetOldest();
    },
    since: (network: Network): Instant => known.get(network.text) ?? oldest,
  };
}

/** All bans of a jail have one scope: what its traffic is called is made once. */
const trafficOf = new WeakMap<Scope, string>();

function trafficIn(scope: Scope): string {
  let traffic = trafficOf.get(scope);
  if (traffic === undefined) trafficOf.set(scope, (traffic = `${scope.protocol}:${scope.ports.join(',')}`));
  return traffic;
}
