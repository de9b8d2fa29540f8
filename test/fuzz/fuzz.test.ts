// The fuzzing that belongs to every test run: each target's corpus, and a fixed number of inputs from a fixed seed. In a
// process of its own, under the flags of the daemon and without what a test runner would make of the sources.
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run, type Ran } from '../support/run.ts';
import { startCoverage } from './coverage.ts';
import { fuzz, type Outcome } from './fuzz.ts';
import { whatGrows } from './growth.ts';
import { TARGETS } from './targets/index.ts';
import type { Target } from './target.ts';

/** For each target, more or less: what a minute of it finds is in the corpus. */
const RUNS = process.env['BAILIFF_FUZZ_RUNS'] ?? '300';

describe('every parser that sees hostile bytes', () => {
  let ran: Ran;
  beforeAll(async () => {
    const args = [
      ...process.execArgv,
      join(import.meta.dirname, 'run.ts'),
      'all',
      '--runs',
      RUNS,
      '--seed',
      '38',
    ];
    ran = await run(process.execPath, args, { timeout: 900_000 });
  }, 900_000);

  test.each(Object.keys(TARGETS))('%s: no promise is broken by what mutations make of the corpus', (name) => {
    const said = ran.stdout.split(/^(?=ok|FAILED)/m).find((part) => part.split(/\s+/)[1] === name);
    expect(said, `${ran.stdout}\n${ran.stderr}`).toMatch(/^ok /);
    // One that ran nothing of src/ would break nothing.
    expect(Number(/ (\d+) blocks/.exec(said!)?.[1]), said).toBeGreaterThan(10);
  });
});

describe('the fuzzer', () => {
  const find = async (target: Omit<Target, 'name' | 'holds' | 'words'>): Promise<Outcome> => {
    const coverage = startCoverage();
    try {
      const whole = { name: 'own', holds: 'something', words: ['spell'], ...target };
      return await fuzz(whole, [], coverage, { seed: 1, isBrief: false, isSpent: (runs) => runs > 5_000 });
    } finally {
      coverage.close();
    }
  };

  test('a parser that breaks its promise is found out, and so is one that takes too long', async () => {
    const throws = await find({
      seeds: ['harmless'],
      run(input) {
        if (input.includes('spell') && input.includes('9')) throw new Error('broken');
      },
    });
    expect(throws.find?.why).toContain('broken');
    expect(throws.find?.input).toContain('spell');
    // Quadratic, and no block of src/: only the processor's time shows it.
    let sum = 0;
    const quadratic: Target = {
      ...{ name: 'own', holds: 'something', words: [], seeds: ['a'] },
      run(input) {
        for (let from = 0; from < input.length; from += 16)
          for (let at = from; at < input.length; at++) sum += input.charCodeAt(at);
      },
    };
    const slow = await whatGrows(quadratic, (length) => 'a'.repeat(length));
    expect(slow?.why, String(sum)).toContain('times as long');
  });
});
