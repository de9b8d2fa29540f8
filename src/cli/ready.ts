// What run, check and replay share: the config read from where this command line says, and its faults told.
import './linear-regexes.ts';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../config/index.ts';
import type { Loaded } from '../config/index.ts';
import { BailiffError, EXIT, formatFault } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { Compiled, FilterOptions } from '../filters/contract.ts';
import {
  compileNamed,
  describeShelf,
  openShelf,
  prepareAside,
  prepareSetup,
  takenAsProven,
} from '../setup/index.ts';
import type {
  Described,
  Proofs,
  ProverAnswer,
  Setup,
  SetupOptions,
  SetupResult,
  Shelf,
} from '../setup/index.ts';
import type { RunBeside } from '../ports.ts';
import { printable } from '../text.ts';
import type { Context, Options } from './verb.ts';

/** From src/cli or dist/cli, the folder of the shipped filters is two up. */
const SHIPPED_FILTERS = join(import.meta.dirname, '..', '..', 'filters');

/** Sources run as they are, a package is built: either way it stands beside this file. */
const PROVER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './prover.ts' : './prover.js', import.meta.url),
);

/** @param everyFilter also those that no jail names: for `check`. */
export function readSetup(context: Context, proofs: Proofs, everyFilter = false): SetupResult {
  return prepareSetup(setupOptions(context, proofs, everyFilter));
}

/**
 * The same for the daemon: what is to be proven is proven by another process.
 * @param runBeside starts it, and hands it its input.
 */
export function readSetupAside(context: Context, proofs: Proofs, runBeside: RunBeside): Promise<SetupResult> {
  return prepareAside(setupOptions(context, proofs, false), async (task) => {
    const answer = await runBeside(PROVER, JSON.stringify(task));
    return answer === undefined ? undefined : (JSON.parse(answer) as ProverAnswer);
  });
}

function setupOptions(context: Context, proofs: Proofs, everyFilter: boolean): SetupOptions {
  const { config, checkout } = context.paths;
  return {
    configFile: config,
    shippedFilters: SHIPPED_FILTERS,
    trusted: {
      uid: process.geteuid!(),
      ...(checkout === undefined ? {} : { checkoutOwner: statSync(checkout).uid }),
    },
    proofs,
    version: context.version,
    everyFilter,
  };
}

/** The config for a verb that asks no daemon, and the one jail that the command line may name. */
export type Asked =
  | { readonly ok: true; readonly setup: Setup; readonly jail: string | undefined }
  | { readonly ok: false; readonly exit: number };

/**
 * Filters are taken as proven: nobody is banned by such a verb. Faults and warnings are told.
 * @throws BailiffError E_UNKNOWN_JAIL where the config has no such enabled jail.
 */
export function readAsked(context: Context, options: Options): Asked {
  const result = readSetup(context, takenAsProven);
  tellFaults(context, result.warnings, 'warning');
  if (!result.ok) {
    tellFaults(context, result.faults, 'fault');
    return { ok: false, exit: exitOf(result.faults) };
  }
  const jail = typeof options['jail'] === 'string' ? options['jail'] : undefined;
  if (jail !== undefined && !result.setup.jails.some(({ rules }) => rules.name === jail))
    throw new BailiffError(
      'E_UNKNOWN_JAIL',
      `There is no enabled jail "${jail}" in ${context.paths.config}.`,
    );
  return { ok: true, setup: result.setup, jail };
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

/** The config alone, checked but for what its filters say: for those who ask what is written. */
export function readConfig(context: Context): Loaded {
  return loadConfig(context.paths.config, { filters: new Set(filterNames(context)) });
}

/** The names of the filters that a jail of this config could name, faulty ones among them. None of them is read. */
export function filterNames(context: Context): string[] {
  return [...shelfFor(context).files.keys()];
}

/** Every filter that a jail of this config could name. */
export function listFilters(context: Context): Described[] {
  return describeShelf(shelfFor(context));
}

function shelfFor({ paths }: Context): Shelf {
  return openShelf([SHIPPED_FILTERS, join(dirname(paths.config), 'filters')]);
}

/** One filter, by the name that a jail would use, or by its YAML file. */
export function readFilterFor(context: Context, name: string, options: FilterOptions): Compiled {
  return compileNamed(name, { configFile: context.paths.config, shippedFilters: SHIPPED_FILTERS }, options);
}
