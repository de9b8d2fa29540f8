// What a listing says, against what we believed to be in the kernel. In short turns: there may be a million blocks.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Block, Instant, Network } from '../../model.ts';
import { TOLERANCE } from './desired.ts';
import type { Held } from './held.ts';

/** A few milliseconds' worth. */
const AT_ONCE = 2_000;

export interface Relisted {
  /** How many blocks we knew to be there, that are not over and that somebody else took out. */
  readonly vanished: number;
  /** The networks of which the kernel holds something else than we believed. */
  readonly changed: readonly Network[];
}

/** Makes `held` what the listing says. */
export async function relist(listed: readonly Block[], held: Held, now: Instant): Promise<Relisted> {
  const changed: Network[] = [];
  held.beginListing();
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    if (at > 0) await breathe();
    for (const block of listed.slice(at, at + AT_ONCE)) {
      const isKnown = held.listed(block);
      if (!isKnown) changed.push(block.network);
    }
  }
  let vanished = 0;
  let looks = 0;
  for (const { network, until } of held.unlisted()) {
    if (++looks % AT_ONCE === 0) await breathe();
    changed.push(network);
    if (until === undefined || until > now + TOLERANCE) vanished++;
  }
  return { vanished, changed };
}
