// A kernel that holds nothing is told of all that is wanted: written down as it is compared, so that of a hundred thousand bans
// nothing but numbers and the script itself waits for the kernel; and while it works on one script the next is written.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Applied, Filling } from '../../firewall/contract.ts';
import type { Block, Instant, Network } from '../../model.ts';
import type { Held } from './held.ts';
import { AT_ONCE, FIRST, TOGETHER } from './telling.ts';

export interface FillingParts {
  now(): Instant;
  desiredOn(network: Network, now: Instant): readonly Block[];
  begin(now: Instant): Filling;
  /** Tells the firewall. Called again only once it has answered. */
  tell(filling: Filling): Promise<Applied>;
  /** It is in the kernel. */
  blocked(block: Block, outcome: Applied): void;
  told(networks: Iterable<Network>): void;
}

/** What is told together. */
interface Page {
  readonly filling: Filling;
  blocks: number;
  networks: number;
}

/**
 * @param held what the kernel holds: nothing, at first.
 * @returns networks of which not all could be told together.
 * @throws what the firewall throws: then nobody knows what it holds.
 */
export async function fill(
  networks: Iterator<Network>,
  held: Held,
  parts: FillingParts,
): Promise<readonly Network[]> {
  const left: Network[] = [];
  let flying: { readonly page: Page; readonly landing: Promise<Applied> } | undefined;
  let most = FIRST;

  /** In functions that never wait: a loop that does is interpreted to its end. @returns whether there are more. */
  function writeSome(page: Page): boolean {
    const now = parts.now();
    for (let some = 0; some < AT_ONCE; some++) {
      const next = networks.next();
      if (next.done) return false;
      const network = next.value;
      // A walk may meet one twice.
      if (held.holds(network)) continue;
      const blocks = parts.desiredOn(network, now);
      if (blocks.length > 0) page.networks++;
      for (const block of blocks) {
        page.filling.add(block);
        held.expect(block);
        page.blocks++;
      }
    }
    return true;
  }

  function noteSome(blocks: Iterator<Block>, outcome: Applied): boolean {
    for (let some = 0; some < AT_ONCE; some++) {
      const next = blocks.next();
      if (next.done) return false;
      parts.blocked(next.value, outcome);
    }
    return true;
  }

  function* networksOf({ blocks }: Page): Generator<Network> {
    for (const { network } of held.expected(blocks)) yield network;
  }

  async function land(): Promise<void> {
    if (!flying) return;
    const { page, landing } = flying;
    const outcome = await landing;
    flying = undefined;
    if (outcome.outcome === 'refused') {
      left.push(...networksOf(page));
      return held.withdrawn(page.blocks);
    }
    const blocks = held.expected(page.blocks);
    while (noteSome(blocks, outcome)) await breathe();
    parts.told(networksOf(page));
    held.settled(page.blocks, page.networks);
  }

  try {
    for (let isMore = true; isMore; most = TOGETHER) {
      const page: Page = { filling: parts.begin(parts.now()), blocks: 0, networks: 0 };
      while (isMore && page.blocks < most) {
        isMore = writeSome(page);
        await breathe();
      }
      await land();
      if (page.blocks === 0) continue;
      const landing = parts.tell(page.filling);
      // Whoever waits for it hears of a failure.
      landing.catch(() => {});
      flying = { page, landing };
    }
    await land();
    return left;
  } catch (error) {
    held.withdrawn(Infinity);
    throw error;
  }
}
