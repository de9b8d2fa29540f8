// All followed files as one stream of chunks: who is looked at, who is read next, and when to wait.
import { setImmediate as breathe } from 'node:timers/promises';
import { watch as watchFolder } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { Chunk } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import type { FileSources, SourcesOptions, Watch } from './contract.ts';
import { announceMarker, announcePosition, chunkOf } from './chunks.ts';
import { discover, folderOf, isMarker, markerOf } from './discovery.ts';
import { firstOffset } from './first-sight.ts';
import { hasMore, moveTo, readOn, sourceOfId, type Follower, type Reading } from './follower.ts';
import { TAIL } from './identity.ts';
import {
  adopt,
  adoptOrphans,
  createLineage,
  createRegistry,
  disown,
  openFollowers,
  pathsOf,
  patternsOf,
  shareAliases,
  type Lineage,
} from './lineage.ts';
import { READ } from './lines.ts';
import { countLines } from './open.ts';
import { countFaultyLines } from './quality.ts';
import { createRetirement } from './retirement.ts';
import { statusOf } from './status.ts';
import { createTracer } from './trace.ts';
import { createWaker, type WatchFolder } from './waker.ts';

/**
 * Follows files from where the ledger's positions say. Nothing is read before the first `next` or `caughtUp`.
 * `next` is for one caller at a time.
 * @param ports `watch` is the system's unless another is handed in; `portion` says how many bytes to read at once.
 */
export function createSources(
  options: SourcesOptions,
  ports: { clock: Clock; log: Log; watch?: WatchFolder; portion?: () => number },
): FileSources {
  const { stampOf } = options;
  let watches = options.watches;
  const { clock, log } = ports;
  const markers = new Set(options.positions.map(({ id }) => id).filter(isMarker));
  const positions = options.positions.filter(({ id }) => !isMarker(id));
  const registry = createRegistry();
  const announced: Chunk[] = [];
  const buffer = Buffer.allocUnsafe(TAIL + READ);
  /** For looks at files while a chunk whose bytes stand in the buffer waits to be applied. */
  const scratch = Buffer.allocUnsafe(TAIL + READ);
  const announce = (lineage: Lineage, follower: Follower): void => {
    announced.push(announcePosition(lineage, follower, clock, false));
  };
  const tracer = createTracer(registry, clock, announce);
  const retirement = createRetirement(registry, clock, scratch, announce);
  /** What may leave the ledger: whatever followed it was handed out and applied. */
  const forgotten: string[] = [];
  const toLook = new Set<Lineage>();
  const ready = new Set<Lineage>();
  /** Patterns whose files are met for the first time, and who waits for that. */
  const unmet = new Set<string>();
  const onMet: (() => void)[] = [];
  let pathsDue = true;
  /** Other folders may be to be watched: that of a glob, too, which has no file yet. */
  let foldersDue = false;
  let byPath: Map<string, Set<Lineage>> | undefined;
  let begun: Promise<void> | undefined;
  let reading = false;
  let served = 0;
  let closed = false;
  let wake: (() => void) | undefined;

  const waker = createWaker(clock, ports.watch ?? watchFolder, {
    onChange: changed,
    onMove(folder) {
      pathsDue = true;
      for (const lineage of registry.lineages.values())
        if (foldersOf(lineage).includes(folder)) toLook.add(lineage);
      wake?.();
    },
    onPoll() {
      pathsDue = true;
      for (const lineage of registry.lineages.values()) {
        toLook.add(lineage);
        ready.add(lineage);
      }
      wake?.();
    },
    onBlind(folder) {
      log.warn({ folder }, 'folder cannot be watched, polling');
      for (const lineage of registry.lineages.values())
        if (foldersOf(lineage).includes(folder)) lineage.faults.add('E_SOURCE_WATCH');
    },
  });

  /** Writes to files that nobody follows are common in a log folder; they cost this look-up and nothing else. */
  function changed(path: string): void {
    for (const lineage of (byPath ??= indexPaths()).get(path) ?? []) {
      // Perhaps a file that was thought finished has grown, or one that could not be followed can be.
      if (lineage.live?.path !== path) toLook.add(lineage);
      ready.add(lineage);
      wake?.();
    }
  }

  function indexPaths(): Map<string, Set<Lineage>> {
    const index = new Map<string, Set<Lineage>>();
    for (const lineage of registry.lineages.values())
      for (const path of [lineage.source, ...pathsOf(lineage)])
        index.set(path, (index.get(path) ?? new Set()).add(lineage));
    return index;
  }

  function foldersOf(lineage: Lineage): string[] {
    return [dirname(lineage.source), dirname(lineage.realPath)];
  }

  /** @param remembered paths that were followed before: they stay watched though their file is gone, its rest may stand in a sibling. */
  function findPaths(remembered: readonly string[] = []): void {
    [pathsDue, foldersDue] = [false, true];
    for (const watched of discover(watches, [...registry.lineages.keys(), ...remembered])) {
      if (registry.lineages.has(watched.path)) continue;
      const known = watched.patterns.some((pattern) => markers.has(markerOf(pattern)));
      const lineage = createLineage(watched.path, { ...watched, known }, clock);
      lineage.caughtUpOnce = registry.running && known;
      registry.lineages.set(watched.path, lineage);
      toLook.add(lineage);
      log.debug({ source: watched.path }, 'source found');
    }
  }

  /** The first look at everything. */
  async function begin(): Promise<void> {
    findPaths(positions.map(({ id }) => sourceOfId(id)));
    adopt(registry, positions);
    for (const lineage of registry.lineages.values()) lineage.known ||= lineage.closed.length > 0;
    lookAtDue();
    for (const { pattern } of watches) if (!markers.has(markerOf(pattern))) unmet.add(pattern);
    await meet();
    for (const id of markers)
      if (!watches.some(({ pattern }) => markerOf(pattern) === id)) registry.forgotten.push(id);
    registry.running = true;
    for (const lineage of registry.lineages.values()) ready.add(lineage);
  }

  /** Cutoffs of first sights come before any line, the markers of patterns after them. */
  async function meet(): Promise<void> {
    const patterns = [...unmet];
    for (const lineage of [...registry.lineages.values()]) if (lineage.unplaced) await tryPlace(lineage);
    for (const pattern of patterns) {
      // If we die before this is committed, the files are known by their cutoffs, and the rest is met anew.
      announced.push(announceMarker(pattern, clock));
      markers.add(markerOf(pattern));
      unmet.delete(pattern);
    }
    for (const resolve of onMet.splice(0)) resolve();
  }

  /** Synchronous but for what must be read of the disk, which the next look does. */
  function follow(replacing: readonly Watch[]): Promise<void> {
    watches = replacing;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Before the first look there is nothing to change: it finds what is named then.
    if (!begun) return Promise.resolve();
    const named = new Map(discover(watches, registry.lineages.keys()).map((path) => [path.path, path]));
    for (const lineage of registry.lineages.values()) {
      const { patterns = [], start, literal = false } = named.get(lineage.source) ?? {};
      Object.assign(lineage, { patterns, literal, ...(start !== undefined && { start }) });
      toLook.add(lineage);
    }
    findPaths(registry.orphans.map(({ id }) => sourceOfId(id)));
    adoptOrphans(registry);
    for (const lineage of registry.lineages.values()) lineage.known ||= lineage.closed.length > 0;
    shareAliases(registry);
    for (const { pattern } of watches) if (!markers.has(markerOf(pattern))) unmet.add(pattern);
    onMet.push(resolve);
    wake?.();
    return promise;
  }

  /** @returns false where the file could not be read: then it is met for the first time once more. */
  async function tryPlace(lineage: Lineage): Promise<boolean> {
    try {
      await place(lineage);
      return true;
    } catch (error) {
      lineage.unplaced = true;
      failed(lineage, error);
      return false;
    }
  }

  /** First sight: where the file is read from becomes known before its first line does. */
  async function place(lineage: Lineage): Promise<void> {
    const follower = lineage.live;
    lineage.unplaced = false;
    if (follower?.content?.kind !== 'plain') return;
    const { fd } = follower.content;
    const stamp = (line: string): number | undefined => stampOf(patternsOf(lineage), line);
    const offset = firstOffset(fd, follower.size, lineage.start, stamp);
    follower.lines = await countLines(fd, offset, () => breathe());
    if (follower.content?.kind !== 'plain') return;
    moveTo(follower, offset);
    lineage.firstLine = follower.lines + 1;
    // If we die before this is committed, the file is met for the first time once more, and no line was read.
    announced.push(announcePosition(lineage, follower, clock, true));
    log.info({ source: lineage.source, offset }, 'file met for the first time');
  }

  function lookAtDue(): void {
    if (pathsDue && registry.running) findPaths();
    if (toLook.size === 0 && !foldersDue) return;
    foldersDue = false;
    const due = [...toLook];
    toLook.clear();
    byPath = undefined;
    for (const lineage of due) {
      if (lineage.patterns.length > 0) continue;
      disown(registry, lineage);
      ready.delete(lineage);
    }
    for (const lineage of due) {
      if (lineage.patterns.length === 0) continue;
      guard(lineage, () => {
        tracer.look(lineage);
        retirement.review(lineage);
      });
      ready.add(lineage);
    }
    tracer.sweep();
    const folders = new Set(watches.map(({ pattern }) => folderOf(pattern)));
    for (const lineage of registry.lineages.values())
      for (const folder of foldersOf(lineage)) folders.add(folder);
    waker.watch(folders);
  }

  /** One bad file never stops the others: what the system refuses is counted, and tried again at the next poll. */
  function guard<T>(lineage: Lineage, task: () => T): T | undefined {
    try {
      return task();
    } catch (error) {
      failed(lineage, error);
      return undefined;
    }
  }

  function failed(lineage: Lineage, error: unknown): void {
    lineage.faults.add('E_SOURCE_READ');
    log.warn({ source: lineage.source, why: reasonOf(error) }, 'reading failed');
  }

  /** Files at their end go first: what they get is news. Then whoever waits longest. */
  function nextReady(): Lineage | undefined {
    let best: Lineage | undefined;
    for (const lineage of ready) {
      const isBetter =
        !best || (lineage.atEnd === best.atEnd ? lineage.lastServed < best.lastServed : lineage.atEnd);
      if (isBetter) best = lineage;
    }
    return best;
  }

  /** One chunk of a lineage: its oldest file with something to read goes first. */
  async function readLineage(lineage: Lineage): Promise<Chunk | undefined> {
    if (lineage.unplaced && !(await tryPlace(lineage))) {
      ready.delete(lineage); // The next poll tries again.
      return undefined;
    }
    if (announced.length > 0) return announced.shift();
    for (const follower of openFollowers(lineage)) {
      const live = lineage.caughtUpOnce;
      const outcome = await readFollower(lineage, follower);
      if (closed) return undefined;
      if (outcome.kind === 'changed' && follower.content?.kind === 'plain') {
        replaced(lineage, follower);
        return undefined;
      }
      if (outcome.kind === 'unmet') {
        guard(lineage, () => tracer.meet(lineage));
        tracer.sweep();
        if (follower.headLength === 0) ready.delete(lineage); // The next poll tries again.
        return undefined;
      }
      // A compressed file that does not hold what was read of it is no copy, whatever its head says.
      if (outcome.kind === 'changed') lineage.faults.add('E_SOURCE_LOST');
      if (outcome.kind === 'changed' || outcome.kind === 'ended') retirement.finish(lineage, follower);
      if (outcome.kind !== 'lines') continue;
      lineage.lastServed = ++served;
      lineage.atEnd = outcome.atEnd;
      if (outcome.atEnd && follower === lineage.live) lineage.caughtUpOnce = true;
      follower.quietSince = clock.monotonic();
      count(lineage, follower, outcome);
      return chunkOf(lineage, follower, outcome.cut, clock.now(), live && outcome.atEnd);
    }
    ready.delete(lineage);
    lineage.atEnd = true;
    if (lineage.live) lineage.caughtUpOnce = true;
    return undefined;
  }

  async function readFollower(lineage: Lineage, follower: Follower): Promise<Reading> {
    try {
      return await readOn(follower, buffer, ports.portion?.());
    } catch (error) {
      if (follower.content?.kind === 'gzip') {
        lineage.faults.add('E_SOURCE_COMPRESSED');
        return { kind: 'ended' };
      }
      failed(lineage, error);
      return { kind: 'nothing' };
    }
  }

  function replaced(lineage: Lineage, follower: Follower): void {
    log.info({ source: lineage.source, file: follower.path }, 'file was truncated or replaced');
    guard(lineage, () => tracer.replaced(lineage, follower));
    tracer.sweep();
    ready.add(lineage);
  }

  function count(lineage: Lineage, follower: Follower, outcome: Reading & { kind: 'lines' }): void {
    const { cut, bytes } = outcome;
    lineage.firstLine ??= follower.lines - cut.lines + 1;
    lineage.lines += cut.lines;
    lineage.skipped += cut.skipped;
    if (cut.skipped > 0) lineage.faults.add('E_SOURCE_LONG_LINE', cut.skipped);
    if (cut.lines > 0) countFaultyLines(bytes, lineage.faults);
  }

  async function next(): Promise<Chunk | undefined> {
    await (begun ??= begin());
    // Between two chunks the event loop gets its turn: a backlog must not silence the sockets.
    if (ready.size > 0 || announced.length > 0) await breathe();
    while (!closed) {
      // Whoever asks for the next chunk has applied the one before. If we die after a row left the ledger, the row of
      // the file that took its place is in it: the next start knows that there was a rotation.
      if (announced.length === 0) forgotten.push(...registry.forgotten.splice(0));
      lookAtDue();
      if (onMet.length > 0) await meet();
      const lineage = announced.length > 0 ? undefined : nextReady();
      if (announced.length > 0) return announced.shift();
      if (lineage) {
        reading = true;
        try {
          const chunk = await readLineage(lineage);
          if (chunk) return chunk;
        } finally {
          reading = false;
        }
        continue;
      }
      await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
    return undefined;
  }

  async function caughtUp(): Promise<boolean> {
    await (begun ??= begin());
    if (closed) return true;
    if (reading) return false;
    pathsDue = true;
    for (const lineage of registry.lineages.values()) toLook.add(lineage);
    lookAtDue();
    let done = announced.length + unmet.size === 0;
    for (const lineage of registry.lineages.values()) {
      const waits =
        lineage.unplaced ||
        openFollowers(lineage).some((one) => guard(lineage, () => hasMore(one, scratch)) ?? false);
      if (!waits) {
        lineage.caughtUpOnce ||= lineage.live !== undefined;
        continue;
      }
      ready.add(lineage);
      done = false;
    }
    if (!done) wake?.();
    return done;
  }

  return {
    next,
    caughtUp,
    follow,
    status: () => statusOf(registry.lineages.values(), watches),
    takeForgotten: () => forgotten.splice(0),
    async close() {
      if (closed) return;
      closed = true;
      waker.close();
      for (const lineage of registry.lineages.values()) retirement.release(lineage);
      for (const resolve of onMet.splice(0)) resolve();
      wake?.();
    },
  };
}
