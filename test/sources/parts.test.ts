import { gzipSync } from 'node:zlib';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headHashOf, isSameHead } from '../../src/sources/identity.ts';
import { cutLines, MAX_LINE } from '../../src/sources/lines.ts';
import { readWhole } from '../../src/sources/index.ts';
import { sortByAge } from '../../src/sources/age.ts';
import { isRotationOf, parseName, type Sibling } from '../../src/sources/rotation.ts';
import { handClock, temporaryFolder } from './kit.ts';

test('bytes cut anywhere give the same lines', () => {
  const piece = fc.oneof(fc.constantFrom('a', '\n', '\r\n', 'é', '\0', 'some words'), fc.string());
  fc.assert(
    fc.property(fc.array(piece), fc.integer({ min: 1, max: 40 }), (pieces, size) => {
      const bytes = Buffer.from(`${pieces.join('')}\n`);
      let text = '';
      let lines = 0;
      let from = 0;
      for (let to = size; from < bytes.length; to += size) {
        const cut = cutLines(bytes.subarray(from, to), false);
        text += cut.text;
        lines += cut.lines;
        from += cut.used;
      }
      expect(text).toBe(bytes.toString('latin1'));
      expect(lines).toBe(text.split('\n').length - 1);
    }),
  );
});

test('of an over-long line among others the first part is a line, and the rest is none', () => {
  const bytes = Buffer.from(`a\n${'x'.repeat(MAX_LINE + 5)}\nb\n`);
  const cut = cutLines(bytes, false);
  expect(cut).toMatchObject({ lines: 3, skipped: 1, skipping: false, used: bytes.length });
  expect(cut.text.split('\n').map((line) => line.length)).toEqual([1, MAX_LINE, 1, 0]);
});

test('a head is the same over the common length, and nothing can be said of too short a one', () => {
  const head = Buffer.from('x'.repeat(40) + 'the rest of the head of this file'.repeat(10));
  const known = { headLength: head.length, headHash: headHashOf(head) };
  expect(isSameHead(known, head)).toBe(true);
  expect(isSameHead(known, Buffer.concat([head, Buffer.from('grown')]))).toBe(true);
  expect(isSameHead(known, head.subarray(0, 70))).toBe(true);
  expect(isSameHead(known, head.subarray(0, 10))).toBe(false);
  expect(isSameHead(known, Buffer.from('y'.repeat(70)))).toBe(false);
  expect(isSameHead({ headLength: 0, headHash: headHashOf(Buffer.alloc(0)) }, head)).toBe(false);
});

test.each([
  ['access.log.1', 'access.log', true],
  ['access.log.12.gz', 'access.log', true],
  ['access.log-20250131', 'access.log', true],
  ['access.log-20250131-13.gz', 'access.log', true],
  ['access.log.2025-01-31', 'access.log', true],
  ['access.log-1738281600', 'access.log', true],
  ['access-20250131.log', 'access.log', true],
  ['app.1.log', 'app.log', true],
  ['syslog.old', 'syslog', true],
  ['day-2025-01-02', 'day-2025-01-03', true],
  ['access.log', 'access.log', false],
  ['other.access.log.1', 'access.log', false],
  ['access.log.1', 'other.log', false],
  ['access.log.bak', 'access.log', false],
  ['worker-1.log', 'worker-2.log', false],
])('%s is a rotation of %s: %s', (name, base, expected) => {
  expect(isRotationOf(name, base)).toBe(expected);
});

test('the age stands in the name', () => {
  expect(parseName('a.log.3.gz')).toEqual({
    family: 'a.log',
    order: { by: 'number', value: 3 },
    compressed: true,
  });
  expect(parseName('a-2025-01-31.log').order).toEqual({ by: 'date', value: '20250131' });
  expect(parseName('a.log').order).toBeUndefined();
});

describe('the oldest first', () => {
  const sibling = (name: string, mtime: number, born = mtime): Sibling => ({
    path: `/logs/${name}`,
    key: name,
    life: name,
    inode: name,
    size: 1,
    mtime,
    born,
    compressed: name.endsWith('.gz'),
    rotated: true,
  });
  const order = (...siblings: Sibling[]): string[] => sortByAge(siblings).map(({ key }) => key);

  test('is told by the names where all times are equal', () => {
    expect(order(sibling('a.1', 5), sibling('a.3', 5), sibling('a.2', 5))).toEqual(['a.3', 'a.2', 'a.1']);
  });

  test('is told by the names where one time alone contradicts them', () => {
    // a.2 was written to late; a.1 is an old inode that was truncated in between.
    expect(order(sibling('a.1', 7, 2), sibling('a.2', 9, 1))).toEqual(['a.2', 'a.1']);
    expect(order(sibling('a.1', 7, 1), sibling('a.2', 6, 5))).toEqual(['a.2', 'a.1']);
  });

  test('is told by the names the other way round where the times say so, equal ones too', () => {
    const siblings = [sibling('a.3', 7), sibling('a.1', 5), sibling('a.4', 7), sibling('a.2.gz', 99)];
    expect(order(...siblings)).toEqual(['a.1', 'a.2.gz', 'a.3', 'a.4']);
  });

  test('is told by the times where the names have no order', () => {
    expect(order(sibling('a.3', 6), sibling('a.1', 5), sibling('a.2', 7))).toEqual(['a.1', 'a.3', 'a.2']);
  });
});

test('a whole file is read from its first line to its last, compressed or not', async () => {
  const folder = temporaryFolder();
  // Some take up more than is read at a time without a line's end; all of it is more than is read ahead.
  const line = (n: number): string => `line ${n}${'x'.repeat(n % 400 === 0 ? 40_000 + 5 * n : n % 300)}`;
  const text = `${Array.from({ length: 30_000 }, (_, n) => line(n)).join('\n')}\nwithout an end`;
  writeFileSync(folder.file('plain.log'), text);
  writeFileSync(folder.file('packed.gz'), gzipSync(text));
  for (const name of ['plain.log', 'packed.gz']) {
    let read = '';
    let lines = 0;
    for await (const chunk of readWhole(folder.file(name), handClock())) {
      expect(chunk.firstLine).toBe(lines + 1);
      read += chunk.text;
      lines += chunk.lines;
    }
    expect(read).toBe(`${text}\n`);
    expect(lines).toBe(30_001);
  }
  folder.remove();
});

test('a whole file that is not there, or is damaged, is an error with a code', async () => {
  const folder = temporaryFolder();
  writeFileSync(folder.file('bad.gz'), gzipSync('line\n'.repeat(1_000)).subarray(0, 30));
  for (const name of ['missing.log', 'bad.gz']) {
    const read = async (): Promise<void> => {
      for await (const chunk of readWhole(folder.file(name), handClock()))
        expect(chunk.lines).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toMatchObject({ code: 'E_USAGE' });
  }
  folder.remove();
});
