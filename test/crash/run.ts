// Runs a script against the real daemon, with kills or without, and says what came of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInternet } from '../support/namespaces.ts';
import { administrate, leftTheKernel } from './administrator.ts';
import { layOut, setClock } from './config.ts';
import { carryOut } from './disk.ts';
import { takeTurns, underFire } from './fire.ts';
import { readOutcome } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { caughtUp, during, launch, pause, settleOrDie } from './process.ts';
import type { Place } from './process.ts';
import { createRandom } from './random.ts';
import { createReporter } from './reporter.ts';
import { LOGS, oldEntries, oldLines, writeScript } from './script.ts';
import type { Step } from './script.ts';

export interface CrashRun {
  readonly outcome: Outcome;
  readonly kills: number;
  /** How often each named point was died at, as `random` at other instants; and how often else what happened. */
  readonly met: Readonly<Record<string, number>>;
}

export interface CrashOptions {
  readonly seed: number;
  /** How often it dies while the script is written; 0: the uninterrupted run. */
  readonly kills: number;
  readonly steps: number;
  /** The first stamp of the script. */
  readonly start: number;
  /** The daemon to run, as {@link bundle} made it. */
  readonly main: string;
}

/** One run in folders and a network namespace of its own, which are gone afterwards. */
export async function crashRun(options: CrashOptions): Promise<CrashRun> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-crash-'));
  const internet = await createInternet();
  try {
    layOut(folder);
    carryOut(join(folder, 'logs'), oldEntries(options.seed, options.start));
    for (const log of LOGS)
      writeFileSync(join(folder, 'logs', log), oldLines(log, options.seed, options.start));
    return await runScript({ folder, host: internet.server, main: options.main }, options);
  } finally {
    await internet.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runScript(place: Place, options: CrashOptions): Promise<CrashRun> {
  const random = createRandom(options.seed ^ 0x5eed);
  const script = writeScript(options.seed, options.steps, options.start);
  const isDeadly = options.kills > 0;
  const met: Record<string, number> = {};
  const nextPoint = takeTurns(options.seed, met);
  const reporter = createReporter(place.folder, options.seed, options.start);
  const write = (steps: readonly Step[]): void => {
    for (const step of steps) carryOut(join(place.folder, 'logs'), step);
    reporter.allow(steps.length);
  };

  // What is appended before anybody looked is old, so the logs are met first; what is killed meanwhile read nothing.
  if (isDeadly)
    for (const point of ['before-commit:1', 'after-commit:1', 'after-commit:2'])
      await settleOrDie(launch(place, point), place);
  await during(place, 'SIGTERM', (_, child) => caughtUp(child, place));

  let answers: string[] = [];
  let kills = 0;
  const half = Math.ceil(script.length / 2);
  for (const [index, steps] of [script.slice(0, half), script.slice(half)].entries()) {
    const share = index === 0 ? Math.ceil(options.kills / 2) : Math.floor(options.kills / 2);
    const fired = await underFire(place, steps, share, { random, nextPoint, write, met });
    kills += fired.kills;
    setClock(place.folder, 0);
    await during(place, 'SIGTERM', async (_, child) => {
      for (const step of fired.rest) {
        write([step]);
        await pause(random.below(3));
      }
      await reporter.settled();
      if (index === 1) answers = await reporter.repeat();
      await caughtUp(child, place);
      if (index === 1) await leftTheKernel(place);
    });
    // Between the halves everything is read, so that it is determined which lines an unban forgives.
    if (index === 0) await administrate(place, isDeadly);
  }
  return { outcome: await readOutcome(place.folder, place.host, answers), kills, met };
}
