// Who has a record of good behaviour, and who can't have one.
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/address.ts';
import { createRegulars } from '../../../src/daemon/intake/regulars.ts';
import type { Regulars } from '../../../src/daemon/intake/regulars.ts';
import type { Scanner } from '../../../src/filters/contract.ts';
import type { Chunk, Instant } from '../../../src/model.ts';

const T0 = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const ARRIVED = T0 + 30 * 86_400_000;

/** A line is a minute, an address, and `!` where it is a match. */
function lineOf(line: string) {
  const [minute, address = ''] = line.replace('!', '').split(' ');
  const found = parseAddress(address);
  return found && { address: found, at: T0 + Number(minute) * MINUTE };
}

const scanner: Pick<Scanner, 'whose'> = {
  whose(text: string, start: number, end: number) {
    const line = text.slice(start, end);
    if (line.endsWith('!')) throw new Error('whose it is was told with the match');
    return lineOf(line);
  },
};

function read(regulars: Regulars, lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join('');
  const watching = regulars.watch({ text, lines: lines.length, arrivedAt: ARRIVED } as Chunk, scanner)!;
  let start = 0;
  for (const line of lines) {
    if (line.endsWith('!')) {
      const { address, at } = lineOf(line)!;
      watching.matched(start, address, at);
    }
    start += line.length + 1;
  }
  watching.finish();
}

const at = (minute: number): Instant => T0 + minute * MINUTE;
const knows = (regulars: Regulars, text: string, minute: number): boolean =>
  regulars.isRegular(parseAddress(text)!, at(minute));
const steady = (address: string, minutes: number, from = 0): string[] =>
  Array.from({ length: minutes * 2 }, (_, n) => `${from + Math.floor(n / 2)} ${address}`);

test('many matches that follow each other are told by the first and the last of them', () => {
  const regulars = createRegulars();
  read(regulars, steady('192.0.2.7', 20));
  const lines = [20, 25, 30, 35, 40, 45, 50].map((minute) => `${minute} 192.0.2.7`);
  const text = lines.map((line) => `${line}\n`).join('');
  const watching = regulars.watch({ text, lines: lines.length, arrivedAt: ARRIVED } as Chunk, scanner)!;
  expect(knows(regulars, '192.0.2.7', 20)).toBe(true);
  watching.matchedAll(lines[0]!.length + 1, text.length - lines[6]!.length - 1);
  watching.finish();
  // All periods but the first of these were spoiled.
  expect(knows(regulars, '192.0.2.7', 50)).toBe(false);
});

describe('a record of good behaviour', () => {
  test('takes lines without a match over a quarter of an hour', () => {
    const regulars = createRegulars();
    read(regulars, steady('192.0.2.7', 14));
    expect(knows(regulars, '192.0.2.7', 14)).toBe(false);
    read(regulars, steady('192.0.2.7', 2, 14));
    expect(knows(regulars, '192.0.2.7', 16)).toBe(true);
    expect(knows(regulars, '192.0.2.8', 16)).toBe(false);
  });

  test('is not had by many lines in a short time, nor by few in a long one', () => {
    const regulars = createRegulars();
    read(
      regulars,
      Array.from({ length: 5_000 }, (_, n) => `${n % 10} 192.0.2.7`),
    );
    expect(knows(regulars, '192.0.2.7', 10)).toBe(false);
    read(
      regulars,
      Array.from({ length: 10 }, (_, n) => `${n * 60} 192.0.2.8`),
    );
    expect(knows(regulars, '192.0.2.8', 600)).toBe(false);
  });

  test('outlives an offence, and not a habit of them', () => {
    const regulars = createRegulars();
    read(regulars, steady('192.0.2.7', 30));
    read(regulars, ['31 192.0.2.7!', '36 192.0.2.7!']);
    expect(knows(regulars, '192.0.2.7', 36)).toBe(true);
    read(
      regulars,
      Array.from({ length: 5 }, (_, n) => `${40 + n * 5} 192.0.2.7!`),
    );
    expect(knows(regulars, '192.0.2.7', 65)).toBe(false);
  });

  test('is not had by who matches now and then, however much else he does', () => {
    const regulars = createRegulars();
    const lines = steady('192.0.2.7', 60).map((line, n) => (n % 8 === 0 ? `${line}!` : line));
    read(regulars, lines);
    expect(knows(regulars, '192.0.2.7', 61)).toBe(false);
  });

  test('is asked for within a chunk: what stands before the line counts', () => {
    const regulars = createRegulars();
    const lines = [...steady('192.0.2.7', 20), '20 192.0.2.7!'];
    const text = lines.map((line) => `${line}\n`).join('');
    const watching = regulars.watch({ text, lines: lines.length, arrivedAt: ARRIVED } as Chunk, scanner)!;
    expect(knows(regulars, '192.0.2.7', 20)).toBe(false);
    watching.matched(text.lastIndexOf('20 192'), parseAddress('192.0.2.7'), at(20));
    expect(knows(regulars, '192.0.2.7', 20)).toBe(true);
    watching.finish();
  });

  test('is over after a week without a line', () => {
    const regulars = createRegulars();
    read(regulars, steady('192.0.2.7', 30));
    expect(knows(regulars, '192.0.2.7', 6 * 24 * 60)).toBe(true);
    expect(knows(regulars, '192.0.2.7', 8 * 24 * 60)).toBe(false);
  });

  test('is the same for all addresses of an IPv6 /64', () => {
    const regulars = createRegulars();
    read(
      regulars,
      steady('2001:db8::1', 30).map((line, n) => line.replace('::1', `::${(n % 9) + 1}`)),
    );
    expect(knows(regulars, '2001:db8::ffff', 30)).toBe(true);
    expect(knows(regulars, '2001:db8:0:1::1', 30)).toBe(false);
  });
});

test('a crowd of newcomers drives out no regular, and memory has a bound', () => {
  const regulars = createRegulars();
  read(regulars, steady('192.0.2.7', 30));
  for (let block = 0; block < 40; block++)
    read(
      regulars,
      Array.from({ length: 1_000 }, (_, n) => `31 10.${block}.${n >> 8}.${n & 255}`),
    );
  expect(regulars.size).toBeLessThanOrEqual(20_001);
  expect(knows(regulars, '192.0.2.7', 31)).toBe(true);
});

test('what is remembered is written, and found again', () => {
  const first = createRegulars();
  read(first, [...steady('192.0.2.7', 30), ...steady('192.0.2.8', 3)]);
  const taken = first.takeDirty();
  expect(taken).toEqual({
    regulars: [{ address: '192.0.2.7', clean: 5, spoiled: 0, period: T0 / (5 * MINUTE) + 5 }],
    forgottenRegulars: [],
  });
  expect(first.takeDirty().regulars).toEqual([]);
  first.restore(taken);
  expect(first.takeDirty()).toEqual(taken);
  expect(knows(createRegulars(taken.regulars), '192.0.2.7', 31)).toBe(true);
});

test('a long log is looked at in samples, and tells the same of who is steady', () => {
  const regulars = createRegulars();
  // Far more lines than are looked at one by one.
  const lines = Array.from(
    { length: 60_000 },
    (_, n) => `${Math.floor(n / 1_000)} 192.0.2.${((n * 7_919) >> 5) % 10}`,
  );
  for (let from = 0; from < lines.length; from += 500) read(regulars, lines.slice(from, from + 500));
  expect([0, 3, 9].map((n) => knows(regulars, `192.0.2.${n}`, 61))).toEqual([true, true, true]);
});
