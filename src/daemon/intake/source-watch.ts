// What the daemon notices about its sources beside their lines: stamps that can't be right, lines of an unknown form.
import { lengthOf, sliceOf, startOfLine } from '../../lines.ts';
import type { Chunk, Instant } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import { createFaults } from '../telling/faults.ts';
import type { Faults } from '../telling/faults.ts';
import { createMisfits } from './misfits.ts';
import type { Misfits } from './misfits.ts';
import type { Journey } from '../pipeline.ts';
import { createSkew } from './skew.ts';
import type { Skew } from './skew.ts';

/** How many lines of a live chunk are asked for their stamp. */
const SAMPLES = 8;

export interface SourceWatch {
  observe(chunk: Chunk, journey: Journey): void;
  /** Forgets what it knows of sources that are not among these. */
  retain(ids: Iterable<string>): void;
  /** By the path that is watched. */
  readonly faults: ReadonlyMap<string, Faults>;
}

export function createSourceWatch(
  stampOf: (patterns: readonly string[], line: string) => Instant | undefined,
  clock: Clock,
): SourceWatch {
  const faults = new Map<string, Faults>();
  const skews = new Map<string, Skew>();
  const misfits = new Map<string, Misfits>();

  function faultsOf(source: string): Faults {
    const known = faults.get(source) ?? createFaults(clock);
    faults.set(source, known);
    return known;
  }

  function observeStamps(chunk: Chunk): void {
    const skew = skews.get(chunk.source) ?? createSkew();
    skews.set(chunk.source, skew);
    for (const line of someLines(chunk)) {
      const stamp = stampOf(chunk.patterns, line);
      if (stamp !== undefined) skew.observe(chunk.arrivedAt, stamp);
    }
    const message = skew.fault();
    if (message === undefined) faults.get(chunk.source)?.clear('W_CLOCK_SKEW');
    else faultsOf(chunk.source).raise('W_CLOCK_SKEW', message);
  }

  function observeForm({ source }: Chunk, { candidates, unframed }: Journey): void {
    const misfit = misfits.get(source) ?? createMisfits();
    misfits.set(source, misfit);
    misfit.observe(candidates, unframed);
    if (!misfit.isFault()) faults.get(source)?.clear('E_SOURCE_UNFRAMED');
    else
      faultsOf(source).raise(
        'E_SOURCE_UNFRAMED',
        'Most lines of this log are not of the form that its filters expect, so that they match nothing. Say in "logFormat" how an access log is written, or name a filter that reads this log; `bailiff explain LINE` tells what is missing.',
      );
  }

  return {
    faults,
    retain(ids) {
      const known = new Set(ids);
      for (const each of [faults, skews, misfits])
        for (const id of each.keys()) if (!known.has(id)) each.delete(id);
    },
    observe(chunk, journey) {
      if (journey.fromTheFuture > 0)
        faultsOf(chunk.source).raise(
          'W_STAMP_FUTURE',
          'Lines are stamped more than five minutes ahead of the clock; their arrival counts instead. Is "zone" right for this log?',
        );
      else if (chunk.live && journey.matches > 0) faults.get(chunk.source)?.clear('W_STAMP_FUTURE');
      if (journey.broken > 0)
        faultsOf(chunk.source).raise(
          'E_LINE_DEFECT',
          'A filter broke on a line, which was passed over. That is a defect in Bailiff: please report it.',
        );
      if (chunk.lines > 0) observeForm(chunk, journey);
      if (chunk.live && chunk.lines > 0) observeStamps(chunk);
    },
  };
}

/** The last lines of a chunk, which are the newest: at most SAMPLES of them. */
function someLines(chunk: Chunk): string[] {
  const lines: string[] = [];
  let end = lengthOf(chunk) - 1;
  while (end > 0 && lines.length < SAMPLES) {
    const start = startOfLine(chunk, end);
    lines.push(sliceOf(chunk, start, Math.min(end, start + 512)));
    end = start - 1;
  }
  return lines.toReversed();
}
