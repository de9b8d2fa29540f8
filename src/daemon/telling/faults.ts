// What is wrong at the moment, as status shows it: a code, a sentence, how often, since when.
import type { Clock } from '../../ports.ts';
import type { Instant } from '../../model.ts';
import { printable } from '../../text.ts';

export interface ActiveFault {
  readonly code: string;
  /** One sentence for an administrator, with what mends it. No hostile text. */
  readonly message: string;
  readonly count: number;
  readonly since: Instant;
  /** When it was last raised. */
  readonly last: Instant;
}

export interface Faults {
  /** Counts a fault up; the newest message stands. */
  raise(code: string, message: string): void;
  /** The fault is mended. Harmless where there was none. */
  clear(code: string): void;
  list(): readonly ActiveFault[];
}

/** Told when a fault comes to stand, and when it is mended (no message). */
export type OnFault = (code: string, message: string | undefined) => void;

export function createFaults(clock: Clock, onFault: OnFault = () => {}): Faults {
  const active = new Map<string, ActiveFault>();
  return {
    raise(code, message) {
      const known = active.get(code);
      const last = clock.now();
      active.set(code, { code, message, count: (known?.count ?? 0) + 1, since: known?.since ?? last, last });
      if (!known) onFault(code, message);
    },
    clear(code) {
      if (active.delete(code)) onFault(code, undefined);
    },
    list: () => [...active.values()],
  };
}

/** @param to where the damaged ledger stands now. @param rest what became of what it held. */
export function tellSetAside(faults: Pick<Faults, 'raise'>, to: string, rest: string): void {
  faults.raise(
    'W_LEDGER_SET_ASIDE',
    `The ledger was damaged. It stands in ${printable(to)} now, and a new one was begun: ${rest}, history is lost.`,
  );
}
