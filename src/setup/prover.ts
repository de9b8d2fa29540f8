// Proves filters in a thread of its own, and tells which it has proven, or what is wrong. This file is that thread's whole
// program.
import { parentPort, workerData } from 'node:worker_threads';
import type { ProverAnswer, ProverTask } from './aside.ts';
import { prepareSetup } from './prepare.ts';

const { options, unproven } = workerData as ProverTask;
const missing = new Set(unproven);
const proven: string[] = [];
const result = prepareSetup({
  ...options,
  proofs: {
    isProven: (hash) => !missing.has(hash),
    remember: (hash) => void proven.push(hash),
  },
});
const { ok, warnings } = result;
parentPort!.postMessage({ ok, proven, faults: ok ? [] : result.faults, warnings } satisfies ProverAnswer);
