// The same setup without holding anything up: filters that nobody has proven yet are proven in a thread of their own, which
// takes a second for some, and half a minute where all are new. Lines are worked on meanwhile.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Fault } from '../errors.ts';
import { prepareSetup } from './prepare.ts';
import type { SetupOptions, SetupResult } from './prepare.ts';

/** What the thread is given: everything but the proofs, and of these what is missing. */
export interface ProverTask {
  readonly options: Omit<SetupOptions, 'proofs'>;
  readonly unproven: readonly string[];
}

export interface ProverAnswer {
  readonly ok: boolean;
  /** Of the unproven ones. */
  readonly proven: readonly string[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Sources run as they are, a package is built: either way it stands beside this file. */
const PROVER = new URL(import.meta.url.endsWith('.ts') ? './prover.ts' : './prover.js', import.meta.url);

/** {@link prepareSetup} for whoever has something else to do. Files are read and filters compiled at once all the same. */
export async function prepareAside(options: SetupOptions): Promise<SetupResult> {
  const { proofs, ...rest } = options;
  const unproven = new Set<string>();
  const isProven = (hash: string): boolean => {
    if (!proofs.isProven(hash)) unproven.add(hash);
    return true;
  };
  const taken = prepareSetup({ ...rest, proofs: { isProven, remember() {} } });
  if (unproven.size === 0) return taken;
  const answer = await askProver({ options: rest, unproven: [...unproven] });
  // A thread that breaks (short memory, say) must not keep a config back.
  if (!answer) return prepareSetup(options);
  const { ok, proven, faults, warnings } = answer;
  for (const hash of proven) proofs.remember(hash);
  const { readFrom, traces } = taken.ok ? taken.setup : taken;
  if (!ok) return { ok, faults, warnings, readFrom, traces };
  const isSame = taken.ok && proven.length === unproven.size;
  // The files were written meanwhile: what is in force must be what was proven.
  return isSame ? taken : prepareSetup(options);
}

/** @returns undefined where it ended without an answer. */
async function askProver(task: ProverTask): Promise<ProverAnswer | undefined> {
  const worker = new Worker(PROVER, { workerData: task, stdin: false });
  // Who ends the daemon doesn't wait for it.
  worker.unref();
  try {
    const ended = once(worker, 'exit').then(() => undefined);
    const told = once(worker, 'message').then(([answer]) => answer as ProverAnswer);
    return await Promise.race([told, ended]);
  } catch {
    return undefined;
  }
}
