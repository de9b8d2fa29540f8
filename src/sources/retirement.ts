// When a file that was rotated away is let go, and when it is taken up again.
import { closeSync, statSync } from 'node:fs';
import type { Clock } from '../ports.ts';
import { hasMore, isSameFile, isUnlinked, type Follower } from './follower.ts';
import {
  claim,
  closeFollower,
  forget,
  openFollower,
  openFollowers,
  type Lineage,
  type Registry,
} from './lineage.ts';
import { openLog } from './open.ts';

/** A rotated file that nobody wrote to for so long is taken for finished. */
const QUIET = 30_000;
/** A path without a file for so long is a fault and not a rotation. */
const VANISHED = 5_000;
/** Rotated files of one path that are kept open; beyond it those read to their end are closed at once. */
const OPEN = 16;
/** A member of a glob without a file for so long is no source any more. */
const DROPPED = 3_600_000;

export interface Retirement {
  /** Lets go what is quiet, takes up again what has grown, drops what is gone. */
  review(lineage: Lineage): void;
  /** A file was read to its end and can't grow. */
  finish(lineage: Lineage, follower: Follower): void;
  /** Closes all that a lineage has open. */
  release(lineage: Lineage): void;
}

/**
 * @param buffer room for one read.
 * @param announce is told of each finished file, so that the ledger knows too.
 */
export function createRetirement(
  registry: Registry,
  clock: Clock,
  buffer: Buffer,
  announce: (lineage: Lineage, follower: Follower) => void,
): Retirement {
  function finish(lineage: Lineage, follower: Follower): void {
    lineage.older = lineage.older.filter((one) => one !== follower);
    // Of an empty file that has no name any more no copy can be recognised.
    if (follower.headLength === 0 && isUnlinked(follower)) return forget(registry, follower);
    // Even if it was damaged and nothing of it is known: it is not begun again.
    if (follower.content?.kind === 'gzip')
      lineage.before = new Set([...lineage.before, follower.content.life]);
    closeFollower(registry, follower);
    follower.finished = true;
    lineage.closed.push(follower);
    announce(lineage, follower);
  }

  function isReadToItsEnd(follower: Follower): boolean {
    return follower.content?.kind === 'plain' && !hasMore(follower, buffer);
  }

  function letGo(lineage: Lineage): void {
    const now = clock.monotonic();
    let open = lineage.older.length;
    for (const follower of [...lineage.older]) {
      const { size } = follower;
      if (!isReadToItsEnd(follower)) continue;
      if (follower.size !== size) follower.quietSince = now;
      if (now - follower.quietSince < QUIET && open <= OPEN) continue;
      finish(lineage, follower);
      open--;
    }
  }

  /** An application that never reopens its log writes to the renamed file for ever, if slowly. */
  function takeUp(lineage: Lineage): void {
    for (const follower of lineage.closed) {
      if (!follower.finished) continue;
      const stat = statSync(follower.path, { throwIfNoEntry: false });
      if (!stat || String(stat.ino) !== follower.inode || stat.size === follower.size) continue;
      const opened = openLog(follower.path);
      if (opened.outcome !== 'opened') continue;
      const { file } = opened;
      if (registry.open.has(file.key) || !isSameFile(follower, file)) {
        closeSync(file.fd);
        continue;
      }
      claim(registry, follower);
      openFollower(registry, lineage, follower, file);
      follower.quietSince = clock.monotonic();
      lineage.older.push(follower);
    }
  }

  /** What was not read to its end stays known: its file system may be missing only for now. */
  function drop(lineage: Lineage): void {
    for (const follower of lineage.closed) if (follower.finished) forget(registry, follower);
    lineage.closed = lineage.closed.filter((follower) => !follower.finished);
    if (lineage.older.length + lineage.closed.length === 0) registry.lineages.delete(lineage.source);
  }

  return {
    finish,
    review(lineage) {
      letGo(lineage);
      takeUp(lineage);
      if (lineage.missingSince === undefined) return;
      const missing = clock.monotonic() - lineage.missingSince;
      const isEmpty = lineage.older.length + lineage.closed.length === 0;
      if (missing >= VANISHED && !isEmpty && !lineage.vanished) {
        lineage.vanished = true;
        lineage.faults.add('E_SOURCE_VANISHED');
      }
      if (missing >= DROPPED && !lineage.literal) drop(lineage);
    },
    release(lineage) {
      for (const follower of openFollowers(lineage)) closeFollower(registry, follower);
    },
  };
}
