// Reads what `ipset save` says of one set. 100 000 elements are 5 MB: they are read some at a time, so that the event loop
// is never held for long.
import { setImmediate } from 'node:timers/promises';
import { networkOf, parseNetwork } from '../address.ts';
import type { Block, Instant, Network, Scope } from '../model.ts';
import { addBan, type BanSet, MAX_TIMEOUT } from './iptables-sets.ts';
import { KERNEL_SLACK } from './nft-script.ts';

/** Elements read before the event loop has its turn: about 5 ms of IPv6. */
const SOME = 1_000;
/** `add NAME 192.0.2.0/24 timeout 599 comment "until 1798675200000"`; a timeout of 0 is none. */
const ELEMENT = /^add \S+ (\S+) timeout (\d+)(?: comment "until (\d{1,16})")?/;
/** An end that ipset can't count to is set anew when half of what it can is over. */
const RENEW_BELOW = MAX_TIMEOUT / 2;

/** The ports that a set holds. */
export function readPorts(saved: string): number[] {
  return [...saved.matchAll(/^add \S+ (\d+)/gm)].map((found) => Number(found[1]));
}

/** @returns what the set blocks, and the lines that renew those elements which end before their sentence does. */
export async function readBans(
  saved: string,
  set: BanSet,
  scope: Scope,
  now: Instant,
): Promise<{ blocks: Block[]; renewals: string[] }> {
  const blocks: Block[] = [];
  const renewals: string[] = [];
  let [count, at] = [0, 0];
  while (at < saved.length) {
    const end = saved.indexOf('\n', at);
    const line = saved.slice(at, end < 0 ? saved.length : end);
    at = end < 0 ? saved.length : end + 1;
    const found = ELEMENT.exec(line);
    const network = found ? networkIn(set, found[1]!) : undefined;
    if (!found || !network) continue;
    const seconds = Number(found[2]);
    const kernelEnd = seconds === 0 ? undefined : now + seconds * 1_000 - KERNEL_SLACK;
    const until = found[3] === undefined ? kernelEnd : Number(found[3]);
    blocks.push({ scope, network, until });
    if (found[3] !== undefined && seconds < RENEW_BELOW)
      renewals.push(...addBan(set.name, network, until, now));
    if (++count % SOME === 0) await setImmediate();
  }
  // Everything is two halves, and one block where both are there.
  return { blocks: set.bits === 0 ? blocks.slice(1, 2) : blocks, renewals };
}

/** @returns undefined for an element that the set isn't for: somebody else put it there. */
function networkIn({ family, bits }: BanSet, text: string): Network | undefined {
  const network = parseNetwork(text)?.network;
  if (network?.family !== family) return undefined;
  if (bits === 0) return networkOf(family, network.bytes, 0);
  return network.bits === bits ? network : undefined;
}
