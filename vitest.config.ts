import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    globalSetup: 'test/support/built.ts',
    pool: 'forks',
    // Those of src/cli/linear-regexes.ts, for tests that are no process of their own: /…/l as the oracle for linear time, and the fallback for every match.
    execArgv: [
      '--enable-experimental-regexp-engine',
      '--enable-experimental-regexp-engine-on-excessive-backtracks',
      '--regexp-backtracks-before-fallback=300',
    ],
    // One more than the cores that a machine has at least: many tests wait for a kernel, an nginx, a daemon that starts.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Limits against hanging, not assertions: a busy machine must not fail a test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
