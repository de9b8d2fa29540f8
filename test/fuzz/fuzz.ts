// The loop: inputs out of inputs, those that ran new blocks are kept, the first that breaks a promise ends it.
import { createRandom } from '../crash/random.ts';
import type { Coverage, Ran } from './coverage.ts';
import { whatGrows } from './growth.ts';
import { createMutator } from './mutate.ts';
import { BASE_BYTES, LONGEST, STEPS_PER_BYTE, type Target } from './target.ts';

export interface Find {
  readonly input: string;
  readonly why: string;
}

export interface Outcome {
  readonly runs: number;
  /** Blocks of src/ that ran. */
  readonly blocks: number;
  /** Most steps for each byte that any input took. */
  readonly steepest: number;
  /** The seeds, and those that ran new blocks, in the order in which they did. */
  readonly kept: readonly string[];
  readonly find: Find | undefined;
}

export interface Budget {
  readonly seed: number;
  /** What a batch ran that is new is not looked for: most of the time goes into looking. For the short run of `npm test`. */
  readonly isBrief: boolean;
  /** Asked between batches. */
  isSpent(runs: number): boolean;
}

/** So many inputs share a look at the counters, which takes five milliseconds or more. */
const [BATCH, BATCH_BRIEFLY] = [256, 64];
/** Of each batch so many are made long, and looked at one by one. */
const PUMPED = 2;
/** At the end so many are pumped for the processor's time, in which native code shows too; of a brief run fewer. */
const [GROWN, GROWN_BRIEFLY] = [8, 2];

/** A broken promise, thrown through the loop. */
class Broken extends Error {
  readonly find: Find;
  constructor(find: Find) {
    super(find.why);
    this.find = find;
  }
}

/** Feeds a target: its seeds, what is known of it, then what mutations make of those that ran something new. */
export async function fuzz(
  target: Target,
  known: readonly string[],
  coverage: Coverage,
  budget: Budget,
): Promise<Outcome> {
  const random = createRandom(budget.seed);
  const longest = target.longest ?? LONGEST;
  const mutator = createMutator(random, target.words, longest);
  const seen = new Set<string>();
  const kept = budget.isBrief ? [...target.seeds, ...known] : [...target.seeds];
  let runs = 0;
  let steepest = 0;

  async function feed(inputs: readonly string[]): Promise<Ran> {
    coverage.take();
    for (const input of inputs) {
      runs++;
      const find = await tried(target, input);
      if (find) throw new Broken(find);
    }
    return coverage.take();
  }

  /** One input with a look at what it alone ran. */
  async function examine(input: string): Promise<void> {
    const ran = await feed([input]);
    const steep = ran.steps / (input.length + BASE_BYTES);
    steepest = Math.max(steepest, steep);
    const most = target.stepsPerByte ?? STEPS_PER_BYTE;
    if (steep > most)
      throw new Broken({ input, why: `it takes ${Math.round(steep)} steps a byte, and may take ${most}` });
    const before = seen.size;
    note(ran.blocks);
    if (seen.size > before) kept.push(input);
  }

  function note(blocks: readonly string[]): void {
    for (const block of blocks) seen.add(block);
  }

  /** Finds those that ran something new by halves. */
  async function explore(inputs: readonly string[]): Promise<void> {
    if (inputs.length === 1) return examine(inputs[0]!);
    const { blocks } = await feed(inputs);
    if (budget.isBrief) return note(blocks);
    if (blocks.every((block) => seen.has(block))) return;
    const half = inputs.length >> 1;
    await explore(inputs.slice(0, half));
    await explore(inputs.slice(half));
  }

  async function loop(): Promise<void> {
    // What makes things ready is nobody's step.
    const first = await feed(target.seeds);
    if (budget.isBrief) note([...first.blocks, ...(await feed(known)).blocks]);
    else {
      note((await feed(target.seeds)).blocks);
      for (const input of known) await examine(input);
    }
    while (!budget.isSpent(runs)) {
      await explore(Array.from({ length: budget.isBrief ? BATCH_BRIEFLY : BATCH }, () => mutator.next(kept)));
      for (let count = 0; count < PUMPED; count++) await examine(mutator.pump(random.pick(kept))(longest));
    }
    for (let count = 0; count < (budget.isBrief ? GROWN_BRIEFLY : GROWN); count++) {
      const grown = mutator.pump(random.pick(kept));
      const find = await whatGrows(target, grown);
      if (find) throw new Broken(find);
    }
  }

  let find: Find | undefined;
  try {
    await loop();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    find = error.find;
  }
  return { runs, blocks: seen.size, steepest: Math.round(steepest), kept, find };
}

/** Feeds one input. @returns what it broke. */
export async function tried(target: Target, input: string): Promise<Find | undefined> {
  try {
    // Most targets aren't asynchronous, and a turn of the microtasks for each input would be half their time.
    const running = target.run(input);
    if (running) await running;
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { input, why };
  }
}

/** Shortens an input as long as `isStill` says that it does what it did; bounded. */
export async function shortened(
  input: string,
  isStill: (shorter: string) => Promise<boolean>,
  most = 2_000,
): Promise<string> {
  let best = input;
  let tries = 0;
  for (let size = best.length >> 1; size >= 1; size >>= 1)
    for (let from = 0; from < best.length && tries < most; tries++) {
      const shorter = best.slice(0, from) + best.slice(from + size);
      if (await isStill(shorter)) best = shorter;
      else from += size;
    }
  return best;
}
