// Where filter files are found: the shipped folder, and `filters/` beside the config, whose files win by name as a whole.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Fault } from '../errors.ts';
import { reasonOf } from '../errors.ts';
import { compileFilter, headComment, parseFilter } from '../filters/index.ts';
import type { Described } from '../filters/index.ts';
import { nearest } from '../text.ts';
import type { Compiled, FilterDefinition, FilterOptions } from '../filters/contract.ts';

export interface Shelf {
  /** Every filter that can be named, with the file it stands in. */
  readonly files: ReadonlyMap<string, string>;
  /** Reads and checks one filter; the same object at every call. */
  read(name: string): { definition?: FilterDefinition; faults: readonly Fault[] };
}

/** @param folders in order of precedence, the last one wins; a folder that doesn't exist holds nothing. */
export function openShelf(folders: readonly string[]): Shelf {
  const files = new Map<string, string>();
  for (const folder of folders) {
    // For a hundred of them `join` would run so often that V8's optimising compiler came in, 5 MiB of which an idle daemon kept.
    const start = join(folder, '/');
    for (const name of yamlFiles(folder)) files.set(basename(name, '.yaml'), `${start}${name}`);
  }
  const read = new Map<string, ReturnType<Shelf['read']>>();
  return {
    files,
    read(name) {
      let result = read.get(name);
      if (!result) {
        result = readFilter(files.get(name)!, { onlyRegular: true });
        read.set(name, result);
      }
      return result;
    },
  };
}

/** Every filter that can be named, by name; those that are faulty aside: `check` tells of them. */
export function describeShelf(shelf: Shelf): Described[] {
  return [...shelf.files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, file]) => {
      const { definition } = shelf.read(name);
      return definition ? [{ definition, comment: headComment(readFileSync(file, 'utf8')) }] : [];
    });
}

/**
 * Reads one filter file, from the shelf or from anywhere (`test FILE`).
 * @param onlyRegular a daemon must not wait for ever for what nobody writes into a FIFO; whoever tests a filter may.
 */
function readFilter(
  file: string,
  { onlyRegular = false } = {},
): { definition?: FilterDefinition; faults: readonly Fault[] } {
  const refuse = (message: string) => ({
    faults: [{ code: 'E_FILTER_UNREADABLE' as const, file, line: 0, column: 0, message }],
  });
  let text: string;
  try {
    if (onlyRegular && !statSync(file).isFile()) return refuse('this is not a regular file');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return refuse(`can't be read (${reasonOf(error)})`);
  }
  return parseFilter(text, file);
}

/**
 * Compiles one filter.
 * @param named a name on the shelf, or a file (with a slash in it, or `.yaml` at its end).
 */
export function compileNamed(
  named: string,
  places: { readonly configFile: string; readonly shippedFilters: string },
  options: FilterOptions,
): Compiled {
  const isFile = named.includes('/') || named.endsWith('.yaml');
  const shelf = openShelf([places.shippedFilters, join(dirname(places.configFile), 'filters')]);
  if (!isFile && !shelf.files.has(named)) {
    const near = nearest(named, shelf.files.keys());
    const hint =
      near === undefined ? `there are: ${[...shelf.files.keys()].join(', ')}` : `did you mean "${near}"?`;
    const message = `there is no filter "${named}"`;
    return {
      ok: false,
      faults: [{ code: 'E_CONFIG_UNKNOWN_FILTER', file: named, line: 0, column: 0, message, hint }],
    };
  }
  const { definition, faults } = isFile ? readFilter(named) : shelf.read(named);
  return definition ? compileFilter(definition, options) : { ok: false, faults };
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .toSorted();
  } catch {
    return [];
  }
}
