// What we believe to be in the kernel.
import type { Block, Network, Scope } from '../../model.ts';
import { createFewByKey } from '../few-by-key.ts';
import { isSameScope } from './desired.ts';

export interface Held {
  /** How many networks there are. */
  readonly size: number;
  all(): Iterable<Block>;
  on(network: Network): readonly Block[];
  find(network: Network, scope: Scope): Block | undefined;
  /** In the place of what was held of the network in this scope. */
  hold(block: Block): void;
  letGo(network: Network, scope: Scope): void;
}

export function createHeld(): Held {
  const blocks = createFewByKey<Block>();
  const on = ({ text }: Network): readonly Block[] => blocks.get(text);
  const others = (network: Network, scope: Scope): readonly Block[] =>
    on(network).filter((block) => !isSameScope(block.scope, scope));

  return {
    get size() {
      return blocks.size;
    },
    all: blocks.all,
    on,
    find: (network, scope) => on(network).find((block) => isSameScope(block.scope, scope)),
    hold: (block) => {
      const { network, scope } = block;
      const before = on(network);
      if (before.length > 0) blocks.set(network.text, [...others(network, scope), block]);
      else blocks.add(network.text, block);
    },
    letGo: (network, scope) => blocks.set(network.text, others(network, scope)),
  };
}
