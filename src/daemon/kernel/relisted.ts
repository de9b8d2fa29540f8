// What a listing says, in place of what we believed to be in the kernel. In short turns: there may be a million blocks.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Block, Instant, Network } from '../../model.ts';
import { TOLERANCE } from './desired.ts';
import { createHeld } from './held.ts';
import type { Held } from './held.ts';

/** A few milliseconds' worth. */
const AT_ONCE = 2_000;

export interface Relisted {
  readonly held: Held;
  /** How many blocks we knew to be there, that are not over and that somebody else took out. */
  readonly vanished: number;
}

/**
 * @param known the same network as it is kept elsewhere: so that hundreds of thousands of them don't stand in memory twice.
 */
export async function relist(
  listed: readonly Block[],
  before: Held,
  known: (network: Network) => Network,
  now: Instant,
): Promise<Relisted> {
  const held = createHeld();
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    if (at > 0) await breathe();
    for (const { scope, network, until } of listed.slice(at, at + AT_ONCE))
      held.hold({ scope, network: known(network), until });
  }
  let vanished = 0;
  let looked = 0;
  for (const { network, scope, until } of before.all()) {
    if (++looked % AT_ONCE === 0) await breathe();
    if ((until === undefined || until > now + TOLERANCE) && !held.find(network, scope)) vanished++;
  }
  return { held, vanished };
}
