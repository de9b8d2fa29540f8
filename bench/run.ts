// `npm run bench [-- NAME… --small --rounds N --checkout FOLDER]`: measures the built program, prints a table and keeps it in bench/results/.
// It ends with 0 though targets are missed, with 1 where a verdict was wrong, with 2 where a benchmark broke.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Stage } from './lib/bench.ts';
import { build, launcherFlags } from './lib/built.ts';
import { keep, tableOf, type Told } from './lib/report.ts';
import { ROOT } from './lib/places.ts';
import { WrongVerdict } from './lib/verdicts.ts';
import { BENCHES } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    checkout: { type: 'string', default: ROOT },
    rounds: { type: 'string', default: '3' },
    list: { type: 'boolean', default: false },
  },
});

/** Programs beside this one, which tell what they find by themselves. */
const programs = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && name !== 'run.ts' && name !== 'table.ts')
  .map((name) => name.slice(0, -3));

const unknown = positionals.filter(
  (name) => !programs.includes(name) && !BENCHES.some((bench) => bench.name === name),
);
if (values.list || unknown.length > 0) {
  for (const name of unknown) console.error(`There is no benchmark "${name}".`);
  for (const { name, what } of BENCHES) console.log(`${name.padEnd(12)} ${what}`);
  console.log(`and, only where they are named: ${programs.join(', ')}`);
  process.exit(unknown.length > 0 ? 64 : 0);
}
const rounds = values.small ? 1 : Math.trunc(Number(values.rounds));
if (!(rounds >= 1 && rounds <= 100)) throw new Error('--rounds takes a number from 1 to 100');
// Interrupted, it ends like anything else: by leaving nothing behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const say = (words: string): void => console.error(`· ${words}`);
let code = 0;
const asked = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (asked.length > 0) {
  say('building');
  const built = build(values.checkout);
  const told: Told[] = [];
  let kept = '';
  for (const bench of asked) {
    say(`${bench.name}: ${bench.what}`);
    const one: Told = {
      ...{ name: bench.name, what: bench.what, figures: [], leftOut: [], faults: [], load: 0, pictures: {} },
    };
    told.push(one);
    const stage: Stage = {
      ...{ built, small: values.small, rounds, say },
      draw: (name, svg) => void (one.pictures[name] = svg),
      leaveOut: (what, why) => void one.leftOut.push(`${what}: ${why}`),
    };
    try {
      one.figures.push(...(await bench.run(stage)));
    } catch (error) {
      const isWrong = error instanceof WrongVerdict;
      code = isWrong ? 1 : code || 2;
      one.faults.push(
        `${isWrong ? 'wrong verdict' : 'broken'}: ${(error instanceof Error ? error.message : String(error)).slice(0, 500)}`,
      );
      console.error(error);
    }
    one.load = loadavg()[0]!;
    console.log(tableOf([one]));
    // After each: whoever breaks a long run off keeps what it has found.
    kept = keep(told, built, positionals, values.small);
  }
  if (told.length > 1) console.log(tableOf(told));
  say(`kept in ${kept}`);
  built.remove();
}
for (const name of positionals.filter((one) => programs.includes(one))) {
  const file = join(import.meta.dirname, `${name}.ts`);
  if (existsSync(file))
    code ||= spawnSync(process.execPath, [...launcherFlags(), file], { stdio: 'inherit' }).status ?? 2;
}
process.exitCode = code;
