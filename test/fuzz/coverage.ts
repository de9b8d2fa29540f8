// Which blocks of src/ ran, by V8's own counters (docs/decisions/0038). Made before what is to be counted is loaded.
import { Session } from 'node:inspector';

export interface Ran {
  /** Blocks that ran, each by a key of its own. */
  readonly blocks: readonly string[];
  /** How often blocks ran, in sum: time without a clock. */
  readonly steps: number;
}

export interface Coverage {
  /** What ran since the last time it was asked. */
  take(): Ran;
  close(): void;
}

const OURS = new URL('../../src/', import.meta.url).href;

export function startCoverage(): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    take() {
      const blocks: string[] = [];
      let steps = 0;
      // On its own thread a session answers at once.
      session.post('Profiler.takePreciseCoverage', (_error, { result }) => {
        for (const { url, functions } of result) {
          if (!url.startsWith(OURS)) continue;
          const file = url.slice(OURS.length);
          for (const { ranges } of functions)
            for (const { startOffset, endOffset, count } of ranges) {
              if (count === 0) continue;
              blocks.push(`${file}:${startOffset}-${endOffset}`);
              steps += count;
            }
        }
      });
      return { blocks, steps };
    },
    close() {
      session.disconnect();
    },
  };
}
