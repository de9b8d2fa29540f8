// How the files look that a config is read from: so that a change is noticed that nobody was watching for yet.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../errors.ts';

/** Equal as long as none of the files, and none in the folders, was written, replaced, added or removed. Never throws. */
export function tracesOf(paths: readonly string[]): string {
  return paths.flatMap((path) => [traceOf(path), ...inside(path).map(traceOf)]).join('\n');
}

function traceOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${path} ${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    // Not there, or links in a circle, or a name that no file can have: whoever reads it says so.
    return `${path} ${reasonOf(error)}`;
  }
}

function inside(path: string): string[] {
  try {
    return readdirSync(path)
      .toSorted()
      .map((name) => join(path, name));
  } catch {
    return []; // No folder.
  }
}
