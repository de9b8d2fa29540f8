// Where the benchmarks keep what they make: inputs stay for the next run, everything else goes.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This checkout, whose benchmarks run. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const RESULTS = join(ROOT, 'bench/results');
export const INPUTS = process.env['BENCH_INPUTS'] ?? join(tmpdir(), 'bailiff-bench-inputs');
