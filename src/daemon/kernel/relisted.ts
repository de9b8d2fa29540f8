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
export async function relist(listed: Iterable<Block>, held: Held, now: Instant): Promise<Relisted> {
  const changed: Network[] = [];
  held.beginListing();
  const blocks = listed[Symbol.iterator]();
  /** In a function that never waits: a loop that does is interpreted to its end. @returns whether there are more. */
  function takeSome(): boolean {
    for (let some = 0; some < AT_ONCE; some++) {
      const next = blocks.next();
      if (next.done) return false;
      const block = next.value;
      if (!held.listed(block)) changed.push(block.network);
    }
    return true;
  }
  while (takeSome()) await breathe();
  let vanished = 0;
  let looks = 0;
  for (const { network, until } of held.unlisted()) {
    if (++looks % AT_ONCE === 0) await breathe();
    changed.push(network);
    if (until === undefined || until > now + TOLERANCE) vanished++;
  }
  return { vanished, changed };
}
