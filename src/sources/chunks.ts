// The shapes that leave this room.
import type { Chunk, Instant } from '../model.ts';
import type { Clock } from '../ports.ts';
import { markerOf } from './discovery.ts';
import { freshFollower, positionOf, type Follower } from './follower.ts';
import { patternsOf, type Lineage } from './lineage.ts';
import type { Cut } from './lines.ts';

/** Lines that a follower has just moved past. */
export function chunkOf(
  lineage: Lineage,
  follower: Follower,
  cut: Cut,
  arrivedAt: Instant,
  live: boolean,
): Chunk {
  return {
    source: lineage.source,
    // Whoever applies it asks then: a reload may come in between.
    get patterns() {
      return patternsOf(lineage);
    },
    file: follower.path,
    bytes: cut.bytes,
    get text() {
      return cut.text;
    },
    firstLine: follower.lines - cut.lines + 1,
    lines: cut.lines,
    position: positionOf(follower),
    arrivedAt,
    live,
    commitFirst: false,
  };
}

/** A position that became known without a line. */
export function announcePosition(
  lineage: Lineage,
  follower: Follower,
  clock: Clock,
  commitFirst: boolean,
): Chunk {
  const nothing = { text: '', lines: 0, used: 0, skipped: 0, skipping: false };
  return Object.assign(chunkOf(lineage, follower, nothing, clock.now(), false), { commitFirst });
}

/** Says that a pattern is watched from now on: a file that is unknown at the next start appeared in between. */
export function announceMarker(pattern: string, clock: Clock): Chunk {
  return {
    source: pattern,
    patterns: [pattern],
    file: pattern,
    text: '',
    firstLine: 1,
    lines: 0,
    position: { ...positionOf(freshFollower(markerOf(pattern))), path: pattern },
    arrivedAt: clock.now(),
    live: false,
    commitFirst: true,
  };
}
