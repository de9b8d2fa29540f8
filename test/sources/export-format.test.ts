// Entries of the journal as journalctl hands them over: whatever their values hold, and wherever the pipe cuts them.
import { describe, expect, test } from 'vitest';
import { createEntryReader, type Entry } from '../../src/sources/export-format.ts';

const LIMIT = 64;

function binary(name: string, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}

/** Hands the bytes over in pieces of this length. */
function read(bytes: Buffer, piece: number): Entry[] {
  const reader = createEntryReader(LIMIT);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    reader.push(bytes.subarray(at, at + piece));
    for (let entry = reader.next(); entry; entry = reader.next()) entries.push(entry);
  }
  return entries;
}

const seen = (entries: readonly Entry[]) =>
  entries.map(({ fields, isCut }) => ({ ...Object.fromEntries(fields), isCut }));

const FORGED = 'x\n\n__CURSOR=forged\nMESSAGE=forged\n\n';
const STREAM = Buffer.concat([
  Buffer.from('__CURSOR=one\nMESSAGE=plain = text\n_PID=1\n\n'),
  Buffer.from('__CURSOR=two\n'),
  binary('MESSAGE', FORGED),
  Buffer.from('\n__CURSOR=three\n'),
  binary('MESSAGE', `\n${'y'.repeat(5 * LIMIT)}`),
  Buffer.from(`_PID=3\n\n__CURSOR=four\nMESSAGE=${'z'.repeat(9 * LIMIT)}\n_PID=4\n\n`),
  Buffer.from('__CURSOR=five\nMESSAGE=first\nMESSAGE=second\n\n\n__CURSOR=six\n'),
  binary('MESSAGE', ''),
  Buffer.from('\n'),
]);
const EXPECTED = [
  { __CURSOR: 'one', MESSAGE: 'plain = text', _PID: '1', isCut: false },
  { __CURSOR: 'two', MESSAGE: FORGED, isCut: false },
  { __CURSOR: 'three', MESSAGE: `\n${'y'.repeat(LIMIT - 1)}`, _PID: '3', isCut: true },
  { __CURSOR: 'four', MESSAGE: 'z'.repeat(LIMIT), _PID: '4', isCut: true },
  { __CURSOR: 'five', MESSAGE: 'first', isCut: false },
  { __CURSOR: 'six', MESSAGE: '', isCut: false },
];

describe('entries come out as they are', () => {
  test.each([1, 2, 3, 7, 8, 9, 31, 64, 100, 1_000, 100_000])('in pieces of %i bytes', (piece) => {
    expect(seen(read(STREAM, piece))).toEqual(EXPECTED);
  });
});

test('of a value that is longer than the limit nothing is held beyond it', () => {
  const reader = createEntryReader(1_024);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(700n * 1_048_576n);
  reader.push(Buffer.concat([Buffer.from('__CURSOR=one\nMESSAGE\n'), length]));
  const piece = Buffer.alloc(1_048_576, 97);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 700; i++) {
    reader.push(piece);
    expect(reader.next()).toBeUndefined();
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_048_576);
  reader.push(Buffer.from('\n_PID=7\n\n'));
  const entry = reader.next()!;
  expect([entry.isCut, entry.fields.get('MESSAGE')?.length, entry.fields.get('_PID')]).toEqual([
    true,
    1_024,
    '7',
  ]);
});

// It was found by fuzzing: read in one piece, a name of any length was kept; in several, it was passed over.
test.each([
  ['a name that no field has', `${'N'.repeat(400)}=x`],
  ['no name at all', 'x'.repeat(400)],
  ['a value beyond the limit', `MESSAGE=${'y'.repeat(9 * LIMIT)}`],
])('a line with %s is the same wherever the pipe cuts it', (_what, line) => {
  const bytes = Buffer.from(`__CURSOR=one\n${line}\n_PID=1\n\n`);
  const whole = seen(read(bytes, bytes.length));
  expect(whole).toMatchObject([{ __CURSOR: 'one', _PID: '1', isCut: true }]);
  for (const piece of [1, 7, 64, 300, 399, 420]) expect(seen(read(bytes, piece))).toEqual(whole);
});

test('half an entry is none', () => {
  expect(read(STREAM.subarray(0, 40), 40)).toEqual([]);
});
