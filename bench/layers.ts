// A program: what each layer of a line's way costs, so that one sees where the time goes beside a program that only searches.
// `node bench/layers.ts [NAME…]` prints for each log the least processor time of three passes, layer upon layer, and what that
// adds for each line and each match. One process, the sources, no ledger and no kernel: those are the daemon's.
import '../src/cli/linear-regexes.ts';
import { closeSync, openSync, readSync } from 'node:fs';
import { createBans } from '../src/daemon/bans.ts';
import { applyChunk } from '../src/daemon/pipeline.ts';
import { createClock } from '../src/daemon/system.ts';
import type { Chunk } from '../src/model.ts';
import type { Setup } from '../src/setup/index.ts';
import { readWhole } from '../src/sources/index.ts';
import { temporaryFolder } from '../test/support/leftovers.ts';
import type { Stage } from './lib/bench.ts';
import type { Reading } from './lib/reading.ts';
import { readySetup, seat } from './lib/seated.ts';
import { everythingReading, selectiveReading } from './suite/access.ts';
import { jsonReading, sshdReading } from './suite/logs.ts';

const PASSES = 3;
const READ = 96 * 1024;
const LOGS: Readonly<Record<string, (stage: Stage) => Reading>> = {
  selective: selectiveReading,
  everything: everythingReading,
  sshd: sshdReading,
  json: jsonReading,
};
const clock = createClock();

/** One pass over a log. @returns how many lines matched. */
type Layer = () => number | Promise<number>;

function layersOf(path: string, setup: Setup): Readonly<Record<string, Layer>> {
  const chunks = async (each: (chunk: Chunk) => number): Promise<number> => {
    let matches = 0;
    for await (const chunk of readWhole(path, clock)) matches += each(chunk);
    return matches;
  };
  const applied = (isWhole: boolean): Promise<number> => {
    const { plan, sittings, brakes, regulars, sessions } = seat(setup, clock);
    const bans = createBans([], 1, isWhole ? brakes.onBan : undefined);
    const watcher = isWhole ? regulars : undefined;
    return chunks((chunk) => {
      const { matches } = applyChunk(chunk, plan, sessions, bans, clock.now(), undefined, watcher);
      if (isWhole) brakes.settle({ bans, sittings }, clock.now());
      return matches;
    });
  };
  return {
    'read into one buffer': () => {
      const file = openSync(path, 'r');
      const buffer = Buffer.allocUnsafe(READ);
      while (readSync(file, buffer, 0, READ, null) > 0);
      closeSync(file);
      return 0;
    },
    'cut into whole lines, and count them': () => chunks(() => 0),
    'search, and recognise what is found': () => {
      const { plan, sessions } = seat(setup, clock);
      return chunks((chunk) => {
        let matches = 0;
        plan.scanner.scan(chunk, clock.now(), () => matches++, 'log', sessions.of('log'));
        return matches;
      });
    },
    'count in the jails, keep evidence, ban': () => applied(false),
    'know regulars, for the brakes': () => applied(true),
  };
}

/** Milliseconds of this process's processor time, V8's threads included; the least of all passes: others only add. */
async function measure(layer: Layer): Promise<{ took: number; matches: number }> {
  let least = Infinity;
  let matches = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const before = process.cpuUsage();
    matches = await layer();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return { took: least, matches };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in LOGS));
if (unknown.length > 0)
  throw new Error(`no such log: ${unknown.join(', ')}; there are ${Object.keys(LOGS).join(', ')}`);
for (const [name, readingOf] of Object.entries(LOGS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { input, jails, filters } = readingOf({ small: false } as Stage);
  const folder = temporaryFolder('bench-layers');
  try {
    const named = Object.fromEntries(
      Object.entries(jails).map(([jail, settings]) => [jail, { logs: [input.path], ...settings }]),
    );
    const setup = readySetup(folder.path, { jails: named }, filters);
    console.log(`\n${name}: ${input.lines} lines, ${Math.round(input.bytes / 1e6)} MB`);
    let before = 0;
    for (const [what, layer] of Object.entries(layersOf(input.path, setup))) {
      const { took, matches } = await measure(layer);
      const [added, found] = [
        took - before,
        matches > 0 ? `, ${((1_000 * (took - before)) / matches).toFixed(2)} µs a match` : '',
      ];
      console.log(
        `${took.toFixed(0).padStart(7)} ms  +${added.toFixed(0).padStart(5)}  ${what} (${((1e6 * added) / input.lines).toFixed(0)} ns a line${found})`,
      );
      before = took;
    }
  } finally {
    folder.remove();
  }
}
