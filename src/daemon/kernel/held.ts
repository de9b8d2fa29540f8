// What we believe to be in the kernel: there may be hundreds of thousands of blocks, nearly all of them alone on their network.
import type { Block, Network, Scope } from '../../model.ts';
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

const NOTHING: readonly Block[] = [];

export function createHeld(): Held {
  const blocks = new Map<string, Block | readonly Block[]>();

  function on({ text }: Network): readonly Block[] {
    const known = blocks.get(text);
    if (known === undefined) return NOTHING;
    return isList(known) ? known : [known];
  }

  function keep({ text }: Network, list: readonly Block[]): void {
    const [only, ...others] = list;
    if (!only) blocks.delete(text);
    else blocks.set(text, others.length > 0 ? list : only);
  }

  const others = (network: Network, scope: Scope): readonly Block[] =>
    on(network).filter((block) => !isSameScope(block.scope, scope));

  return {
    get size() {
      return blocks.size;
    },
    *all() {
      for (const known of blocks.values())
        if (isList(known)) yield* known;
        else yield known;
    },
    on,
    find: (network, scope) => on(network).find((block) => isSameScope(block.scope, scope)),
    hold(block) {
      if (blocks.has(block.network.text)) keep(block.network, [...others(block.network, block.scope), block]);
      else blocks.set(block.network.text, block);
    },
    letGo: (network, scope) => keep(network, others(network, scope)),
  };
}

function isList(known: Block | readonly Block[]): known is readonly Block[] {
  return Array.isArray(known);
}
