// The whole way from the files to a Setup: read, checked, compiled, proven.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RECIDIVE } from '../config/contract.ts';
import type { AllowEntry, Config, JailConfig } from '../config/contract.ts';
import { loadConfig, readAllowFile } from '../config/index.ts';
import type { Fault } from '../errors.ts';
import type { Filter } from '../filters/contract.ts';
import type { JailRules, Network, Scope } from '../model.ts';
import { createPreparer } from './filters.ts';
import type { Preparer } from './filters.ts';
import { withFormats } from './formats.ts';
import type { Proofs } from './prove.ts';
import { openShelf } from './shelf.ts';
import type { Shelf } from './shelf.ts';
import { tracesOf } from './traces.ts';
import { checkTrust } from './trust.ts';

/** A jail with everything looked up. */
export interface ReadyJail {
  readonly config: JailConfig;
  readonly rules: JailRules;
  /** Jails with the same filter and options share the object, so that a line is matched once for all of them. */
  readonly filters: readonly Filter[];
  /** What its bans are about; what the nth does with it is told by `rules.respond`. */
  readonly scope: Scope;
  readonly ignore: Resolved;
  /** Equal where nothing that the jail does has changed: its keys, its filters' texts, its lists. */
  readonly fingerprint: string;
}

/** An allow list with its files read; names are resolved by whoever runs. */
export interface Resolved {
  /** Each network with what the administrator wrote, for answers that name the entry. */
  readonly networks: readonly { readonly network: Network; readonly written: string }[];
  readonly names: readonly string[];
}

/** What a config was read from, and may be read from: when one of these changes, it is worth reading again. */
export interface ReadFrom {
  readonly readFrom: readonly string[];
  /** {@link tracesOf} them just before they were read. */
  readonly traces: string;
}

export interface Setup extends ReadFrom {
  readonly config: Config;
  readonly allow: Resolved;
  /** Enabled jails only. */
  readonly jails: readonly ReadyJail[];
  readonly warnings: readonly Fault[];
  /** The same config with other jails enabled; jails that are not named stay as they are written. */
  withEnabled(choice: ReadonlyMap<string, boolean>): SetupResult;
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
  /** Also the filters in the config's own `filters/` that no jail names: `check` tells their faults before one does. */
  readonly everyFilter?: boolean;
}

export type SetupResult =
  | { readonly ok: true; readonly setup: Setup; readonly warnings: readonly Fault[] }
  | ({
      readonly ok: false;
      readonly faults: readonly Fault[];
      readonly warnings: readonly Fault[];
    } & ReadFrom);

/** Reads, checks, compiles and proves everything that a config names. All faults are told at once. */
export function prepareSetup(options: SetupOptions): SetupResult {
  const beside = dirname(options.configFile);
  const ownFilters = join(beside, 'filters');
  const shelf = openShelf([options.shippedFilters, ownFilters]);
  const places = [options.configFile, join(beside, 'jails.d'), ownFilters];
  const traces = tracesOf(places);
  const loaded = loadConfig(options.configFile, { filters: new Set(shelf.files.keys()) });
  const faults: Fault[] = [...loaded.faults];
  const warnings: Fault[] = [...loaded.warnings];
  // Who may write into a folder may put a file there at any time, also where there is none yet.
  const folders = [join(beside, 'jails.d'), ownFilters].filter((folder) => existsSync(folder));
  for (const path of [...loaded.files, ...folders]) checkTrust(path, options, faults);
  const preparer = createPreparer(shelf, options, faults, warnings);
  const config = loaded.config && withFormats(loaded.config, shelf, warnings);
  // In a checkout the shipped folder is the one beside the config: its filters are proven by the tests.
  if (options.everyFilter && ownFilters !== options.shippedFilters)
    for (const [name, file] of shelf.files) {
      if (dirname(file) !== ownFilters) continue;
      const jail = config?.jails.find(({ filters }) => filters.includes(name));
      if (jail) preparer.prepare(name, jail, []);
      else preparer.prepareUnnamed(name, config !== undefined);
    }
  const lists = config ? listFilesOf(config) : [];
  const readFrom = {
    readFrom: [...places, ...lists],
    traces: [traces, tracesOf(lists)].filter(Boolean).join('\n'),
  };
  if (!config) return refused(faults, warnings, readFrom);
  return assemble(config, { options, shelf, preparer, faults, warnings, ...readFrom });
}

function refused(
  faults: readonly Fault[],
  warnings: readonly Fault[],
  { readFrom, traces }: ReadFrom,
): SetupResult {
  const told = { faults: withoutRepeats(faults), warnings: withoutRepeats(warnings) };
  return { ok: false, ...told, readFrom, traces };
}

interface Workshop extends ReadFrom {
  readonly options: SetupOptions;
  readonly shelf: Shelf;
  readonly preparer: Preparer;
  readonly faults: Fault[];
  readonly warnings: Fault[];
}

/** Compiles and proves what the enabled jails name. */
function assemble(config: Config, workshop: Workshop): SetupResult {
  const { options, shelf, preparer, faults, warnings } = workshop;
  const resolve = (entries: readonly AllowEntry[]): Resolved => {
    const result = resolveEntries(entries, options);
    faults.push(...result.faults);
    warnings.push(...result.warnings);
    return result.resolved;
  };
  const trusted = resolve(config.trustedProxies);
  const proxies = trusted.networks.map(({ network, written }) => ({
    network,
    written: `${written} (trustedProxies)`,
  }));
  const allowed = resolve(config.allow);
  // Whoever drops a proxy drops everybody behind it.
  const allow = { ...allowed, networks: [...allowed.networks, ...proxies] };
  const trustedProxies = trusted.networks.map(({ network }) => network);
  const jails = config.jails
    .filter((jail) => jail.enabled)
    .map((jail): ReadyJail => {
      const filters = jail.filters.flatMap((name) =>
        name === RECIDIVE ? [] : preparer.prepare(name, jail, trustedProxies),
      );
      const ignore = resolve(jail.ignore);
      const fingerprint = fingerprintOf(jail, filters, [ignore, trusted]);
      return { config: jail, rules: rulesOf(jail), filters, scope: scopeOf(jail), ignore, fingerprint };
    });
  if (faults.length > 0) return refused(faults, warnings, workshop);
  const setup: Setup = {
    config,
    allow,
    jails,
    warnings: withoutRepeats(warnings),
    readFrom: workshop.readFrom,
    traces: workshop.traces,
    withEnabled(choice) {
      const chosen = config.jails.map((jail) => ({
        ...jail,
        enabled: choice.get(jail.name) ?? jail.enabled,
      }));
      const told: { faults: Fault[]; warnings: Fault[] } = { faults: [], warnings: [] };
      const anew = createPreparer(shelf, options, told.faults, told.warnings);
      return assemble({ ...config, jails: chosen }, { ...workshop, ...told, preparer: anew });
    },
  };
  return { ok: true, setup, warnings: setup.warnings };
}

/** The `file:` lists that a config names. */
function listFilesOf({ allow, trustedProxies, jails }: Config): string[] {
  const entries = [...allow, ...trustedProxies, ...jails.flatMap(({ ignore }) => ignore)];
  return [...new Set(entries.flatMap((entry) => (entry.kind === 'file' ? [entry.path] : [])))];
}

function fingerprintOf(
  { at: _, logFormatAt: __, conditionsAt: ___, ...jail }: JailConfig,
  filters: readonly Filter[],
  lists: readonly Resolved[],
): string {
  const texts = lists.flatMap(({ networks, names }) => [
    ...networks.map(({ network }) => network.text),
    ...names,
  ]);
  const rules = JSON.stringify([jail, filters.map(({ definition }) => definition.hash), texts]);
  return createHash('sha256').update(rules).digest('hex');
}

/** What traffic a jail's bans are about: of those by hand it is dropped, of the others `respond` says more. */
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
    protectAfterSuccess: jail.protectAfterSuccess,
    respond: jail.respond,
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
      const file = readAllowFile(entry.path);
      faults.push(...file.faults);
      checkTrust(entry.path, options, faults);
      warnings.push(...file.warnings);
      for (const inner of file.entries) take(inner);
    }
  };
  for (const entry of entries) take(entry);
  return { resolved: { networks, names }, faults, warnings };
}

/** Two jails that share a faulty filter report its faults once. */
function withoutRepeats(faults: readonly Fault[]): Fault[] {
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const key = JSON.stringify(fault);
    return !seen.has(key) && seen.add(key);
  });
}
