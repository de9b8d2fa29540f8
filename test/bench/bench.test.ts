// The benchmarks' own tools: what they reckon, draw and tell must be right before any figure is.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessLog, type AccessTruth } from '../../bench/inputs/access.ts';
import { jsonLog, JSON_LITERAL } from '../../bench/inputs/json.ts';
import { RULES } from '../../bench/inputs/rules.ts';
import { sshdLog } from '../../bench/inputs/sshd.ts';
import { digits, isMet, rank } from '../../bench/lib/figures.ts';
import { writeLines } from '../../bench/lib/inputs.ts';
import { picture } from '../../bench/lib/svg.ts';
import { mustBe, reckon, WrongVerdict } from '../../bench/lib/verdicts.ts';
import { BENCHES } from '../../bench/table.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';

let folder: TemporaryFolder;
beforeAll(() => void (folder = temporaryFolder('bench-test')));
afterAll(() => folder.remove());

const linesOf = (path: string): string[] => readFileSync(path, 'latin1').trimEnd().split('\n');

describe('the reckoner', () => {
  it('bans with the last of so many matches within the time, once', () => {
    const jail = reckon(3, 10);
    for (const [who, at] of [
      ['a', 0],
      ['b', 0],
      ['a', 5],
      ['b', 6],
      ['a', 10],
      ['b', 11],
      ['a', 12],
    ] as const)
      jail.match(who, at);
    expect(jail.verdict()).toEqual({ matches: 7, banned: ['a'] });
  });

  it('is believed: another set is a wrong verdict, which says what differs', () => {
    expect(() => mustBe('bans', ['a', 'b'], ['b', 'a'])).not.toThrow();
    expect(() => mustBe('bans', ['a', 'x'], ['a', 'b'])).toThrow(WrongVerdict);
    expect(() => mustBe('bans', ['a', 'x'], ['a', 'b'])).toThrow('1 of 2 are missing (b), 1 too many (x)');
  });
});

describe('the inputs', () => {
  const made = (path: string): { bytes: number; truth: AccessTruth } => writeLines(path, 20_000, accessLog());

  it('are the same each time', () => {
    const [one, two] = [`${folder.path}/one`, `${folder.path}/two`];
    expect(made(one)).toEqual(made(two));
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });

  it('hold as many lines of each rule as they say, one in a hundred log-ins, two scanners', () => {
    const { truth } = made(`${folder.path}/rules`);
    const lines = linesOf(`${folder.path}/rules`);
    for (const { name, regex } of RULES) {
      const found = lines.filter((line) => new RegExp(regex).test(line));
      expect([name, found.length]).toEqual([name, truth.rules[name]!.matches]);
    }
    expect(truth.rules['login']!.matches / lines.length).toBeCloseTo(0.01, 3);
    expect((truth.union.rules - truth.rules['login']!.matches) / lines.length).toBeCloseTo(0.02, 3);
    expect(truth.rules['login']!.banned.length).toBeGreaterThan(5);
    expect(truth.rules['login']!.banned.some((address) => address.includes(':'))).toBe(true);
    expect(truth.everything.banned.length).toBeGreaterThan(0);
  });

  it('are a third failed passwords in sshd’s, and one in fifty refused in JSON', () => {
    const sshd = writeLines(`${folder.path}/sshd`, 3_000, sshdLog()).truth;
    expect(linesOf(`${folder.path}/sshd`).filter((line) => line.includes('Failed password'))).toHaveLength(
      1_000,
    );
    expect(sshd.matches).toBe(1_000);
    const json = writeLines(`${folder.path}/json`, 3_000, jsonLog()).truth;
    const lines = linesOf(`${folder.path}/json`);
    expect(lines.filter((line) => line.includes(JSON_LITERAL))).toHaveLength(json.matches);
    expect(lines.every((line) => typeof JSON.parse(line) === 'object')).toBe(true);
  });
});

describe('what is told', () => {
  it('has three digits, the rank that was asked for, and says whether a target is met', () => {
    expect([0.012345, 1.2345, 123.45, 12_345].map(digits)).toEqual(['0.0123', '1.23', '123', '12345']);
    const values = Array.from({ length: 200 }, (_, n) => 200 - n);
    expect([rank(values, 0.5), rank(values, 0.99), rank(values, 1)]).toEqual([100, 198, 200]);
    const figure = { what: 'x', unit: '×', value: 2 };
    expect([isMet({ ...figure, atMost: 2 }), isMet({ ...figure, atLeast: 3 }), isMet(figure)]).toEqual([
      ...[true, false, undefined],
    ]);
  });

  it('is drawn with each point in the picture, also where all are alike', () => {
    const points = [1, 10, 100].map((x) => [x, 5_000] as const);
    const svg = picture([{ title: 'a < b', x: 'x', y: 'y', curves: [{ name: 'one', points }] }]);
    expect(svg).toContain('a &lt; b');
    expect(svg).not.toContain('NaN');
    const heights = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(heights).toHaveLength(3);
    // Powers of ten are equally far apart on a logarithmic axis.
    expect(heights[1]![0]! - heights[0]![0]!).toBeCloseTo(heights[2]![0]! - heights[1]![0]!, 0);
  });

  it('stands in the README, benchmark by benchmark', () => {
    const page = readFileSync(new URL('../../bench/README.md', import.meta.url), 'utf8');
    expect(BENCHES.filter(({ name }) => !page.includes(`| \`${name}\` |`)).map(({ name }) => name)).toEqual(
      [],
    );
    expect(new Set(BENCHES.map(({ name }) => name)).size).toBe(BENCHES.length);
  });
});
