// A program: times every hostile line over its shipped filter, this checkout's, and prints what took longest as JSON.
// Started with the flags that bin/bailiff gives the daemon; `node hostile.ts [how many filters]`.
import { createScanner } from '../../src/filters/index.ts';
import { hostileLines } from '../../test/filters/hostile-lines.ts';
import { SHIPPED, shippedFilter } from '../../test/filters/shipped.ts';

/** A line is timed so often, and the least counts: what else the machine does only adds. */
const TIMES = 5;

export interface Hostility {
  readonly filters: number;
  readonly lines: number;
  /** Milliseconds of the slowest lines, slowest first. */
  readonly worst: readonly { readonly what: string; readonly bytes: number; readonly ms: number }[];
  /** The slowest at its very first sight, when nothing is compiled yet. */
  readonly first: number;
}

const names = SHIPPED.slice(0, Number(process.argv[2] ?? SHIPPED.length));
const found: { what: string; bytes: number; ms: number }[] = [];
let [lines, first] = [0, 0];
for (const name of names) {
  for (const mode of ['normal', 'aggressive'] as const) {
    const filter = shippedFilter(name, { mode });
    const scanner = createScanner([filter]);
    for (const { what, line } of hostileLines(filter)) {
      const text = `${line}\n`;
      let least = Infinity;
      for (let n = 0; n < TIMES; n++) {
        const began = performance.now();
        scanner.scan(text, Date.UTC(2026, 0, 6), () => {});
        const took = performance.now() - began;
        if (n === 0) first = Math.max(first, took);
        least = Math.min(least, took);
        // Far from the worst: no need to look again.
        if (least < 1) break;
      }
      lines++;
      found.push({ what: what.slice(0, 120), bytes: line.length, ms: least });
    }
  }
}
const worst = found.toSorted((a, b) => b.ms - a.ms).slice(0, 5);
console.log(JSON.stringify({ filters: names.length, lines, worst, first } satisfies Hostility));
