// Does the time that an input takes grow faster than the input? Steps are counted in our own code only: what a regex or
// indexOf does within one of them shows in the processor's time, as a ratio of two lengths.
import { costOf } from '../filters/processor-time.ts';
import { tried, type Find } from './fuzz.ts';
import type { Target } from './target.ts';

const [SHORT, LONG] = [8 * 1024, 64 * 1024];
/** Milliseconds: who takes less for 64 KiB can't do harm. A look only; what seems slow is measured. */
const HARMLESS = 40;
/** Linear is 8, quadratic 64. */
const MOST = 24;

/** @param grown an input of that length. @returns a short one with what is wrong. */
export async function whatGrows(
  target: Target,
  grown: (length: number) => string,
): Promise<Find | undefined> {
  const [short, long] = [grown(SHORT), grown(LONG)];
  const began = performance.now();
  const find = await tried(target, long);
  if (find || performance.now() - began < HARMLESS) return find;
  // What waits for others can't be measured so.
  const running = target.run(long);
  if (running) {
    await running;
    return undefined;
  }
  let least = Infinity;
  for (let turn = 0; turn < 3 && least > MOST; turn++)
    least = Math.min(least, costOf(() => void target.run(long)) / costOf(() => void target.run(short)));
  if (least <= MOST) return undefined;
  return { input: grown(256), why: `eight times the length takes ${Math.round(least)} times as long` };
}
