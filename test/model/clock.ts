// Time in the test's hand: a wall clock that jumps both ways, a monotonic one that doesn't, and timers that run when
// the test says so.
import type { Cancel, Clock } from '../../src/ports.ts';

export interface World {
  now(): number;
  monotonic(): number;
  /** Only the wall clock moves. Nobody is told. */
  jump(by: number): void;
  /** Both clocks move, as over a suspend: no timer runs in between. */
  pass(by: number): void;
}

export function createWorld(start: number): World {
  let wall = start;
  let steady = 0;
  return {
    now: () => wall,
    monotonic: () => steady,
    jump: (by) => void (wall += by),
    pass(by) {
      wall += by;
      steady += by;
    },
  };
}

interface Entry {
  readonly due: number;
  readonly task: () => void;
}

/** The timers of one daemon; they die with it. */
export interface Timers extends Clock {
  /** Runs what is due, each once. */
  runDue(): void;
  stop(): void;
}

export function createTimers(world: World): Timers {
  const waiting = new Set<Entry>();
  let stopped = false;

  function schedule(after: number, task: () => void): Cancel {
    const entry: Entry = { due: world.monotonic() + after, task };
    waiting.add(entry);
    // What is due at once waits for nobody's hand.
    if (after <= 0) setImmediate(() => run(entry));
    return () => void waiting.delete(entry);
  }

  function run(entry: Entry): void {
    if (waiting.delete(entry) && !stopped) entry.task();
  }

  return {
    now: world.now,
    monotonic: world.monotonic,
    // It jumps as if the host slept: what a clock does that can't be believed is tried in test/daemon/service.
    sinceBoot: world.now,
    schedule,
    runDue() {
      const due = [...waiting].filter((entry) => entry.due <= world.monotonic());
      for (const entry of due.toSorted((a, b) => a.due - b.due)) run(entry);
    },
    stop: () => void (stopped = true),
  };
}
