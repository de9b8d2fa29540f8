// Which known file stands in which sibling of a log, and which siblings are rotations that nobody has read.
import { isBeginningOf, type Follower } from './follower.ts';
import { isSameHead } from './identity.ts';
import { idleFollowers, isRotatedPath, openFollowers, type Lineage, type Registry } from './lineage.ts';
import type { FileKey } from './open.ts';
import { bytesOf, hasTail, headOfSibling, siblingAt, siblingsOf, type Sibling } from './rotation.ts';

/** A compressed file of this size or less holds nothing but its header. */
const EMPTY_GZIP = 64;

export interface Family {
  /** The oldest first. */
  readonly siblings: readonly Sibling[];
  /** Whose lines a sibling holds; several siblings may hold the same (`.1` and `.1.gz`). */
  readonly owners: ReadonlyMap<Sibling, Follower>;
  /** Known files without a descriptor, and the sibling to read them on in. */
  readonly places: ReadonlyMap<Follower, Sibling>;
  /** Whether the folder could be read: otherwise nothing can be said to be gone. */
  readonly readable: boolean;
}

/** @param live the file that stands at the path itself; no sibling. */
export function familyOf(
  registry: Registry,
  lineage: Lineage,
  path: string,
  live: FileKey | undefined,
): Family {
  const listed = siblingsOf(path);
  const siblings = (listed ?? []).filter((sibling) => sibling.key !== live);
  // A link may have been led elsewhere since: a known file is also looked for where it was last seen.
  for (const { path: last } of lineage.closed)
    if (last !== path && !siblings.some((sibling) => sibling.path === last)) {
      const sibling = siblingAt(last, false);
      if (sibling && sibling.key !== live) siblings.unshift(sibling);
    }
  const heads = new Map<Sibling, Buffer>();
  const headOf = (sibling: Sibling): Buffer => {
    const head = heads.get(sibling) ?? headOfSibling(sibling);
    heads.set(sibling, head);
    return head;
  };
  const owners = new Map<Sibling, Follower>();
  const places = new Map<Follower, Sibling>();
  ownByInode(registry, siblings, headOf, owners, places);
  ownByContent(registry, lineage, siblings, headOf, owners, places);
  return { siblings, owners, places, readable: listed !== undefined };
}

function ownByInode(
  registry: Registry,
  siblings: readonly Sibling[],
  headOf: (sibling: Sibling) => Buffer,
  owners: Map<Sibling, Follower>,
  places: Map<Follower, Sibling>,
): void {
  for (const sibling of siblings) {
    const open = registry.open.get(sibling.key);
    if (open) {
      // The name may be new: evidence names the file where its line stands now.
      open.follower.path = sibling.path;
      owners.set(sibling, open.follower);
      continue;
    }
    for (const idle of idleFollowers(registry)) {
      if (idle.inode !== sibling.inode || places.has(idle)) continue;
      // Of a file that was empty nothing is known but its inode; if it was given again since, this is another file.
      const isEmpty = idle.headLength === 0 && !sibling.compressed && sibling.born <= idle.firstSeen;
      const same = isSameHead(idle, headOf(sibling)) && (sibling.size < idle.offset || holds(sibling, idle));
      if (!isEmpty && !same) continue;
      owners.set(sibling, idle);
      places.set(idle, sibling);
      break;
    }
  }
}

/** A path and those that its rotated files have, where a glob names them too. */
export function relatives(registry: Registry, lineage: Lineage): Lineage[] {
  const others = [...registry.lineages.values()].filter((one) => isRotatedPath(one.source, lineage.realPath));
  return [lineage, ...others];
}

/** Copies: what copytruncate leaves, what a compressor made. A plain copy is better than a compressed one. */
function ownByContent(
  registry: Registry,
  lineage: Lineage,
  siblings: readonly Sibling[],
  headOf: (sibling: Sibling) => Buffer,
  owners: Map<Sibling, Follower>,
  places: Map<Follower, Sibling>,
): void {
  const known = relatives(registry, lineage).flatMap((one) => [...one.closed, ...openFollowers(one)]);
  known.push(...registry.orphans);
  const isLost = (follower: Follower): boolean => !follower.content && !places.has(follower);
  const plainFirst = siblings.toSorted((a, b) => Number(a.compressed) - Number(b.compressed));
  for (const sibling of plainFirst) {
    if (owners.has(sibling)) continue;
    if (lineage.before.has(sibling.key) && !known.some(isLost)) continue;
    const owner = known.find((one) =>
      one.content
        ? isCopyOf(sibling, one, headOf(sibling))
        : isSameHead(one, headOf(sibling)) && holds(sibling, one),
    );
    if (!owner) continue;
    owners.set(sibling, owner);
    if (isLost(owner) && (lineage.closed.includes(owner) || sibling.rotated)) places.set(owner, sibling);
  }
}

function holds(sibling: Sibling, follower: Follower): boolean {
  return hasTail(sibling, follower.offset, follower.tailHash);
}

/** Whether a sibling is a copy of an open file. A common first line proves nothing here. */
function isCopyOf(sibling: Sibling, follower: Follower, head: Buffer): boolean {
  if (sibling.compressed) return isSameHead(follower, head) && head.length === follower.headLength;
  return isBeginningOf(follower, head, sibling.size, (from) => bytesOf(sibling, from));
}

/**
 * Rotated siblings newer than everything that is known, the oldest first: rotations that nobody saw.
 * What is older than the known files was there before them and is never read.
 * @param current the known file at the path itself, if there is one.
 * @param blank files that were empty when they were last seen.
 */
export function missedRotations(
  lineage: Lineage,
  family: Family,
  current: Follower | undefined,
  blank: ReadonlySet<Follower>,
): Sibling[] {
  const { siblings, owners } = family;
  const known = [...lineage.closed, ...openFollowers(lineage), ...(current ? [current] : [])];
  if (known.length === 0) return [];
  // A file that was empty when it was last seen is no landmark: it may have been filled, copied and emptied since.
  const isLandmark = (sibling: Sibling): boolean => {
    const owner = owners.get(sibling);
    return sibling.rotated && owner !== undefined && owner.headLength > 0 && !blank.has(owner);
  };
  const newest = siblings.findLastIndex(isLandmark);
  const since = Math.max(...known.map((follower) => follower.firstSeen));
  const heads = new Set<string>();
  const missed: Sibling[] = [];
  // From the newest back: where a rotation stands there both plain and compressed, the plain one is kept.
  for (const sibling of siblings
    .slice(newest + 1)
    .toReversed()
    .toSorted((a, b) => Number(a.compressed) - Number(b.compressed))) {
    if (!sibling.rotated || owners.has(sibling) || lineage.before.has(sibling.key)) continue;
    // An empty file may be one that was renamed and is written to yet, or a copy of the current one in the making.
    if (sibling.size === 0 && (current !== undefined || sibling.compressed)) continue;
    if (newest < 0 && sibling.mtime < since) continue;
    const head = headOfSibling(sibling).toString('latin1');
    if (sibling.compressed && head === '') {
      if (sibling.size > EMPTY_GZIP) lineage.faults.add('E_SOURCE_COMPRESSED');
      continue;
    }
    if (head !== '' && heads.has(head)) continue;
    heads.add(head);
    missed.push(sibling);
  }
  return siblings.filter((sibling) => missed.includes(sibling));
}

/** Remembers the siblings that are never to be read, as long as they are there. */
export function rememberBefore(lineage: Lineage, family: Family, taken: readonly Sibling[]): void {
  const rest = family.siblings.filter(
    (sibling) => sibling.size > 0 && !family.owners.has(sibling) && !taken.includes(sibling),
  );
  lineage.before = new Set(rest.map((sibling) => sibling.key));
}
