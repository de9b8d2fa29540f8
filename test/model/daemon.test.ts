// The real daemon against a counter that keeps everything: whatever is written, rotated, killed, banned and lifted, and
// however the clock jumps, both know the same bans, counts and blocks. BAILIFF_MODEL_RUNS asks for more runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takenAsProven, prepareSetup } from '../../src/setup/index.ts';
import type { Setup } from '../../src/setup/index.ts';
import { configOf, OFFENDERS, VARIANTS } from './courts.ts';
import { runSteps } from './model.ts';
import { HOUR, MINUTE, step } from './steps.ts';
import type { Step } from './steps.ts';

const RUNS = Number(process.env['BAILIFF_MODEL_RUNS'] ?? 30);

/** An administrator makes a ban longer that he has made: by chance alone not every thirty runs have that. */
const PROLONGED: readonly Step[] = [5 * MINUTE, 2 * HOUR].map((length) => ({
  ...{ do: 'ban', offender: 0, jail: undefined, length, force: true },
}));

const folder = mkdtempSync(join(tmpdir(), 'bailiff-model-'));
let setups: Setup[];

beforeAll(() => {
  mkdirSync(join(folder, 'logs'));
  setups = VARIANTS.map((courts, number) => {
    const configFile = join(folder, `jails-${number}.json`);
    writeFileSync(configFile, JSON.stringify(configOf(join(folder, 'logs'), courts)), { mode: 0o600 });
    const result = prepareSetup({
      configFile,
      shippedFilters: join(import.meta.dirname, '..', '..', 'filters'),
      trusted: { uid: process.geteuid!() },
      proofs: takenAsProven,
      version: 'model',
    });
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    return result.setup;
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  'bans, counts and blocks are those of a counter that keeps every line and every act',
  { timeout: 0 },
  async () => {
    const reached = {
      ...{ bans: 0, lifted: 0, replaced: 0, repeated: 0, extended: 0, deaths: 0 },
      ...{ spared: 0, lost: 0, refused: 0, reloads: 0, throttled: 0, countedOn: 0 },
    };
    const steps = fc.array(
      step(OFFENDERS, [...new Set(VARIANTS.flat().map(({ name }) => name))], VARIANTS.length),
      { minLength: 15, maxLength: 35 },
    );
    await fc.assert(
      fc.asyncProperty(steps, (list) => runSteps(folder, setups, list, reached)),
      // A limit against hanging, and for the search for a shorter list of steps that fails as well.
      {
        numRuns: RUNS,
        examples: [[PROLONGED]],
        interruptAfterTimeLimit: RUNS * 60_000,
        markInterruptAsFailure: true,
      },
    );
    // The generator must reach what the property is about.
    expect(Object.entries(reached).filter(([, times]) => times === 0)).toEqual([]);
  },
);
