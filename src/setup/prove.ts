// A filter that can't prove itself doesn't run: its samples, and the forgeries made from them, under the options in use.
import { createHash } from 'node:crypto';
import type { Fault } from '../errors.ts';
import type { Compiled, Filter } from '../filters/contract.ts';
import { proveFilter } from '../filters/index.ts';
import { printable, utf8 } from '../text.ts';

/** Remembers proofs, so that a start with filters that passed before costs nothing. */
export interface Proofs {
  isProven(hash: string): boolean;
  remember(hash: string): void;
}

/** For `check`, which always looks. */
export const noProofs: Proofs = { isProven: () => false, remember() {} };

/** For `replay`, which bans nobody. */
export const takenAsProven: Proofs = { isProven: () => true, remember() {} };

/**
 * A proof holds for one text of a filter, under one set of options, by one version of the engine.
 * @returns a fault (E_FILTER_UNPROVEN) for each sample or forgery that the filter fails.
 */
export function prove(filter: Filter, proofs: Proofs, version: string): Fault[] {
  const hash = createHash('sha256')
    .update(version)
    .update(filter.definition.hash)
    .update(JSON.stringify(filter.options))
    .digest('hex');
  if (proofs.isProven(hash)) return [];
  const refutations = proveFilter(filter);
  if (refutations.length === 0) proofs.remember(hash);
  return refutations.map((refutation) => ({
    code: 'E_FILTER_UNPROVEN',
    file: filter.definition.file,
    line: refutation.line,
    column: refutation.column,
    message: `the ${refutation.kind} line "${printable(utf8(refutation.text), 300)}" should yield ${printable(refutation.expected)}, but yields ${printable(refutation.got)}`,
    ...(refutation.hint === undefined ? {} : { hint: refutation.hint }),
  }));
}

/** Does a filter hold as its file means it, without a jail's options? */
export function provesByDefault(compiled: Compiled): boolean {
  return compiled.ok && proveFilter(compiled.filter).length === 0;
}
