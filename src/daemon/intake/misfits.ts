// A log whose lines are not what its filters expect matches nothing, and nobody would notice: a wrong log format, a service
// that was told to log otherwise. The lines that are looked at tell.

/** Fewer lines say little: a service writes other things than records when it starts. */
const ENOUGH = 20;
/** What is remembered: each half of it that is new weighs as much as all that is older. */
const RECENT = 200;

export interface Misfits {
  observe(candidates: number, unframed: number): void;
  /** Do more than half of the recent lines have no form that a filter expects? */
  isFault(): boolean;
}

export function createMisfits(): Misfits {
  let all = 0;
  let bad = 0;
  return {
    observe(candidates, unframed) {
      all += candidates;
      bad += unframed;
      if (all <= RECENT) return;
      bad *= RECENT / 2 / all;
      all = RECENT / 2;
    },
    isFault: () => all >= ENOUGH && bad * 2 > all,
  };
}
