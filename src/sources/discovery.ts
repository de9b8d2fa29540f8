// Which paths are watched: what the patterns say, and what the disk has.
import { globSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isGlob, isNamedBy } from '../globs.ts';
import type { Start, Watch } from './contract.ts';
import { earliest } from './first-sight.ts';
import { parseName } from './rotation.ts';

/** The row in the ledger that says: this pattern was looked at before. What is new under it is read from 0. */
export function markerOf(pattern: string): string {
  return `watch:${pattern}`;
}

export function isMarker(id: string): boolean {
  return id.startsWith('watch:');
}

export interface WatchedPath {
  readonly path: string;
  readonly patterns: readonly string[];
  readonly start: Start;
  readonly literal: boolean;
}

/**
 * The paths that are watched now: those written out, and the members of globs. Names that rotation gives come last, so
 * that a rotated file is met as such before it is met as a file of its own.
 * @param known paths met before; they stay watched as long as a pattern names them.
 */
export function discover(watches: readonly Watch[], known: Iterable<string>): WatchedPath[] {
  const paths = new Set<string>(known);
  for (const { pattern } of watches) {
    if (!isGlob(pattern)) paths.add(pattern);
    else for (const path of expand(pattern)) paths.add(path);
  }
  return [...paths]
    .map((path) => describe(path, watches))
    .filter(({ patterns }) => patterns.length > 0)
    .toSorted(
      (a, b) =>
        Number(isRotated(a.path)) - Number(isRotated(b.path)) ||
        (a.path < b.path ? -1 : Number(a.path > b.path)),
    );
}

/** The folder that a pattern's matches can appear in first. */
export function folderOf(pattern: string): string {
  const at = pattern.search(/[*?[{]/);
  return dirname(at < 0 ? pattern : `${pattern.slice(0, at)}x`);
}

function isRotated(path: string): boolean {
  return parseName(basename(path)).order !== undefined;
}

function describe(path: string, watches: readonly Watch[]): WatchedPath {
  const naming = watches.filter(
    ({ pattern }) => pattern === path || (isNamedBy(pattern, path) && isUncompressed(path)),
  );
  return {
    path,
    patterns: [...new Set(naming.map(({ pattern }) => pattern))].toSorted(),
    start: earliest(naming.map(({ start }) => start)),
    literal: naming.some(({ pattern }) => pattern === path),
  };
}

/** Folders are no members of a glob, and compressed files are never followed. */
function expand(pattern: string): string[] {
  try {
    return globSync(pattern).filter((path) => isUncompressed(path) && !isFolder(path));
  } catch {
    return []; // A folder that can't be read; the next look tries again.
  }
}

function isUncompressed(path: string): boolean {
  return !parseName(basename(path)).compressed;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // No permission, or gone: following it says so.
  }
}
