// npm run fuzz -- TARGET|all [SECONDS] [--seed N] [--runs N] [--keep]
//
// Feeds parsers that see hostile bytes, led by what runs in src/ (docs/decisions/0038). The first input that breaks a
// promise ends a target: it is shortened and shown, and the exit status is 1. --runs N instead of SECONDS: the same work
// each time, for npm test. --keep: the inputs found, shortened, are written to test/fuzz/corpus, to be committed.
import { parseArgs } from 'node:util';
import { printable } from '../../src/text.ts';
import { corpusOf, foundOf, inAscii, readInputs, writeInputs } from './corpus.ts';
import { startCoverage, type Coverage } from './coverage.ts';
import { fuzz, shortened, tried, type Budget, type Outcome } from './fuzz.ts';
import { minimised } from './minimise.ts';
import type { Target } from './target.ts';

interface Options {
  readonly seconds: number;
  readonly runs: number | undefined;
  readonly seed: number;
  readonly keeps: boolean;
}

function budgetOf({ seconds, runs, seed }: Options, { share = 1 }: Target): Budget {
  if (runs !== undefined) return { seed, isBrief: true, isSpent: (done) => done >= runs * share };
  const end = performance.now() + seconds * 1_000;
  return { seed, isBrief: false, isSpent: () => performance.now() >= end };
}

async function runTarget(target: Target, coverage: Coverage, options: Options): Promise<Outcome> {
  const committed = readInputs(corpusOf(target.name));
  // Chance of its own for the same work each time; what lies on this machine only would change it.
  const found = options.runs === undefined ? readInputs(foundOf(target.name)) : [];
  const outcome = await fuzz(target, [...committed, ...found], coverage, budgetOf(options, target));
  if (options.runs === undefined) writeInputs(foundOf(target.name), outcome.kept);
  if (options.keeps && !outcome.find)
    writeInputs(corpusOf(target.name), await minimised(target, outcome.kept, coverage));
  return outcome;
}

async function tell(target: Target, { runs, blocks, steepest, kept, find }: Outcome): Promise<boolean> {
  const facts = `${runs} inputs, ${kept.length} kept, ${blocks} blocks, at most ${steepest} steps a byte`;
  console.log(`${find ? 'FAILED' : 'ok    '}  ${target.name.padEnd(11)} ${facts}`);
  if (!find) return true;
  // What only took too long has nothing that it throws, and stays as it is.
  const isThrown = async (input: string): Promise<boolean> => (await tried(target, input)) !== undefined;
  console.log(`  promised: ${target.holds}\n  ${printable(find.why, 1_200).replaceAll('\\x0a', '\n  ')}`);
  const input = (await isThrown(find.input)) ? await shortened(find.input, isThrown, 300) : find.input;
  const file = foundOf(`${target.name}-broken`);
  writeInputs(file, [input]);
  console.log(`  the input, latin1, as JSON, whole in ${file}:\n  ${inAscii(input.slice(0, 1_000))}`);
  return false;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      runs: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  // Before anything of src/ that is counted is loaded.
  const coverage = startCoverage();
  const { TARGETS } = await import('./targets/index.ts');
  const [name = '', seconds = '60'] = positionals;
  const names = name === 'all' ? Object.keys(TARGETS) : [name];
  if (!names.every((each) => Object.hasOwn(TARGETS, each)) || !(Number(seconds) >= 0)) {
    console.error(
      `usage: npm run fuzz -- TARGET|all [SECONDS] [--seed N] [--runs N] [--keep]\ntargets: ${Object.keys(TARGETS).join(' ')}`,
    );
    process.exitCode = 2;
    return;
  }
  const options: Options = {
    seconds: Number(seconds) / names.length,
    runs: values.runs === undefined ? undefined : Number(values.runs),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
    keeps: values.keep,
  };
  console.log(`seed ${options.seed}`);
  for (const each of names) {
    const target = await TARGETS[each]!();
    const outcome = await runTarget(target, coverage, options);
    if (!(await tell(target, outcome))) process.exitCode = 1;
    await target.close?.();
  }
  coverage.close();
}

await main();
