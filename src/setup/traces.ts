// How the files look that a config is read from: so that a change is noticed that nobody was watching for yet.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Equal as long as none of the files, and none in the folders, was written, replaced, added or removed. */
export function tracesOf(paths: readonly string[]): string {
  return paths.flatMap((path) => [traceOf(path), ...inside(path).map(traceOf)]).join('\n');
}

function traceOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${path} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : `${path} -`;
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
