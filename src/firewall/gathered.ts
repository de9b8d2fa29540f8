// What is to be told together, for back ends that tell it as they tell any other changes.
import type { Block, Instant } from '../model.ts';
import type { Applied, Change, Filling } from './contract.ts';

export function gathered(
  apply: (changes: readonly Change[], now: Instant) => Promise<readonly Applied[]>,
  now: Instant,
): Filling {
  const changes: Change[] = [];
  return {
    add: ({ scope, network, until }: Block) => {
      changes.push({ what: 'block', scope, network, until, isNew: true });
    },
    async tell() {
      const outcomes = await apply(changes, now);
      const isRefused = ({ outcome }: Applied): boolean => outcome === 'refused';
      const rebuilt = outcomes.find((each) => each.outcome === 'applied' && each.rebuilt);
      return outcomes.find(isRefused) ?? rebuilt ?? { outcome: 'applied' };
    },
  };
}
