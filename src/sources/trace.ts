// Which files stand behind a watched path, and in which order they are read. The same at start and while running:
// a rotation that was missed for a millisecond and one that was missed for a week differ in nothing.
import { closeSync } from 'node:fs';
import type { Clock } from '../ports.ts';
import {
  freshFollower,
  idFor,
  isBeginningOf,
  isReplaced,
  isSameFile,
  refreshHead,
  setHead,
  type Follower,
} from './follower.ts';
import { glance, noteBlank, type Glance } from './glance.ts';
import { gunzippedSize } from './gzip.ts';
import { isSameHead } from './identity.ts';
import {
  claim,
  closeFollower,
  forget,
  idleFollowers,
  isRotatedPath,
  openFollower,
  openFollowers,
  type Lineage,
  type Registry,
} from './lineage.ts';
import { fileHasTail, openLog, readAt, type Opened } from './open.ts';
import { siblingsOf, type Sibling } from './rotation.ts';
import {
  familyOf,
  LOOKS,
  missedRotations,
  namesOf,
  rememberBefore,
  relatives,
  type Family,
} from './siblings.ts';

export interface Tracer {
  /** Looks at what stands at the path now, and arranges what is read next. */
  look(lineage: Lineage): void;
  /** The live file's content was replaced in place: what was read of it may live on in a copy. */
  replaced(lineage: Lineage, follower: Follower): void;
  /**
   * A file that was empty has got bytes: these may be the second ones, and the first stand in a copy that is known by
   * nothing. The head is noted first; what is truncated after that is known by it.
   */
  meet(lineage: Lineage): void;
  /** Forgets known files that no look found anywhere; for after every path was looked at. */
  sweep(): void;
}

/** @param announce is told of each file that is new at a path: its row must be in the ledger before its forerunner's leaves it. */
export function createTracer(
  registry: Registry,
  clock: Clock,
  announce: (lineage: Lineage, follower: Follower) => void,
): Tracer {
  /**
   * @param isShelved whether a known file was found replaced and may be read on elsewhere.
   * @param retries how often it looks anew, where a rotation is under way.
   */
  function look(lineage: Lineage, isShelved = false, retries = LOOKS): void {
    const at = glance(lineage.source);
    let isDue = isShelved || !lineage.looked;
    lineage.looked = true;
    for (const follower of openFollowers(lineage).filter(isReplaced)) {
      shelve(lineage, follower);
      isDue = true;
    }
    if (at.outcome !== 'file') {
      block(lineage, at.outcome === 'refused' ? at.code : undefined);
      lineage.missingSince ??= clock.monotonic();
      // A file may have come and been rotated away between two looks: its forerunners tell what is new.
      displace(lineage);
      lineage.alias = undefined;
      return arrive(lineage, at, undefined, retries);
    }
    lineage.missingSince = undefined;
    lineage.vanished = false;
    if (lineage.live?.content?.key === at.key) {
      block(lineage, undefined);
      const isUnsure = lineage.live.headLength === 0 && !isUntouched(lineage, at);
      return isDue || isUnsure ? arrive(lineage, at, undefined, retries) : undefined;
    }
    if (lineage.alias === at.key && registry.open.has(at.key) && !isDue) return;
    displace(lineage);
    lineage.alias = undefined;
    const opened = openLog(lineage.source);
    block(lineage, opened.outcome === 'refused' ? opened.code : undefined);
    if (opened.outcome !== 'opened') return isDue ? arrive(lineage, opened, undefined, retries) : undefined;
    const { file } = opened;
    lineage.realPath = file.path;
    const owner = registry.open.get(file.key);
    const here = { ...at, key: file.key };
    if (!owner) return arrive(lineage, here, file, retries);
    // The file is read already, under another name or as the one that was here before.
    closeSync(file.fd);
    if (owner.lineage === lineage) {
      lineage.older = lineage.older.filter((one) => one !== owner.follower);
      lineage.live = owner.follower;
      owner.follower.path = file.path;
    } else {
      lineage.alias = file.key;
      owner.lineage.aliasPatterns = [...new Set([...owner.lineage.aliasPatterns, ...lineage.patterns])];
    }
    arrive(lineage, here, undefined, retries);
  }

  function isUntouched(lineage: Lineage, at: Glance & { readonly outcome: 'file' }): boolean {
    const { blank, isUntouched: isSame } = noteBlank(lineage.blank, at, clock.monotonic());
    lineage.blank = blank;
    return isSame;
  }

  /**
   * Two notes are taken before the folder is listed: the heads of the open files, and what stands at the path. If both
   * hold afterwards, whatever was rotated or copied away is in the list, and what comes later will be noticed by them.
   * @param at what stands at the path, be it read here or elsewhere.
   * @param file the same, where nobody has it open.
   */
  function arrive(lineage: Lineage, at: Glance, file: Opened | undefined, retries: number): void {
    let itself = file && knownInPlace(file);
    if (itself) claim(registry, itself);
    // Where the content at the path is known, no rotation was missed.
    const current = itself ?? lineage.live;
    const isKnown = current !== undefined && current.headLength > 0;
    // Of what was empty at the last look nobody knows what it held in between.
    const open = relatives(registry, lineage).flatMap(openFollowers);
    const blank = new Set(open.filter(({ headLength }) => headLength === 0));
    open.forEach(refreshHead);
    const family = familyOf(registry, lineage, file?.path ?? lineage.realPath, file);
    if (retries > 0 && !isSettled(lineage, at, file)) {
      if (itself) lineage.closed.push(itself);
      if (file) closeSync(file.fd);
      return look(lineage, true, retries - 1);
    }
    const missed = isKnown ? [] : missedRotations(lineage, family, current, blank);
    rememberBefore(lineage, family, missed);
    const unannounced = new Set(lineage.older.filter((one) => blank.has(one) && one.headLength > 0));
    resume(lineage, family, unannounced);
    for (const sibling of missed) readFromStart(lineage, family, sibling, unannounced);
    // The oldest first, and all of them before the live file: a row in the ledger makes everything older than it old.
    // And with its head: if we die with a successor's row in the ledger and this one's without, a copy of this file
    // could not be told from a stranger.
    for (const follower of lineage.older) if (unannounced.has(follower)) announce(lineage, follower);
    if (file) {
      const shrunk = itself ? undefined : shrunkInPlace(lineage, file, family);
      itself ??= shrunk ?? rewrittenInPlace(lineage, file, family);
      // Truncated since it was recognised: what was read of it stands in a copy now.
      if (itself && !goOn(lineage, itself, file, shrunk !== undefined))
        return look(lineage, true, retries - 1);
      if (!itself) begin(lineage, file);
    }
    setAdrift(lineage, family, at.outcome === 'file');
    lineage.known = lineage.known || lineage.blockedBy === undefined;
  }

  /** Whether the same stands at the path and in the open files as before the folder was listed. */
  function isSettled(lineage: Lineage, at: Glance, file: Opened | undefined): boolean {
    const now = glance(lineage.source);
    if (now.outcome !== at.outcome) return false;
    if (now.outcome === 'file' && at.outcome === 'file' && now.key !== at.key) return false;
    if (openFollowers(lineage).some(isReplaced)) return false;
    return !file || readAt(file.fd, 0, file.head.length).equals(file.head);
  }

  /** The content of an open file is gone from it; a copy may hold the rest. */
  function shelve(lineage: Lineage, follower: Follower): void {
    closeFollower(registry, follower);
    lineage.older = lineage.older.filter((one) => one !== follower);
    if (lineage.live === follower) lineage.live = undefined;
    lineage.unplaced = false;
    lineage.closed.push(follower);
  }

  /** The live file is not at its path any more. Whoever writes to it may do so for a while. */
  function displace(lineage: Lineage): void {
    if (!lineage.live) return;
    lineage.live.quietSince = clock.monotonic();
    lineage.older.push(lineage.live);
    lineage.live = undefined;
    lineage.unplaced = false;
  }

  /** A known file with this very inode, head and tail. Inodes are given again, so the inode alone proves nothing. */
  function knownInPlace(file: Opened): Follower | undefined {
    let best: Follower | undefined;
    for (const idle of idleFollowers(registry)) {
      if (!isSameFile(idle, file)) continue;
      if (!best || idle.offset > best.offset) best = idle;
    }
    return best;
  }

  /**
   * Same inode, same head, but shorter, and no copy that holds what is missing (that would be copytruncate): the end
   * was lost in a power cut.
   */
  function shrunkInPlace(lineage: Lineage, file: Opened, family: Family): Follower | undefined {
    return lineage.closed.find(
      (idle) =>
        idle.inode === file.inode &&
        !idle.finished &&
        file.size < idle.offset &&
        !family.places.has(idle) &&
        isSameHead(idle, file.head),
    );
  }

  /** Another inode with the known content at the same path: restored from a backup, or rewritten by an editor. */
  function rewrittenInPlace(lineage: Lineage, file: Opened, family: Family): Follower | undefined {
    return lineage.closed.find(
      (idle) =>
        !family.places.has(idle) &&
        isSameHead(idle, file.head) &&
        fileHasTail(file.fd, idle.offset, idle.tailHash),
    );
  }

  /** @returns false where the file is not any more what it was recognised by. */
  function goOn(lineage: Lineage, follower: Follower, file: Opened, shrunk: boolean): boolean {
    claim(registry, follower);
    const before = { ...follower };
    if (shrunk) follower.offset = file.size;
    openFollower(registry, lineage, follower, file);
    lineage.live = follower;
    const isKept = before.headLength === 0 || isSameHead(before, follower.head);
    if (!shrunk && isKept && follower.tailHash === before.tailHash) return true;
    const { headLength, headHash, head, offset, tailHash, tail } = before;
    const proof = { headLength, headHash, head, offset, tailHash, tail };
    if (!shrunk) {
      Object.assign(follower, proof);
      shelve(lineage, follower);
      return false;
    }
    if (registry.running && !endsLine(file)) {
      // A writer that truncates and begins anew looks the same until its line is whole. Nothing is lost by waiting.
      Object.assign(follower, { ...proof, undecidedAt: file.size });
      return true;
    }
    follower.skipping = false;
    lineage.faults.add('E_SOURCE_SHRUNK');
    return true;
  }

  /** A file that nobody knows stands at the path. */
  function begin(lineage: Lineage, file: Opened): void {
    const original = originalOf(lineage, file);
    lineage.copyOf = original;
    if (original?.content) {
      // A copy, perhaps in the making: its original gives these lines. If the original is truncated, its lineage
      // goes on in this copy.
      closeSync(file.fd);
      return;
    }
    const follower = freshFollower(idFor(lineage.source, file, (id) => registry.ids.has(id)));
    registry.ids.add(follower.id);
    const fresh = { ...follower, firstSeen: file.mtime };
    if (original)
      Object.assign(fresh, { offset: original.offset, lines: original.lines, skipping: original.skipping });
    openFollower(registry, lineage, fresh, file);
    lineage.live = fresh;
    lineage.unplaced = !lineage.known && !original;
    if (!lineage.unplaced) announce(lineage, fresh);
  }

  /** The known file, of whichever path, that a file with a rotated name is a copy of. */
  function originalOf(lineage: Lineage, file: Opened): Follower | undefined {
    const isFurther = (one: Follower): boolean =>
      isSameHead(one, file.head) && fileHasTail(file.fd, one.offset, one.tailHash);
    for (const other of registry.lineages.values()) {
      if (other === lineage || !isRotatedPath(file.path, other.realPath)) continue;
      const tailOf = (from: number): Buffer => readAt(file.fd, from, file.size - from);
      const open = openFollowers(other).find((one) => isBeginningOf(one, file.head, file.size, tailOf));
      const known = open ?? other.closed.find(isFurther);
      if (known) return known;
    }
    return lineage.copyOf && isFurther(lineage.copyOf) ? lineage.copyOf : undefined;
  }

  /** Known files found in siblings are read on there, the oldest first. */
  function resume(lineage: Lineage, family: Family, unannounced: Set<Follower>): void {
    for (const sibling of family.siblings) {
      const follower = [...family.places].find(([, place]) => place === sibling)?.[0];
      if (!follower || !(lineage.closed.includes(follower) || registry.orphans.includes(follower))) continue;
      follower.path = sibling.path;
      if (follower.finished && !hasGrown(lineage, follower, sibling)) continue;
      const file = openSibling(lineage, sibling);
      if (!file) continue;
      claim(registry, follower);
      if (!sibling.compressed && file.size < follower.offset) {
        follower.offset = file.size;
        follower.skipping = false;
        lineage.faults.add('E_SOURCE_SHRUNK');
      }
      openFollower(registry, lineage, follower, file, sibling.compressed);
      insertOlder(lineage, family, follower, sibling);
      if (follower.offset === 0) unannounced.add(follower);
    }
  }

  /** Whether a finished file was written to after it was thought finished, as far as its size tells. */
  function hasGrown(lineage: Lineage, follower: Follower, sibling: Sibling): boolean {
    if (!sibling.compressed) return sibling.size > follower.offset;
    return !lineage.before.has(sibling.life) && gunzippedSize(sibling.path) !== follower.offset % 2 ** 32;
  }

  function readFromStart(
    lineage: Lineage,
    family: Family,
    sibling: Sibling,
    unannounced: Set<Follower>,
  ): void {
    const file = openSibling(lineage, sibling);
    if (!file) return;
    const follower = freshFollower(idFor(lineage.source, file, (id) => registry.ids.has(id)));
    registry.ids.add(follower.id);
    const fresh = { ...follower, firstSeen: file.mtime };
    openFollower(registry, lineage, fresh, file, sibling.compressed);
    if (sibling.compressed) setHead(fresh, family.headOf(sibling));
    insertOlder(lineage, family, fresh, sibling);
    unannounced.add(fresh);
  }

  /** Renamed since the folder was looked at, the file is known by what it is, not by its name. */
  function openSibling(lineage: Lineage, sibling: Sibling): Opened | undefined {
    if (registry.open.has(sibling.key)) return undefined;
    let before: string | undefined;
    for (let path: string | undefined = sibling.path, tries = 0; tries < LOOKS; tries++) {
      const opened = openLog(path ?? sibling.path);
      if (opened.outcome === 'refused') lineage.faults.add(opened.code);
      if (opened.outcome === 'refused') return undefined;
      if (opened.outcome === 'opened') {
        if (opened.file.key === sibling.key) return opened.file;
        closeSync(opened.file.fd);
      }
      const listed = siblingsOf(sibling.path) ?? [];
      path = listed.find(({ key }) => key === sibling.key)?.path;
      // While names change, a list may lack a file that is there. It is gone when two lists say so.
      const names = namesOf(listed);
      if (!path && names === before) return undefined;
      before = names;
    }
    return undefined;
  }

  function insertOlder(lineage: Lineage, family: Family, follower: Follower, sibling: Sibling): void {
    follower.quietSince = clock.monotonic();
    const rank = family.siblings.indexOf(sibling);
    // Its name may be a compressed copy's by now, while we have the file open.
    const rankOf = (one: Follower): number =>
      family.siblings.findIndex((each) => each.key === one.content?.key || family.owners.get(each) === one);
    const at = lineage.older.findIndex((one) => rankOf(one) > rank);
    lineage.older.splice(at < 0 ? lineage.older.length : at, 0, follower);
  }

  /** A known file that stands nowhere is gone, once something else stands at its path. */
  function setAdrift(lineage: Lineage, family: Family, occupied: boolean): void {
    if (!occupied || !family.readable) return;
    lineage.adrift.push(...lineage.closed.filter((idle) => !family.places.has(idle)));
    lineage.closed = lineage.closed.filter((idle) => family.places.has(idle));
  }

  return {
    look,
    replaced(lineage, follower) {
      shelve(lineage, follower);
      look(lineage, true);
    },
    meet: (lineage) => look(lineage, true),
    sweep() {
      for (const lineage of registry.lineages.values()) {
        for (const follower of lineage.adrift) {
          // In memory the size tells of bytes that were seen and not read. After a restart nobody knows.
          if (follower.size > follower.offset) lineage.faults.add('E_SOURCE_LOST');
          forget(registry, follower);
        }
        lineage.adrift = [];
      }
    },
  };
}

function block(lineage: Lineage, code: Lineage['blockedBy']): void {
  // Counted when it begins, not each time that somebody looks.
  if (code && code !== lineage.blockedBy) lineage.faults.add(code);
  lineage.blockedBy = code;
}

function endsLine(file: Opened): boolean {
  return readAt(file.fd, file.size - 1, 1)[0] === 10;
}
