// V8 takes longer to optimise a function, and still does so. In a process of its own: V8's settings are a process's.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/checkout.ts';
import { run } from '../support/run.ts';

/** Calls a function so many times; V8 says when its compilers' threads are done. */
const PROGRAM = `
const [, module, settings, calls] = process.argv;
const { optimiseFor, optimiseLate } = await import(module);
if (settings.includes('late')) optimiseLate();
if (settings.includes('small')) optimiseFor(1e6);
if (settings.includes('large')) optimiseFor(1e9);
function weigh(a) { return a * 3 + 1; }
for (let n = 0; n < Number(calls); n++) weigh(n);
%FinalizeOptimization();
weigh(1);
const MAGLEV_OR_TURBOFAN = 32 | 64;
console.log((%GetOptimizationStatus(weigh) & MAGLEV_OR_TURBOFAN) !== 0);
`;

test.each([
  ['none', 1_500, true],
  ['late', 1_500, false],
  ['late', 20_000, true],
  ['late, small backlog', 1_500, false],
  ['late, large backlog', 1_500, true],
])('%s: after %i calls it is optimised: %s', async (settings, calls, isOptimised) => {
  const flags = ['--allow-natives-syntax', '--input-type=module', '-e', PROGRAM];
  const args = [join(ROOT, 'src/cli/compiling.ts'), settings, String(calls)];
  const { stdout, stderr } = await run(process.execPath, [...flags, ...args]);
  expect(stderr).toBe('');
  expect(stdout).toBe(`${isOptimised}\n`);
});
