// Standard input: lines that come once. Nobody can read them again, so they have no position, and a crash may lose some.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Chunk } from '../model.ts';
import type { Clock, Feed } from '../ports.ts';
import type { SourceStatus, Sources } from './contract.ts';
import { createFaults } from './faults.ts';
import { cutLines } from './lines.ts';
import { countFaultyLines } from './quality.ts';

/** The name that `logs` gives it, and the id of its source. */
export const INPUT = '-';

export interface Input extends Sources {
  /** Reads it from now on, or no more. It is opened when it is wanted for the first time. */
  follow(isWanted: boolean): void;
}

/**
 * Its `next` ends when the input does and its last line was applied.
 * @param open is called once at most.
 */
export function createInput(isWanted: boolean, ports: { clock: Clock; open: () => Feed }): Input {
  const { clock } = ports;
  const faults = createFaults(clock);
  let feed: Feed | undefined;
  let wanted = false;
  let ended = false;
  let closed = false;
  let wake: (() => void) | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  const counted = { lines: 0, skipped: 0 };

  function follow(isWantedNow: boolean): void {
    wanted = isWantedNow;
    if (wanted && !feed) open();
    wake?.();
  }

  function open(): void {
    feed = ports.open();
    feed.onReadable(() => wake?.());
    feed.onEnd(() => {
      ended = true;
      faults.add('E_INPUT_ENDED');
      wake?.();
    });
  }

  /** Whole lines of what has come; at the end of the input the last one too, though no line feed ends it. */
  function read(): Chunk | undefined {
    for (;;) {
      const bytes = feed?.take();
      if (!bytes && !(ended && rest.length > 0)) return undefined;
      const all = bytes ? Buffer.concat([rest, bytes]) : rest;
      const cut = cutLines(all, skipping, !bytes);
      rest = Buffer.from(all.subarray(cut.used));
      skipping = cut.skipping;
      counted.lines += cut.lines;
      counted.skipped += cut.skipped;
      if (cut.skipped > 0) faults.add('E_SOURCE_LONG_LINE', cut.skipped);
      if (cut.lines === 0) continue;
      countFaultyLines(all.subarray(0, cut.used), faults);
      return chunkOf(cut.text, cut.lines);
    }
  }

  function chunkOf(text: string, lines: number): Chunk {
    return {
      source: INPUT,
      patterns: [INPUT],
      file: INPUT,
      text,
      firstLine: counted.lines - lines + 1,
      lines,
      position: undefined,
      arrivedAt: clock.now(),
      // It may be an old log: what its stamps say of the clock, nobody knows.
      live: false,
      commitFirst: false,
    };
  }

  function status(): SourceStatus[] {
    if (!wanted) return [];
    return [
      {
        id: INPUT,
        kind: 'input',
        state: ended ? 'failed' : 'following',
        lag: 0,
        ...counted,
        faults: faults.list(),
      },
    ];
  }

  follow(isWanted);
  return {
    follow,
    async next() {
      await breathe();
      while (!closed) {
        const chunk = wanted ? read() : undefined;
        if (chunk) return chunk;
        if (wanted && ended && rest.length === 0) return undefined;
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
      return undefined;
    },
    async caughtUp() {
      if (!wanted || closed) return true;
      // What lies in the pipe reaches us within a turn of the event loop; what was read of it wakes `next`.
      await breathe();
      await breathe();
      if (ended || feed?.isFile) return ended && rest.length === 0;
      return wake !== undefined;
    },
    status,
    takeForgotten: () => [],
    async close() {
      closed = true;
      feed?.close();
      wake?.();
    },
  };
}
