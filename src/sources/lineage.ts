// A watched path and the files that stood there one after the other: the live one, older ones that are still read,
// and known ones without a descriptor.
import type { Clock } from '../ports.ts';
import type { Duration, FilePosition } from '../model.ts';
import type { Start } from './contract.ts';
import { createFaults, type Faults, type SourceFaultCode } from './faults.ts';
import type { Blank } from './glance.ts';
import { attach, detach, type Follower, fromPosition, sourceOfId } from './follower.ts';
import { isRotationOf } from './rotation.ts';
import { basename, dirname } from 'node:path';
import type { FileKey, FileLife, Opened } from './open.ts';

export interface Lineage {
  /** The path that is watched. */
  readonly source: string;
  /** Sorted. A reload may change them; without any the lineage is let go at the next look. */
  patterns: readonly string[];
  start: Start;
  /** A path written without wildcards stays in status when no file is there. */
  literal: boolean;
  /** The path without links, where the file was last. */
  realPath: string;
  live: Follower | undefined;
  /** Rotated away and not quiet yet, or never read before: the oldest first. All have a descriptor. */
  older: Follower[];
  /** Known files without a descriptor. */
  closed: Follower[];
  /** Known files that the last look found nowhere: forgotten when all paths were looked at. */
  adrift: Follower[];
  /** Siblings that were rotated away before the first look: never read. */
  before: ReadonlySet<FileLife>;
  /** What is new here is read from its beginning; false until the first look. */
  known: boolean;
  looked: boolean;
  /** The live file, while it is empty. */
  blank: Blank | undefined;
  /** The file here is followed by another lineage: it has two names. */
  alias: FileKey | undefined;
  /** The live file waits for its first sight. */
  unplaced: boolean;
  /** The file here is the beginning of this one: a copy, which is not read while the original is. */
  copyOf: Follower | undefined;
  /** Patterns of other lineages that name the same file. */
  aliasPatterns: readonly string[];
  blockedBy: SourceFaultCode | undefined;
  missingSince: Duration | undefined;
  /** It was missing for so long that it was counted as a fault. */
  vanished: boolean;
  caughtUpOnce: boolean;
  atEnd: boolean;
  lastServed: number;
  /** The number of the line that was or will be the first to be read, since the start; undefined until it is known. */
  firstLine: number | undefined;
  lines: number;
  skipped: number;
  readonly faults: Faults;
}

/** Every lineage, and who has which file open. */
export interface Registry {
  readonly lineages: Map<string, Lineage>;
  readonly open: Map<FileKey, { readonly follower: Follower; readonly lineage: Lineage }>;
  /** Known files of no watched path; one of them may turn up under a new name. */
  orphans: Follower[];
  /** Every id ever given: a forgotten one is never given again, or its removal would hit its successor. */
  readonly ids: Set<string>;
  forgotten: string[];
  /** False until every path was looked at once. */
  running: boolean;
}

export function createRegistry(): Registry {
  return {
    lineages: new Map(),
    open: new Map(),
    orphans: [],
    ids: new Set(),
    forgotten: [],
    running: false,
  };
}

export function createLineage(
  source: string,
  watched: { patterns: readonly string[]; start: Start; literal: boolean; known: boolean },
  clock: Clock,
): Lineage {
  return {
    source,
    ...watched,
    realPath: source,
    live: undefined,
    older: [],
    closed: [],
    adrift: [],
    before: new Set(),
    looked: false,
    blank: undefined,
    alias: undefined,
    copyOf: undefined,
    unplaced: false,
    aliasPatterns: [],
    blockedBy: undefined,
    missingSince: undefined,
    vanished: false,
    caughtUpOnce: false,
    atEnd: false,
    lastServed: 0,
    firstLine: undefined,
    lines: 0,
    skipped: 0,
    faults: createFaults(clock),
  };
}

/** Oldest first: the order in which lines are read. */
export function openFollowers(lineage: Lineage): Follower[] {
  return lineage.live ? [...lineage.older, lineage.live] : [...lineage.older];
}

/** Where its files were last seen. */
export function pathsOf(lineage: Lineage): string[] {
  return [...openFollowers(lineage), ...lineage.closed].map(({ path }) => path);
}

export function patternsOf(lineage: Lineage): readonly string[] {
  if (lineage.aliasPatterns.length === 0) return lineage.patterns;
  return [...new Set([...lineage.patterns, ...lineage.aliasPatterns])].toSorted();
}

/** Gives a follower a descriptor and enters it as the one that has this file. */
export function openFollower(
  registry: Registry,
  lineage: Lineage,
  follower: Follower,
  file: Opened,
  compressed = false,
): void {
  attach(follower, file, compressed);
  registry.open.set(file.key, { follower, lineage });
}

export function closeFollower(registry: Registry, follower: Follower): void {
  if (follower.content) registry.open.delete(follower.content.key);
  detach(follower);
}

/** The ledger need not keep this position any more. */
export function forget(registry: Registry, follower: Follower): void {
  closeFollower(registry, follower);
  registry.forgotten.push(follower.id);
}

/** All known files that nobody reads just now, wherever they were last seen. */
export function* idleFollowers(registry: Registry): Generator<Follower> {
  yield* registry.orphans;
  for (const lineage of registry.lineages.values()) {
    yield* lineage.closed;
    yield* lineage.adrift;
  }
}

/** Takes a known file out of wherever it is kept, to be read on elsewhere. */
export function claim(registry: Registry, follower: Follower): void {
  const others = (kept: Follower[]): Follower[] => kept.filter((one) => one !== follower);
  registry.orphans = others(registry.orphans);
  for (const lineage of registry.lineages.values()) {
    lineage.closed = others(lineage.closed);
    lineage.adrift = others(lineage.adrift);
  }
}

/** Gives each known position to the lineage that it belongs to: by its id, by its path, by its rotated name. */
export function adopt(registry: Registry, positions: readonly FilePosition[]): void {
  for (const position of positions) {
    (homeOf(registry, position)?.closed ?? registry.orphans).push(fromPosition(position));
    registry.ids.add(position.id);
  }
}

/** Paths are watched that were not before: known files without a path of theirs may belong to one of them. */
export function adoptOrphans(registry: Registry): void {
  registry.orphans = registry.orphans.filter((orphan) => {
    const home = homeOf(registry, orphan);
    home?.closed.push(orphan);
    return home === undefined;
  });
}

/** No pattern names the path any more. Its files stay known: they are read on if one ever names them again. */
export function disown(registry: Registry, lineage: Lineage): void {
  for (const follower of openFollowers(lineage)) {
    closeFollower(registry, follower);
    registry.orphans.push(follower);
  }
  registry.orphans.push(...lineage.closed, ...lineage.adrift);
  registry.lineages.delete(lineage.source);
}

/** Which patterns name a file by another of its names. */
export function shareAliases(registry: Registry): void {
  const lineages = [...registry.lineages.values()];
  for (const lineage of lineages) lineage.aliasPatterns = [];
  for (const { alias, patterns } of lineages) {
    const owner = alias === undefined ? undefined : registry.open.get(alias)?.lineage;
    if (owner) owner.aliasPatterns = [...new Set([...owner.aliasPatterns, ...patterns])];
  }
}

function homeOf(registry: Registry, { id, path }: { id: string; path: string }): Lineage | undefined {
  const lineages = [...registry.lineages.values()];
  return (
    registry.lineages.get(sourceOfId(id)) ??
    lineages.find(({ source, realPath }) => path === source || path === realPath) ??
    lineages.find(({ source }) => isRotatedPath(path, source))
  );
}

export function isRotatedPath(path: string, base: string): boolean {
  return dirname(path) === dirname(base) && isRotationOf(basename(path), basename(base));
}
