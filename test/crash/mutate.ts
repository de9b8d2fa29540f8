// Does the crash harness notice when a point of the promise is broken? As root, in a checkout:
//   bin/bailiff's node test/crash/mutate.ts [NAME…]
// Each mutation is made in a copy of the sources, and its daemon killed until what it leaves differs from what this
// checkout's daemon leaves uninterrupted. Ends with 1 where a mutation survives.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { applyTo, MUTATIONS } from './mutations.ts';
import type { Mutation } from './mutations.ts';
import { difference } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { crashRun } from './run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = ['src', 'filters', 'test/crash', 'test/support', 'package.json'];
const STEPS = 240;
const KILLS = 30;
/** Tried one after the other, until one shows a difference. */
const SEEDS = [21, 22, 23, 24];
const START = Date.now() - 2 * 86_400_000;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !MUTATIONS.some((mutation) => mutation.name === name));
if (unknown.length > 0) throw new Error(`no such mutation: ${unknown.join(', ')}`);
const chosen = MUTATIONS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

const ownFolder = mkdtempSync(join(tmpdir(), 'bailiff-own-'));
const own = await bundle(ROOT, ownFolder);

const calm = new Map<number, Outcome>();
let survivors = 0;
for (const mutation of chosen) {
  const began = performance.now();
  const seen = await seek(mutation);
  if (seen === undefined) survivors++;
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(
    `${seen === undefined ? 'SURVIVED' : 'caught'}\t${mutation.name}\tpoint ${mutation.point}\t${seconds} s\t${seen ?? ''}`,
  );
}
rmSync(ownFolder, { recursive: true, force: true });
process.exitCode = survivors > 0 ? 1 : 0;

/** @returns how the harness noticed; undefined where it did not. */
async function seek(mutation: Mutation): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-mutant-'));
  try {
    for (const part of COPIED) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const file = join(folder, mutation.file);
    writeFileSync(file, applyTo(readFileSync(file, 'utf8'), mutation));
    const main = await bundle(folder, join(folder, 'bundle'));
    for (const seed of SEEDS) {
      const seen = await attempt(seed, main);
      if (seen !== undefined) return `seed ${seed}: ${seen}`;
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function attempt(seed: number, main: string): Promise<string | undefined> {
  const expected = await uninterrupted(seed);
  try {
    const { outcome } = await crashRun({ seed, kills: KILLS, steps: STEPS, start: START, main });
    return difference(expected, outcome);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What this checkout leaves; proven to be what it leaves with kills, for else a difference would say nothing. */
async function uninterrupted(seed: number): Promise<Outcome> {
  const known = calm.get(seed);
  if (known) return known;
  const { outcome } = await crashRun({ seed, kills: 0, steps: STEPS, start: START, main: own });
  const { outcome: killed } = await crashRun({ seed, kills: KILLS, steps: STEPS, start: START, main: own });
  const differs = difference(outcome, killed);
  if (differs !== undefined)
    throw new Error(`the harness fails without a mutation (seed ${seed}): ${differs}`);
  calm.set(seed, outcome);
  return outcome;
}
