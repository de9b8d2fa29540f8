import { expect, test } from 'vitest';
import { createWords } from '../../../src/address-words.ts';
import { parseAddress } from '../../../src/address.ts';
import { scanSafely } from '../../../src/daemon/intake/safe-scan.ts';
import type { Scanner } from '../../../src/filters/contract.ts';
import { BEGIN, beginOf, ROW } from '../../../src/short-run.ts';
import { createSessionMemory } from '../../../src/filters/index.ts';

/** Matches each line that begins with "hit", and breaks on "bomb". */
const scanner: Scanner = {
  scan(lines, _arrivedAt, visit) {
    const text = typeof lines === 'string' ? lines : lines.text;
    let start = 0;
    for (const line of text.split('\n').slice(0, -1)) {
      const end = start + line.length;
      if (line === 'bomb') throw new Error('a defect');
      if (line.startsWith('hit'))
        visit(
          0,
          {
            ...{
              start,
              end,
              filter: 'x',
              pattern: 0,
              outcome: 'failure',
              counts: 1,
              oncePerSession: false,
              session: undefined,
              fields: {},
              at: undefined,
            },
            address: parseAddress('192.0.2.7')!,
          },
          0,
        );
      start = end + 1;
    }
    return { lines: 0, candidates: 0, unframed: 0 };
  },
};

function linesVisited(text: string): { lines: string[]; broken: number } {
  const lines: string[] = [];
  const chunk = { text, arrivedAt: 0, source: 'x' };
  const { broken } = scanSafely(scanner, chunk, createSessionMemory(), (_filter, match, base) =>
    lines.push(text.slice(base + match.start, base + match.end)),
  );
  return { lines, broken };
}

test('a line that breaks a filter is passed over; every other line is visited once and in order', () => {
  expect(linesVisited('hit 1\nbomb\nhit 2\nmiss\nbomb\nhit 3\n')).toEqual({
    lines: ['hit 1', 'hit 2', 'hit 3'],
    broken: 2,
  });
});

test('the first line may be the broken one', () => {
  expect(linesVisited('bomb\nhit 1\n')).toEqual({ lines: ['hit 1'], broken: 1 });
});

test('where nothing breaks, nothing is scanned twice', () => {
  expect(linesVisited('hit 1\nhit 2\n')).toEqual({ lines: ['hit 1', 'hit 2'], broken: 0 });
});

test('what was told in short before a line that breaks a filter is not told again, the first line neither', () => {
  const hearing: Scanner = {
    scan(lines, arrivedAt, visit, source, sessions, shortly) {
      if (typeof lines === 'string') return scanner.scan(lines, arrivedAt, visit, source, sessions);
      const { text } = lines;
      for (let start = 0; start < text.length; start = text.indexOf('\n', start) + 1) {
        if (text.startsWith('bomb', start)) throw new Error('a defect');
        shortly!.visit(0, start, { address: createWords(), at: 0 });
      }
      return { candidates: 0, unframed: 0 };
    },
  };
  const text = 'hit 1\nhit 2\nbomb\nhit 3\n';
  for (const first of [text, text.slice('hit 1\n'.length)]) {
    const lines: string[] = [];
    const chunk = { text: first, arrivedAt: 0, source: 'x' };
    const lineAt = (start: number): string => first.slice(start, first.indexOf('\n', start));
    const tell = (start: number): boolean => lines.push(lineAt(start)) > 0;
    const { broken } = scanSafely(
      hearing,
      chunk,
      createSessionMemory(),
      (_filter, match, base) => tell(base + match.start),
      {
        wanted: [true],
        visit: (_filter, start) => tell(start),
        visitRun() {
          throw new Error('no run was read');
        },
      },
    );
    expect([lines, broken]).toEqual([first.split('\n').filter((line) => line.startsWith('hit')), 1]);
  }
});

test('whatever of a run was done with before somebody broke is not told again', () => {
  const text = 'hit 1\nhit 2\nhit 3\nhit 4\nhit 5\n';
  const begins = [0, 6, 12, 18, 24];
  const reading: Scanner = {
    scan(lines, arrivedAt, visit, source, sessions, shortly) {
      if (typeof lines === 'string') return scanner.scan(lines, arrivedAt, visit, source, sessions);
      const numbers = new Int32Array(begins.length * ROW);
      begins.forEach((begin, row) => (numbers[row * ROW + BEGIN] = begin));
      shortly!.visitRun(0, { numbers, first: 0, end: 4, shift: 0, minute: 0 });
      throw new Error('a defect');
    },
  };
  const seen = (done: number, breaks: boolean): { lines: string[]; broken: number } => {
    const lines: string[] = [];
    const chunk = { text, arrivedAt: 0, source: 'x' };
    const tell = (start: number): number => lines.push(text.slice(start, text.indexOf('\n', start)));
    const { broken } = scanSafely(
      reading,
      chunk,
      createSessionMemory(),
      (_filter, match, base) => void tell(base + match.start),
      {
        wanted: [true],
        visit: () => false,
        visitRun(_filter, run) {
          for (; run.first < done; run.first++) tell(beginOf(run, run.first));
          if (breaks) throw new Error('a defect of who counts');
        },
      },
    );
    return { lines, broken };
  };
  // It was the third that broke.
  expect(seen(2, true)).toEqual({ lines: ['hit 1', 'hit 2', 'hit 4', 'hit 5'], broken: 1 });
  // All of the run was done with, then a filter broke: that is found out line by line.
  expect(seen(4, false)).toEqual({ lines: ['hit 1', 'hit 2', 'hit 3', 'hit 4', 'hit 5'], broken: 0 });
});
