// A firewall without a kernel: remembers what would be blocked. For tests, and for watching Bailiff without root.
import type { Block, Instant } from '../model.ts';
import type { Clock } from '../ports.ts';
import type { Applied, Change, Firewall } from './contract.ts';
import { gathered } from './gathered.ts';
import { isBlock } from './nft-plan.ts';
import { KERNEL_SLACK } from './nft-script.ts';
import { scopeKey } from './sets.ts';

export function createMemory({ clock }: { clock: Clock }): Firewall {
  const blocks = new Map<string, Block>();

  /** As the kernel does: an element goes by itself a little after its sentence. */
  function expire(now: Instant): void {
    for (const [key, { until }] of blocks)
      if (until !== undefined && until + KERNEL_SLACK <= now) blocks.delete(key);
  }

  async function apply(changes: readonly Change[], now: Instant): Promise<Applied[]> {
    return changes.map((change): Applied => {
      const key = `${scopeKey(change.scope)} ${change.network.text}`;
      if (isBlock(change, now)) {
        const { scope, network, until } = change;
        blocks.set(key, { scope, network, until });
      } else blocks.delete(key);
      return { outcome: 'applied' };
    });
  }

  return {
    kind: 'memory',
    enforces: true,
    async prepare() {},
    async allow() {},
    async list() {
      expire(clock.now());
      return [...blocks.values()];
    },
    apply,
    fill: (now) => gathered(apply, now),
    async dropped() {
      return { packets: 0, bytes: 0 };
    },
    async isWhole() {
      return true;
    },
    async teardown() {
      blocks.clear();
    },
    async close() {},
  };
}
