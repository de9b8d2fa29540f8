// In: a config file and filter files. Out: a Setup, jails with compiled and proven filters, ready to run.
// `check`, `replay` and the daemon share it, so that they can't differ.
// It never follows a log, opens the ledger or touches the firewall.
import { dirname, join } from 'node:path';
import type { AllowEntry, Config, JailConfig } from '../config/contract.ts';
import { checkOwnership, loadConfig, readAllowFile } from '../config/index.ts';
import type { Fault } from '../errors.ts';
import type { Filter, FilterOptions } from '../filters/contract.ts';
import { compileFilter } from '../filters/index.ts';
import type { JailRules, Network, Scope } from '../model.ts';
import { prove } from './prove.ts';
import type { Proofs } from './prove.ts';
import { openShelf } from './shelf.ts';
import type { Shelf } from './shelf.ts';

export { noProofs, takenAsProven } from './prove.ts';
export type { Proofs } from './prove.ts';
export { createPlans } from './plan.ts';
export type { Plan, Plans } from './plan.ts';

/** A jail with everything looked up. */
export interface ReadyJail {
  readonly config: JailConfig;
  readonly rules: JailRules;
  /** Jails with the same filter and options share the object, so that a line is matched once for all of them. */
  readonly filters: readonly Filter[];
  readonly scope: Scope;
  readonly ignore: Resolved;
}

/** An allow list with its files read; names are resolved by whoever runs. */
export interface Resolved {
  /** Each network with what the administrator wrote, for answers that name the entry. */
  readonly networks: readonly { readonly network: Network; readonly written: string }[];
  readonly names: readonly string[];
}

export interface Setup {
  readonly config: Config;
  readonly allow: Resolved;
  /** Enabled jails only. */
  readonly jails: readonly ReadyJail[];
  readonly warnings: readonly Fault[];
}

export interface SetupOptions {
  readonly configFile: string;
  /** The folder of the filters that Bailiff ships. */
  readonly shippedFilters: string;
  /** Whose files are believed: root, this user, and in a checkout its owner. */
  readonly trusted: { readonly uid: number; readonly checkoutOwner?: number };
  readonly proofs: Proofs;
  /** Bailiff's: proofs by another one are made anew. */
  readonly version: string;
}

export type SetupResult =
  | { readonly ok: true; readonly setup: Setup; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly warnings: readonly Fault[] };

/** Reads, checks, compiles and proves everything that a config names. All faults are told at once. */
export function prepareSetup(options: SetupOptions): SetupResult {
  const shelf = openShelf([options.shippedFilters, join(dirname(options.configFile), 'filters')]);
  const loaded = loadConfig(options.configFile, { filters: new Set(shelf.files.keys()) });
  const faults: Fault[] = [...loaded.faults];
  const warnings: Fault[] = [...loaded.warnings];
  for (const file of loaded.files) pushIf(faults, checkOwnership(file, options.trusted));
  const config = loaded.config;
  if (!config) return { ok: false, faults: withoutRepeats(faults), warnings };

  const resolve = (entries: readonly AllowEntry[]): Resolved => {
    const result = resolveEntries(entries, options);
    faults.push(...result.faults);
    warnings.push(...result.warnings);
    return result.resolved;
  };
  const compile = createCompiler(shelf, options, faults, warnings);
  const allow = resolve(config.allow);
  const jails = config.jails
    .filter((jail) => jail.enabled)
    .map((jail): ReadyJail => ({
      config: jail,
      rules: rulesOf(jail),
      filters: jail.filters.flatMap((name) => compile(name, jail)),
      scope: scopeOf(jail),
      ignore: resolve(jail.ignore),
    }));
  if (faults.length > 0)
    return { ok: false, faults: withoutRepeats(faults), warnings: withoutRepeats(warnings) };
  const setup = { config, allow, jails, warnings: withoutRepeats(warnings) };
  return { ok: true, setup, warnings: setup.warnings };
}

/** Compiles and proves each distinct (filter, options) once. */
function createCompiler(shelf: Shelf, options: SetupOptions, faults: Fault[], warnings: Fault[]) {
  const compiled = new Map<string, Filter | undefined>();
  return (name: string, jail: JailConfig): Filter[] => {
    const filterOptions: FilterOptions = {
      logFormat: jail.logFormat,
      zone: jail.zone,
      mode: jail.mode,
      where: jail.where,
      except: jail.except,
    };
    const key = JSON.stringify([name, filterOptions]);
    if (!compiled.has(key)) compiled.set(key, compileOne(name, filterOptions, jail));
    const filter = compiled.get(key);
    return filter ? [filter] : [];
  };

  function compileOne(name: string, filterOptions: FilterOptions, jail: JailConfig): Filter | undefined {
    const read = shelf.read(name);
    faults.push(...read.faults);
    pushIf(faults, checkOwnership(shelf.files.get(name)!, options.trusted));
    if (!read.definition) return undefined;
    const result = compileFilter(read.definition, filterOptions);
    if (!result.ok) {
      // A fault of the jail's own narrowing stands in the config; the filter's faults name their file themselves.
      faults.push(...result.faults.map((fault) => (fault.file === '' ? { ...fault, ...jail.at } : fault)));
      return undefined;
    }
    warnings.push(...result.warnings);
    faults.push(...prove(result.filter, options.proofs, options.version));
    return result.filter;
  }
}

/** What traffic a jail's bans drop. */
export function scopeOf({ protocol, ports }: JailConfig): Scope {
  return { protocol, ports };
}

function rulesOf(jail: JailConfig): JailRules {
  return {
    name: jail.name,
    maxRetry: jail.maxRetry,
    findTime: jail.findTime,
    banTime: jail.banTime,
    ipv6Prefix: jail.ipv6Prefix,
    resetOnSuccess: jail.resetOnSuccess,
  };
}

function resolveEntries(
  entries: readonly AllowEntry[],
  options: SetupOptions,
): { resolved: Resolved; faults: Fault[]; warnings: Fault[] } {
  const networks: { network: Network; written: string }[] = [];
  const names: string[] = [];
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const take = (entry: AllowEntry): void => {
    if (entry.kind === 'network') networks.push({ network: entry.network, written: entry.written });
    else if (entry.kind === 'name') names.push(entry.name);
    else {
      pushIf(faults, checkOwnership(entry.path, options.trusted));
      const file = readAllowFile(entry.path);
      faults.push(...file.faults);
      warnings.push(...file.warnings);
      for (const inner of file.entries) take(inner);
    }
  };
  for (const entry of entries) take(entry);
  return { resolved: { networks, names }, faults, warnings };
}

function pushIf(faults: Fault[], fault: Fault | undefined): void {
  if (fault) faults.push(fault);
}

/** Two jails that share a faulty filter report its faults once. */
function withoutRepeats(faults: readonly Fault[]): Fault[] {
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const key = JSON.stringify(fault);
    return !seen.has(key) && seen.add(key);
  });
}
