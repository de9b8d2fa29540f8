// The same setup without holding anything up: filters that nobody has proven yet are proven by a process of their own, which
// takes a second for some, and half a minute where all are new. Lines are worked on meanwhile, and what the proofs took of
// memory, V8's compilers and what glibc never gives back, is not the daemon's for good.
import type { Fault } from '../errors.ts';
import { prepareSetup } from './prepare.ts';
import type { SetupOptions, SetupResult } from './prepare.ts';

/** What the process is given, as JSON: everything but the proofs, and of these what is missing. */
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

/** Has another process answer with {@link answerOf}. @returns undefined where it ended without an answer. */
export type AskProver = (task: ProverTask) => Promise<ProverAnswer | undefined>;

/** {@link prepareSetup} for whoever has something else to do. Files are read and filters compiled at once all the same. */
export async function prepareAside(options: SetupOptions, ask: AskProver): Promise<SetupResult> {
  const { proofs, ...rest } = options;
  const unproven = new Set<string>();
  const isProven = (hash: string): boolean => {
    if (!proofs.isProven(hash)) unproven.add(hash);
    return true;
  };
  const taken = prepareSetup({ ...rest, proofs: { isProven, remember() {} } });
  if (unproven.size === 0) return taken;
  const answer = await ask({ options: rest, unproven: [...unproven] });
  // A process that breaks (short memory, say) must not keep a config back.
  if (!answer) return prepareSetup(options);
  const { ok, proven, faults, warnings } = answer;
  for (const hash of proven) proofs.remember(hash);
  const { readFrom, traces } = taken.ok ? taken.setup : taken;
  if (!ok) return { ok, faults, warnings, readFrom, traces };
  const isSame = taken.ok && proven.length === unproven.size;
  // The files were written meanwhile: what is in force must be what was proven.
  return isSame ? taken : prepareSetup(options);
}

/** The prover's part of it. */
export function answerOf({ options, unproven }: ProverTask): ProverAnswer {
  const missing = new Set(unproven);
  const proven: string[] = [];
  const result = prepareSetup({
    ...options,
    proofs: { isProven: (hash) => !missing.has(hash), remember: (hash) => void proven.push(hash) },
  });
  const { ok, warnings } = result;
  return { ok, proven, faults: ok ? [] : result.faults, warnings };
}
