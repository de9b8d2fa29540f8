// A program: times every hostile line over its shipped filter, this checkout's, and prints what took longest as JSON.
// Started with the flags that bin/bailiff gives the daemon; `node hostile.ts [how many filters]`.
import { createScanner } from '../../src/filters/index.ts';
import { hostileLines } from '../../test/filters/hostile-lines.ts';
import { costOf } from '../../test/filters/processor-time.ts';
import { SHIPPED, shippedFilter } from '../../test/filters/shipped.ts';

/** To find the slowest, a line is timed so often by the clock, and the least counts: what else the machine does only adds. */
const TIMES = 5;
/** So many of the slowest are measured by processor time. */
const MEASURED = 12;

export interface Hostility {
  readonly filters: number;
  readonly lines: number;
  /** Milliseconds of processor time that the slowest lines take, slowest first. */
  readonly worst: readonly { readonly what: string; readonly bytes: number; readonly ms: number }[];
  /** The slowest at its very first sight, when nothing is compiled yet. */
  readonly first: number;
}

const names = SHIPPED.slice(0, Number(process.argv[2] ?? SHIPPED.length));
let slowest: { what: string; bytes: number; ms: number; task: () => void }[] = [];
let [lines, first] = [0, 0];
for (const name of names) {
  for (const mode of ['normal', 'aggressive'] as const) {
    const filter = shippedFilter(name, { mode });
    const scanner = createScanner([filter]);
    for (const { what, line } of hostileLines(filter)) {
      const text = `${line}\n`;
      const task = (): void => void scanner.scan(text, Date.UTC(2026, 0, 6), () => {});
      let least = Infinity;
      for (let n = 0; n < TIMES; n++) {
        const began = performance.now();
        task();
        const took = performance.now() - began;
        if (n === 0) first = Math.max(first, took);
        least = Math.min(least, took);
        // Far from the worst: no need to look again.
        if (least < 1) break;
      }
      lines++;
      slowest.push({ what: what.slice(0, 120), bytes: line.length, ms: least, task });
      if (slowest.length > 100) slowest = slowest.toSorted((a, b) => b.ms - a.ms).slice(0, MEASURED);
    }
  }
}
const worst = slowest
  .toSorted((a, b) => b.ms - a.ms)
  .slice(0, MEASURED)
  .map(({ what, bytes, task }) => ({ what, bytes, ms: costOf(task) }))
  .toSorted((a, b) => b.ms - a.ms);
console.log(JSON.stringify({ filters: names.length, lines, worst, first } satisfies Hostility));
