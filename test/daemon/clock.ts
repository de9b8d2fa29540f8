// A clock that stands still until it is moved.
import type { Clock } from '../../src/ports.ts';

export interface TestClock extends Clock {
  /** Moves wall and monotonic time on and runs what came due, in order. */
  advance(milliseconds: number): void;
}

export function createTestClock(start: number): TestClock {
  let passed = 0;
  let tasks: { at: number; task: () => void }[] = [];
  return {
    now: () => start + passed,
    monotonic: () => passed,
    schedule(after, task) {
      const entry = { at: passed + after, task };
      tasks.push(entry);
      return () => {
        tasks = tasks.filter((other) => other !== entry);
      };
    },
    advance(milliseconds) {
      const end = passed + milliseconds;
      for (;;) {
        const due = tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (!due) break;
        tasks = tasks.filter((other) => other !== due);
        passed = Math.max(passed, due.at);
        due.task();
      }
      passed = end;
    },
  };
}
