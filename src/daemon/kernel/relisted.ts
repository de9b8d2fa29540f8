// What a listing says, against what we believed to be in the kernel. In short turns: there may be a million blocks.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Block, Instant, Network } from '../../model.ts';
import { isSame, TOLERANCE } from './desired.ts';
import type { Held } from './held.ts';

/** A few milliseconds' worth. */
const AT_ONCE = 2_000;

export interface Relisted {
  /** How many blocks we knew to be there, that are not over and that somebody else took out. */
  readonly vanished: number;
  /** The networks of which the kernel holds something else than we believed. */
  readonly changed: readonly Network[];
}

/**
 * Makes `held` what the listing says.
 * @param known the same network as it is kept elsewhere: so that hundreds of thousands of them don't stand in memory twice.
 */
export async function relist(
  listed: readonly Block[],
  held: Held,
  known: (network: Network) => Network,
  now: Instant,
): Promise<Relisted> {
  const seen = new Set<Block>();
  const changed: Network[] = [];
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    if (at > 0) await breathe();
    for (const { scope, network: written, until } of listed.slice(at, at + AT_ONCE)) {
      let block = held.find(written, scope);
      if (!block || !isSame(block, { scope, network: written, until })) {
        block = { scope, network: known(written), until };
        held.hold(block);
        changed.push(block.network);
      }
      seen.add(block);
    }
  }
  let vanished = 0;
  let looks = 0;
  for (const block of held.all()) {
    if (++looks % AT_ONCE === 0) await breathe();
    const { network, scope, until } = block;
    if (seen.has(block)) continue;
    held.letGo(network, scope);
    changed.push(network);
    if (until === undefined || until > now + TOLERANCE) vanished++;
  }
  return { vanished, changed };
}
