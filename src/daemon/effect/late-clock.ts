// Lines of a sentence that is over by our clock, stamped as if it were not: their writer's clock, or zone, is behind.
import type { Duration, Instant } from '../../model.ts';

/** Less than this may be a slow log. */
const NOTICEABLE: Duration = 30_000;
const ENOUGH = 3;
/** Lines must come one after the other: many at once were only kept back. */
const SPAN: Duration = 5_000;
const MOST = 1_000;

interface Trail {
  lines: number;
  readonly firstAt: Instant;
  readonly firstArrival: Instant;
}

export interface LateClock {
  /** @param key who it is about. @returns by how much the clock is behind, once that is beyond doubt. */
  note(key: string, at: Instant, arrival: Instant): Duration | undefined;
}

export function createLateClock(): LateClock {
  const trails = new Map<string, Trail>();
  return {
    note(key, at, arrival) {
      const lag = arrival - at;
      if (lag < NOTICEABLE) return undefined;
      const trail = trails.get(key) ?? { lines: 0, firstAt: at, firstArrival: arrival };
      if (trails.size >= MOST && !trails.has(key)) trails.clear();
      trails.set(key, trail);
      trail.lines++;
      const span = arrival - trail.firstArrival;
      if (trail.lines < ENOUGH || span < SPAN) return undefined;
      // Stamps that go on as the clock does.
      const isSteady = Math.abs(at - trail.firstAt - span) <= Math.max(2_000, span / 2);
      trails.delete(key);
      return isSteady ? lag : undefined;
    },
  };
}
