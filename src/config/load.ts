// jails.json and jails.d/*.json beside it → a checked Config, or every fault at once.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Fault } from '../errors.ts';
import { reasonOf } from '../errors.ts';
import { checkShape } from './check.ts';
import type { Config } from './contract.ts';
import { merge } from './merge.ts';
import { originsOf } from './origin.ts';
import type { Origin } from './origin.ts';
import { faultAt } from './place.ts';
import { readText } from './read.ts';
import { resolve } from './resolve.ts';
import { JAIL_NAME } from './schema.ts';
import type { ObjectTree, Tree } from './tree.ts';
import { parseConfigText } from './tree.ts';

/** A config larger than this is a mistake; lists of addresses belong in a `file:`. */
const MAX_CONFIG = 1024 * 1024;

export interface Loaded {
  /** Only where there is no fault. */
  readonly config?: Config;
  readonly faults: Fault[];
  readonly warnings: Fault[];
  /** {@link originsOf} the config: every value with where it comes from. Empty where there is a fault. */
  origins(): Origin[];
  /** The files that it was read from, the main one first: their owners are to be checked. */
  readonly files: readonly string[];
}

/**
 * Reads the config and merges `jails.d/*.json` over it in name order. Never throws: whatever is wrong is a fault, and
 * each fault has the place in the file where the value came from.
 * @param known what names in the config may refer to.
 */
export function loadConfig(file: string, known: { readonly filters: ReadonlySet<string> }): Loaded {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const folder = join(dirname(file), 'jails.d');
  const files = [file, ...namesIn(folder, faults).map((name) => join(folder, name))];
  const [main, ...over] = files.map((each) => readTree(each, faults));
  const answer = (config?: Config, tree?: Tree): Loaded => ({
    ...(config && faults.length === 0 && { config }),
    origins: () => (config && tree && faults.length === 0 ? originsOf(config, tree) : []),
    faults: inOrder(faults, files),
    warnings: inOrder(warnings, files),
    files,
  });
  // Where a file can't be read or parsed, anything said about the rest could be wrong.
  if (!main || over.some((tree) => !tree)) return answer();
  const objects = over.filter((tree) => isObject(tree, faults));
  const merged =
    main.kind === 'object' ? objects.reduce((base, tree) => merge(base, tree, warnings), main) : main;
  const { input, isTold, faults: ofShape } = checkShape(merged);
  for (const fault of ofShape) faults.push(fault);
  const context = { tree: merged, isTold, filters: known.filters, faults, warnings };
  return answer(input && resolve(file, input, context), merged);
}

/**
 * The names of the jails in a config, faulty or not, as far as it can be read: for completions. Never throws.
 * Words that are no name of a jail are left out.
 */
export function readJailNames(file: string): string[] {
  const folder = join(dirname(file), 'jails.d');
  const main = readTree(file, []);
  if (main?.kind !== 'object') return [];
  const over = namesIn(folder, [])
    .map((name) => readTree(join(folder, name), []))
    .filter((tree) => tree?.kind === 'object');
  const jails = over.reduce((base, tree) => merge(base, tree, []), main).entries.get('jails')?.value;
  return jails?.kind === 'object' ? [...jails.entries.keys()].filter((name) => JAIL_NAME.test(name)) : [];
}

function readTree(file: string, faults: Fault[]): Tree | undefined {
  const read = readText(file, MAX_CONFIG);
  if (!read.ok) {
    faults.push(read.fault);
    return undefined;
  }
  const parsed = parseConfigText(file, read.text);
  for (const fault of parsed.faults) faults.push(fault);
  return parsed.tree;
}

/** `*.json`, without hidden files, which editors leave behind. No folder: no files. */
function namesIn(folder: string, faults: Fault[]): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .toSorted();
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'ENOENT') return [];
    const place = { file: folder, line: 0, column: 0 };
    faults.push(faultAt(place, 'E_CONFIG_UNREADABLE', `the folder can't be read: ${reason}`));
    return [];
  }
}

function isObject(tree: Tree | undefined, faults: Fault[]): tree is ObjectTree {
  if (tree?.kind === 'object') return true;
  if (tree) faults.push(faultAt(tree.at, 'E_CONFIG_TYPE', 'expected an object to merge over the config'));
  return false;
}

/** By file as they were read, then by place: as one mends them. */
function inOrder(faults: readonly Fault[], files: readonly string[]): Fault[] {
  return faults.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}
