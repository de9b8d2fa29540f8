import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Instant } from '../../src/model.ts';
import { earliest, firstOffset } from '../../src/sources/first-sight.ts';
import { createReader, temporaryFolder, type Reader } from './kit.ts';

const stampOf = (_patterns: readonly string[], line: string): Instant | undefined =>
  /^\d+ /.test(line) ? Number.parseInt(line, 10) : undefined;

let folder: ReturnType<typeof temporaryFolder>;
let reader: Reader;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await reader?.stop();
  folder.remove();
});

async function meet(text: string, start: 'beginning' | 'end' | { since: Instant }): Promise<string[]> {
  writeFileSync(folder.file('app.log'), text);
  reader = createReader([{ pattern: folder.file('app.log'), start }], { stampOf });
  reader.start();
  await reader.take();
  return reader.lines();
}

describe('a file that exists at the first look', () => {
  test('is read from the first line that is young enough', async () => {
    expect(await meet('10 a\n20 b\nno stamp\n30 c\n', { since: 20 })).toEqual(['20 b', 'no stamp', '30 c']);
  });

  test('is read from its end where no line bears a stamp', async () => {
    expect(await meet('a\nb\n', { since: 20 })).toEqual([]);
    appendFileSync(folder.file('app.log'), 'c\n');
    await reader.take();
    expect(reader.lines()).toEqual(['c']);
  });

  test('is read from its end where all lines are too old', async () => {
    expect(await meet('10 a\n20 b\n', { since: 100 })).toEqual([]);
  });

  test('keeps a half-written last line for later when it is read from its end', async () => {
    await meet('a\nb', 'end');
    appendFileSync(folder.file('app.log'), ' and more\n');
    await reader.take();
    expect(reader.lines()).toEqual(['b and more']);
  });

  test('is read as a whole when its start says so', async () => {
    expect(await meet('10 a\n20 b\n', 'beginning')).toEqual(['10 a', '20 b']);
  });

  test('has its cutoff committed before its first line, with the lines before it counted', async () => {
    await meet('10 a\n20 b\n30 c\n', { since: 30 });
    const cutoff = reader.chunks.find(({ source }) => source === folder.file('app.log'));
    expect(cutoff).toMatchObject({ text: '', commitFirst: true, position: { offset: 10, lines: 2 } });
    expect(reader.chunks.at(-1)).toMatchObject({ text: '30 c\n', firstLine: 3, live: false });
  });

  test('keeps the cutoff when the start would say otherwise after a crash', async () => {
    await meet('10 a\n20 b\n', 'end');
    await reader.stop(true);
    appendFileSync(folder.file('app.log'), '30 c\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['30 c']);
  });
});

test('in a large file the search finds the same line as reading everything would', async () => {
  const lines: string[] = [];
  for (let n = 0; n < 60_000; n++)
    lines.push(n % 7 === 3 ? `  continued, without a stamp ${n}` : `${n * 10} message ${'x'.repeat(n % 90)}`);
  const text = `${lines.join('\n')}\n`;
  writeFileSync(folder.file('app.log'), text);
  const fd = openSync(folder.file('app.log'), 'r');
  try {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 600_100 }), (since) => {
        const expected = lines.findIndex((line) => (stampOf([], line) ?? -1) >= since);
        const offset = firstOffset(fd, text.length, { since }, (line) => stampOf([], line));
        const found = offset === text.length ? -1 : text.slice(0, offset).split('\n').length - 1;
        expect(found).toBe(since < 0 ? 0 : expected);
      }),
      { numRuns: 60, examples: [[0], [599_990], [600_000]] },
    );
  } finally {
    closeSync(fd);
  }
});

test('several watches of one file: the earliest start wins', () => {
  expect(earliest(['end', { since: 20 }, { since: 10 }])).toEqual({ since: 10 });
  expect(earliest(['end', { since: 20 }, 'beginning'])).toBe('beginning');
  expect(earliest(['end'])).toBe('end');
});
