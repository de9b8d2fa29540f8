// What the tests of this room share: a folder, a clock that moves by hand, and a ledger of two variables.
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setImmediate as breathe } from 'node:timers/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Chunk, FilePosition } from '../../src/model.ts';
import { silentLog, type Clock } from '../../src/ports.ts';
import type { FileSources, SourcesOptions, Start, Watch } from '../../src/sources/contract.ts';
import { createSources } from '../../src/sources/index.ts';
import type { WatchFolder } from '../../src/sources/waker.ts';

export interface HandClock extends Clock {
  /** Moves on and runs what is due. */
  advance(by: number): void;
  /** Moves on a second at a time, until something is settled. */
  advanceUntil(settled: Promise<unknown>): Promise<void>;
}

export function handClock(start = Date.parse('2025-01-05T10:00:00Z')): HandClock {
  let at = 0;
  let tasks: { due: number; task: () => void }[] = [];
  const clock: HandClock = {
    now: () => start + at,
    monotonic: () => at,
    schedule(after, task) {
      const entry = { due: at + after, task };
      tasks.push(entry);
      return () => (tasks = tasks.filter((one) => one !== entry));
    },
    advance(by) {
      at += by;
      const due = tasks.filter((one) => one.due <= at);
      tasks = tasks.filter((one) => one.due > at);
      for (const { task } of due) task();
    },
    async advanceUntil(settled) {
      let isSettled = false;
      void settled.finally(() => (isSettled = true));
      while (!isSettled) {
        await breathe();
        clock.advance(1_000);
      }
    },
  };
  return clock;
}

export function temporaryFolder(): { path: string; file: (name: string) => string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'bailiff-sources-'));
  return {
    path,
    file: (name) => join(path, name),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A folder for the test that asks, and its reader, once it is begun; both end with it. */
export function stage(): { file: (name: string) => string; begin: (...watches: string[]) => Reader } {
  const folder = temporaryFolder();
  let reader: Reader | undefined;
  onTestFinished(async () => {
    await reader?.stop();
    folder.remove();
  });
  const begin = (...watches: string[]): Reader => {
    reader = createReader(watches);
    reader.start();
    return reader;
  };
  return { file: folder.file, begin };
}

/** Until the file system's clock has moved on, which it does in steps of some milliseconds. @param spare a path to write to. */
export function untilStampsDiffer(spare: string): void {
  writeFileSync(spare, '');
  const { ctimeMs: before } = statSync(spare);
  while (statSync(spare).ctimeMs < before + 1.5) utimesSync(spare, 0, 0);
  rmSync(spare);
}

/** A reader with a memory that it can lose: what was applied, and what of it was committed. */
export interface Reader {
  readonly clock: HandClock;
  readonly chunks: Chunk[];
  /** The applied lines, without their ends. */
  lines(): string[];
  sources(): FileSources;
  start(): void;
  /** Takes up to so many chunks, as long as there are any. */
  take(limit?: number): Promise<void>;
  commit(): void;
  /** Ends; with `crash` all that was not committed is forgotten. */
  stop(crash?: boolean): Promise<void>;
  positions(): FilePosition[];
}

export function createReader(
  watches: readonly (string | Watch)[],
  options: Partial<SourcesOptions> & { start?: Start; watch?: WatchFolder } = {},
): Reader {
  const clock = handClock();
  let sources: FileSources | undefined;
  let applied: Chunk[] = [];
  let positions = new Map<string, FilePosition>();
  let committed = { chunks: 0, positions };
  const chunks: Chunk[] = [];
  const named = watches.map((watch) =>
    typeof watch === 'string' ? { pattern: watch, start: options.start ?? ('beginning' as const) } : watch,
  );
  const reader: Reader = {
    clock,
    chunks,
    lines: () => applied.flatMap(({ text }) => text.split('\n').slice(0, -1)),
    sources: () => sources!,
    start() {
      sources = createSources(
        { watches: named, positions: [...positions.values()], stampOf: options.stampOf ?? (() => undefined) },
        { clock, log: silentLog, ...(options.watch && { watch: options.watch }) },
      );
    },
    async take(limit = Infinity) {
      for (let taken = 0; taken < limit && !(await sources!.caughtUp());) {
        const chunk = await sources!.next();
        if (!chunk) return;
        taken++;
        // Its bytes are good until the next one is asked for.
        const kept = { ...chunk, bytes: undefined };
        chunks.push(kept);
        applied.push(kept);
        if (chunk.position?.kind === 'file') positions.set(chunk.position.id, chunk.position);
        if (chunk.commitFirst) reader.commit();
      }
    },
    commit() {
      for (const id of sources?.takeForgotten() ?? []) positions.delete(id);
      committed = { chunks: applied.length, positions: new Map(positions) };
    },
    async stop(crash = false) {
      if (!crash) reader.commit();
      await sources?.close();
      sources = undefined;
      applied = applied.slice(0, committed.chunks);
      positions = new Map(committed.positions);
    },
    positions: () => [...positions.values()],
  };
  return reader;
}
