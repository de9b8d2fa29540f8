// `npm test`: the programs that tests drive, then every check, each with one line of outcome, then the tests.
// A check that fails doesn't keep the later ones from running. Ends with one plain line: `N passed, N failed`.
//
// With arguments (`npm test -- test/jails`) only the tests run, and vitest gets the arguments.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './support/leftovers.ts';
import { missing, PACKAGE_OF, type Need } from './support/programs.ts';
import { ended, run } from './support/run.ts';
import type { Tally } from './tally.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const tool = (path: string) => join(ROOT, 'node_modules', path);

const CHECKS: { name: string; command: string[] }[] = [
  {
    name: 'format (prettier)',
    command: [tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  },
  { name: 'types (tsc)', command: [tool('ts7/bin/tsc'), '--project', '.', '--pretty', 'false'] },
  { name: 'lint (oxlint)', command: [tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  {
    name: 'import rules (dependency-cruiser)',
    command: [
      tool('dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      'src',
    ],
  },
  { name: 'unused code (knip)', command: [tool('knip/bin/knip.js'), '--no-progress'] },
];

/** Installs what is missing where it may. @returns what is missing all the same. */
async function providePrograms(): Promise<Need[]> {
  const wanted: Need[] = ['root', ...(Object.keys(PACKAGE_OF) as (keyof typeof PACKAGE_OF)[])];
  const lacking = missing(wanted).filter((need) => need !== 'root');
  if (lacking.length > 0) {
    const packages = [...new Set(lacking.map((need) => PACKAGE_OF[need]))];
    // It says what it installs, and does nothing where it isn't root on Debian or the like.
    const install = spawn('/bin/sh', [join(ROOT, 'bin/dev'), 'install', ...packages], { stdio: 'inherit' });
    await ended(install);
  }
  return missing(wanted);
}

function nameMissing(lacking: readonly Need[]): string {
  return lacking
    .map((need) => (need === 'root' ? 'root' : `${need} (package ${PACKAGE_OF[need]})`))
    .join(', ');
}

async function check(sum: Tally, { name, command }: (typeof CHECKS)[number]): Promise<void> {
  const began = performance.now();
  const ran = await run(process.execPath, command, {
    cwd: ROOT,
    // The output is kept and shown only for a failure: to the tools it is no terminal.
    env: process.stdout.isTTY ? { FORCE_COLOR: '1' } : { FORCE_COLOR: undefined, NO_COLOR: '1' },
    timeout: 300_000,
  });
  const took = `${((performance.now() - began) / 1_000).toFixed(1)} s`;
  if (ran.code === 0) {
    sum.passed++;
    console.log(`ok      ${name}  ${took}`);
  } else {
    sum.failed++;
    console.log(`FAILED  ${name}  ${took}\n${`${ran.stdout}\n${ran.stderr}`.trim()}\n`);
  }
}

async function runTests(sum: Tally, args: readonly string[]): Promise<void> {
  const folder = temporaryFolder('tally');
  const file = join(folder.path, 'tally.json');
  const reporters = ['--reporter=default', `--reporter=${join(ROOT, 'test/tally.ts')}`];
  const vitest = spawn(process.execPath, [tool('vitest/vitest.mjs'), 'run', ...reporters, ...args], {
    cwd: ROOT,
    // Some hundred daemons and verbs are started, each from the same sources: they are compiled once.
    env: { NODE_COMPILE_CACHE: join(folder.path, 'compiled'), ...process.env, BAILIFF_TALLY: file },
    stdio: 'inherit',
  });
  const { code } = await ended(vitest);
  const tally = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Tally) : undefined;
  folder.remove();
  sum.passed += tally?.passed ?? 0;
  sum.skipped += tally?.skipped ?? 0;
  // No tests at all, or a crash: vitest's status stands.
  sum.failed += tally?.failed || (code === 0 ? 0 : 1);
}

async function main(args: readonly string[]): Promise<void> {
  // A check counts as one.
  const sum: Tally = { passed: 0, failed: 0, skipped: 0 };
  const mustBeWhole = process.env['CI'] === 'true' && args.length === 0;
  const lacking = await providePrograms();
  if (lacking.length > 0) {
    console.log(`Missing here: ${nameMissing(lacking)}. Tests that need it are left out and counted.`);
    if (mustBeWhole) {
      console.log('FAILED  programs  with CI=true nothing may be left out');
      sum.failed++;
    }
  }
  if (args.length === 0) for (const one of CHECKS) await check(sum, one);
  await runTests(sum, args);

  if (sum.skipped > 0) {
    console.log(`Left out: ${sum.skipped} tests, for want of ${nameMissing(lacking) || 'being chosen'}.`);
    if (mustBeWhole && lacking.length === 0) sum.failed++;
  }
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  process.exitCode = sum.failed > 0 ? 1 : 0;
}

await main(process.argv.slice(2));
