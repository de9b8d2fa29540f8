// Which known file stands in which sibling of a log, and which siblings are rotations that nobody has read.
import { ageBeside, sortByAge } from './age.ts';
import { isBeginning, isBeginningOf, type Follower } from './follower.ts';
import { isSameHead } from './identity.ts';
import { idleFollowers, isRotatedPath, openFollowers, type Lineage, type Registry } from './lineage.ts';
import type { FileKey, Opened } from './open.ts';
import {
  bytesOf,
  hasTail,
  headOfSibling,
  siblingAt,
  siblingsOf,
  uncompressedName,
  type Sibling,
} from './rotation.ts';

/** A compressed file of this size or less holds nothing but its header. */
const EMPTY_GZIP = 64;

export interface Family {
  /** The oldest first. */
  readonly siblings: readonly Sibling[];
  /** Whose lines a sibling holds; several siblings may hold the same (`.1` and `.1.gz`). */
  readonly owners: ReadonlyMap<Sibling, Follower>;
  /** Known files without a descriptor, and the sibling to read them on in. */
  readonly places: ReadonlyMap<Follower, Sibling>;
  /** Copies of the new file at the path, whole or in the making: it is read itself, and known by its head if it is truncated. */
  readonly copies: ReadonlySet<Sibling>;
  /** The first bytes of what a sibling holds, as they were when it was looked at. */
  readonly headOf: (sibling: Sibling) => Buffer;
  /** Whether the folder could be read: otherwise nothing can be said to be gone. */
  readonly readable: boolean;
}

/** A folder is looked at anew so often, where a rotation is under way in it. */
export const LOOKS = 50;

/**
 * Looks at the folder until nothing was renamed meanwhile: a file that is moved on while it is looked for would be
 * taken for gone.
 * @param file what stands at the path itself, where nobody has it open; no sibling.
 */
export function familyOf(
  registry: Registry,
  lineage: Lineage,
  path: string,
  file: Opened | undefined,
): Family {
  let listed = listSiblings(lineage, path, file?.key);
  for (let looks = 1; ; looks++) {
    const family = recognise(registry, lineage, listed, file);
    const again = listSiblings(lineage, path, file?.key);
    if (looks === LOOKS || namesOf(listed.siblings) === namesOf(again.siblings)) return family;
    listed = again;
  }
}

interface Listing {
  readonly siblings: readonly Sibling[];
  readonly readable: boolean;
}

function listSiblings(lineage: Lineage, path: string, live: FileKey | undefined): Listing {
  const listed = siblingsOf(path);
  const siblings = sortByAge((listed ?? []).filter((sibling) => sibling.key !== live));
  // A link may have been led elsewhere since: a known file is also looked for where it was last seen.
  for (const { path: last } of lineage.closed)
    if (last !== path && !siblings.some((sibling) => sibling.path === last)) {
      const sibling = siblingAt(last, false);
      if (sibling && sibling.key !== live) siblings.unshift(sibling);
    }
  return { siblings, readable: listed !== undefined };
}

/** Which file has which name; the same for two lists, nothing was renamed between them. */
export function namesOf(siblings: readonly Sibling[]): string {
  return siblings
    .map(({ path, key }) => `${key} ${path}`)
    .toSorted()
    .join('\n');
}

function recognise(
  registry: Registry,
  lineage: Lineage,
  { siblings, readable }: Listing,
  file: Opened | undefined,
): Family {
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
  const copies = new Set<Sibling>();
  for (const sibling of siblings) {
    if (!sibling.rotated || owners.has(sibling) || lineage.before.has(sibling.life)) continue;
    const head = headOf(sibling);
    if (file && !sibling.compressed && isCopyInTheMaking(sibling, head, file)) copies.add(sibling);
  }
  return { siblings, owners, places, copies, headOf, readable };
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
    if (lineage.before.has(sibling.life) && !known.some(isLost)) continue;
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

/** Whether a sibling holds the first bytes of a file that nobody has open. */
function isCopyInTheMaking(sibling: Sibling, head: Buffer, file: Opened): boolean {
  if (sibling.size === 0) return sibling.born > file.born;
  return isBeginning(file, head, sibling.size, (from) => bytesOf(sibling, from));
}

/** Whether a sibling is a copy of an open file. A common first line proves nothing here. */
function isCopyOf(sibling: Sibling, follower: Follower, head: Buffer): boolean {
  if (sibling.compressed) return isSameHead(follower, head) && head.length === follower.headLength;
  return isBeginningOf(follower, head, sibling.size, (from) => bytesOf(sibling, from));
}

/**
 * Rotated siblings newer than everything that is known, the oldest first: rotations that nobody saw.
 * What is older than the known files was there before them and is never read. A file whose name and times contradict
 * each other, so that it can't be placed, is a fault.
 * @param current the known file at the path itself, if there is one.
 * @param blank files that were empty when they were last seen.
 */
export function missedRotations(
  lineage: Lineage,
  family: Family,
  current: Follower | undefined,
  blank: ReadonlySet<Follower>,
): Sibling[] {
  const { siblings, owners, copies, headOf } = family;
  const known = [...lineage.closed, ...openFollowers(lineage), ...(current ? [current] : [])];
  if (known.length === 0) return [];
  // A file that was empty when it was last seen is no landmark: it may have been filled, copied and emptied since.
  const isLandmark = (sibling: Sibling): boolean => {
    const owner = owners.get(sibling);
    return sibling.rotated && owner !== undefined && owner.headLength > 0 && !blank.has(owner);
  };
  const newest = siblings.findLastIndex(isLandmark);
  const landmark = siblings[newest];
  const since = Math.max(...known.map((follower) => follower.firstSeen));
  const isNewer = (sibling: Sibling, beside: Sibling): boolean => {
    // In place of what was read of a file that was truncated stands what was written to it after that.
    const isRewritten = !sibling.compressed && known.some(({ inode }) => inode === sibling.inode);
    if (isRewritten && sibling.mtime >= since) return true;
    const age = ageBeside(sibling, beside, owners.get(beside)?.firstSeen ?? since);
    if (age) return age === 'newer';
    const isNamedNewer = siblings.indexOf(sibling) > newest;
    // An old file that somebody still writes to, a missed one restored from a backup: nobody can tell.
    if (!isNamedNewer && !sibling.compressed && sibling.mtime > since)
      lineage.faults.add('E_SOURCE_UNPLACED');
    return isNamedNewer;
  };
  const rotations = new Set<string>();
  const missed: Sibling[] = [];
  // From the newest back: where a rotation stands there both plain and compressed, the plain one is kept.
  for (const sibling of siblings
    .toReversed()
    .toSorted((a, b) => Number(a.compressed) - Number(b.compressed))) {
    if (!sibling.rotated || owners.has(sibling) || lineage.before.has(sibling.life)) continue;
    if (copies.has(sibling)) continue;
    // An empty file may be one that was renamed and is written to yet, or a copy of the current one in the making.
    if (sibling.size === 0 && (current !== undefined || sibling.compressed)) continue;
    if (!landmark && sibling.mtime < since) continue;
    if (landmark && !isNewer(sibling, landmark)) continue;
    const head = headOf(sibling).toString('latin1');
    if (sibling.compressed && head === '') {
      if (sibling.size > EMPTY_GZIP) lineage.faults.add('E_SOURCE_COMPRESSED');
      continue;
    }
    // Different files may well begin alike, with a banner; the same name says that one was made of the other.
    const rotation = `${uncompressedName(sibling.path)}\n${head}`;
    if (rotations.has(rotation)) continue;
    rotations.add(rotation);
    missed.push(sibling);
  }
  return siblings.filter((sibling) => missed.includes(sibling));
}

/** Remembers the siblings that are never to be read, as long as they are there. */
export function rememberBefore(lineage: Lineage, family: Family, taken: readonly Sibling[]): void {
  const rest = family.siblings.filter(
    (sibling) =>
      sibling.size > 0 &&
      !family.owners.has(sibling) &&
      !family.copies.has(sibling) &&
      !taken.includes(sibling),
  );
  lineage.before = new Set(rest.map((sibling) => sibling.life));
}
