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

/** So many blocks are told apart; of older ones it is enough that they are older. */
const MOST = 20_000;

/** @param from what is in the kernel by then, and was not put there since, is in force from here on. */
export function createForce(from: Instant): Force {
  const known = new Map<string, Instant>();
  let oldest = from;
  const oldestKey = createOldest(known);
  return {
    applied(change, outcome, now) {
      const key = keyOf(change.network, change.scope);
      if (outcome.outcome === 'refused') return undefined;
      const isKnown = known.delete(key);
      if (change.what === 'release') return undefined;
      known.set(key, now);
      if (known.size > MOST) forgetOldest();
      return isKnown ? 'again' : 'new';
    },
    since: (network, scope) => known.get(keyOf(network, scope)) ?? oldest,
  };

  function forgetOldest(): void {
    const key = oldestKey()!;
    oldest = Math.max(oldest, known.get(key)!);
    known.delete(key);
  }
}

/** All bans of a jail have one scope: what its traffic is called is made once. */
const trafficOf = new WeakMap<Scope, string>();

function keyOf({ text }: Network, scope: Scope): string {
  let traffic = trafficOf.get(scope);
  if (traffic === undefined) trafficOf.set(scope, (traffic = `${scope.protocol}:${scope.ports.join(',')}`));
  return `${text} ${traffic}`;
}
