// What is wrong at the moment, as status shows it: a code, a sentence, how often, since when.
import type { Clock } from '../ports.ts';
import type { Instant } from '../model.ts';

export interface ActiveFault {
  readonly code: string;
  /** One sentence for an administrator, with what mends it. No hostile text. */
  readonly message: string;
  readonly count: number;
  readonly since: Instant;
}

export interface Faults {
  /** Counts a fault up; the newest message stands. */
  raise(code: string, message: string): void;
  /** The fault is mended. Harmless where there was none. */
  clear(code: string): void;
  list(): readonly ActiveFault[];
}

export function createFaults(clock: Clock): Faults {
  const active = new Map<string, ActiveFault>();
  return {
    raise(code, message) {
      const known = active.get(code);
      active.set(code, { code, message, count: (known?.count ?? 0) + 1, since: known?.since ?? clock.now() });
    },
    clear: (code) => void active.delete(code),
    list: () => [...active.values()],
  };
}
