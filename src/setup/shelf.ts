// Where filter files are found: the shipped folder, and `filters/` beside the config, whose files win by name as a whole.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Fault } from '../errors.ts';
import { reasonOf } from '../errors.ts';
import { parseFilter } from '../filters/index.ts';
import type { FilterDefinition } from '../filters/contract.ts';

export interface Shelf {
  /** Every filter that can be named, with the file it stands in. */
  readonly files: ReadonlyMap<string, string>;
  /** Reads and checks one filter; the same object at every call. */
  read(name: string): { definition?: FilterDefinition; faults: readonly Fault[] };
}

/** @param folders in order of precedence, the last one wins; a folder that doesn't exist holds nothing. */
export function openShelf(folders: readonly string[]): Shelf {
  const files = new Map<string, string>();
  for (const folder of folders)
    for (const name of yamlFiles(folder)) files.set(basename(name, '.yaml'), join(folder, name));
  const read = new Map<string, ReturnType<Shelf['read']>>();
  return {
    files,
    read(name) {
      let result = read.get(name);
      if (!result) {
        result = readFilter(files.get(name)!);
        read.set(name, result);
      }
      return result;
    },
  };
}

/** Reads one filter file, from the shelf or from anywhere (`test FILE`). */
export function readFilter(file: string): { definition?: FilterDefinition; faults: readonly Fault[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const message = `can't be read (${reasonOf(error)})`;
    return { faults: [{ code: 'E_FILTER_UNREADABLE', file, line: 0, column: 0, message }] };
  }
  return parseFilter(text, file);
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
