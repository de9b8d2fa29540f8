// What run, check and replay share: the config read from where this command line says, and its faults told.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, formatFault } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { Compiled, FilterOptions } from '../filters/contract.ts';
import { compileNamed, prepareSetup } from '../setup/index.ts';
import type { Proofs, SetupResult } from '../setup/index.ts';
import { printable } from '../text.ts';
import type { Context } from './verb.ts';

/** From src/cli or dist/cli, the folder of the shipped filters is two up. */
const SHIPPED_FILTERS = join(import.meta.dirname, '..', '..', 'filters');

/** @param everyFilter also those that no jail names: for `check`. */
export function readSetup(context: Context, proofs: Proofs, everyFilter = false): SetupResult {
  const { config, checkout } = context.paths;
  return prepareSetup({
    configFile: config,
    shippedFilters: SHIPPED_FILTERS,
    trusted: {
      uid: process.geteuid!(),
      ...(checkout === undefined ? {} : { checkoutOwner: statSync(checkout).uid }),
    },
    proofs,
    version: context.version,
    everyFilter,
  });
}

/** Writes each fault as `file:line:column: …` to standard error. Messages may quote hostile samples: made printable. */
export function tellFaults(context: Context, faults: readonly Fault[], word: 'fault' | 'warning'): void {
  for (const fault of faults)
    context.err(`${word === 'warning' ? 'warning: ' : ''}${printable(formatFault(fault), 2_000)}\n`);
}

/** 78 for a faulty config or filter, 1 where samples or forgeries are all that failed. */
export function exitOf(faults: readonly Fault[]): number {
  return faults.every((fault) => fault.code === 'E_FILTER_UNPROVEN') ? EXIT.no : EXIT.config;
}

/** One filter, by the name that a jail would use, or by its YAML file. */
export function readFilterFor(context: Context, name: string, options: FilterOptions): Compiled {
  return compileNamed(name, { configFile: context.paths.config, shippedFilters: SHIPPED_FILTERS }, options);
}
