import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Rooms that keep nothing outside what they return: their tests need no process of their own, whose start takes half a second. */
const PURE = ['test/*.test.ts', 'test/{api,config,filters,jails,setup}/**/*.test.ts'];

const COMMON = {
  environment: 'node',
  pool: 'forks' as const,
  // Those of src/cli/linear-regexes.ts, for tests that are no process of their own: /…/l as the oracle for linear time, and the fallback for every match.
  execArgv: [
    '--enable-experimental-regexp-engine',
    '--enable-experimental-regexp-engine-on-excessive-backtracks',
    '--regexp-backtracks-before-fallback=300',
  ],
  // Limits against hanging, not assertions: a busy machine must not fail a test.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    globalSetup: 'test/support/built.ts',
    projects: [
      { test: { ...COMMON, name: 'pure', include: PURE, isolate: false } },
      { test: { ...COMMON, name: 'host', include: ['test/**/*.test.ts'], exclude: PURE } },
    ],
    // One more than the cores that a machine has at least: many tests wait for a kernel, an nginx, a daemon that starts.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    teardownTimeout: 20_000,
  },
});
