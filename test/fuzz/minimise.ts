// A corpus as small as it can be: the fewest inputs that run what all of them run, each as short as it can be.
import type { Coverage } from './coverage.ts';
import { shortened, tried } from './fuzz.ts';
import type { Target } from './target.ts';

export async function minimised(
  target: Target,
  inputs: readonly string[],
  coverage: Coverage,
): Promise<string[]> {
  const blocksOf = async (input: string): Promise<Set<string>> => {
    coverage.take();
    await tried(target, input);
    return new Set(coverage.take().blocks);
  };
  const left = new Set<string>();
  const runBy = new Map<string, Set<string>>();
  for (const input of inputs) {
    const blocks = await blocksOf(input);
    runBy.set(input, blocks);
    for (const block of blocks) left.add(block);
  }
  // What runs on the first input only (making things ready) belongs to nobody.
  for (const seed of target.seeds) for (const block of await blocksOf(seed)) left.delete(block);
  const chosen: string[] = [];
  for (;;) {
    const gain = (input: string): number => [...runBy.get(input)!].filter((block) => left.has(block)).length;
    const [best] = inputs
      .map((input) => ({ input, gain: gain(input) }))
      .toSorted((a, b) => b.gain - a.gain || a.input.length - b.input.length);
    if (!best || best.gain === 0) return chosen;
    const own = [...runBy.get(best.input)!].filter((block) => left.has(block));
    const runsAll = async (shorter: string): Promise<boolean> => {
      const blocks = await blocksOf(shorter);
      return own.every((block) => blocks.has(block));
    };
    chosen.push(await shortened(best.input, runsAll, 60));
    for (const block of own) left.delete(block);
  }
}
