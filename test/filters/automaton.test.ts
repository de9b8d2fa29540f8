// All patterns of a filter at once, against V8's regexes one by one: the same patterns fit, and the address stands in the same
// place, whatever the text.
import { describe, expect, test } from 'vitest';
import { createAutomaton } from '../../src/filters/automaton/automaton.ts';
import type { Automaton } from '../../src/filters/automaton/automaton.ts';
import { createProgram } from '../../src/filters/automaton/program.ts';
import { withPlace, BEFORE } from '../../src/filters/boundary.ts';
import { ADDRESS } from '../../src/filters/placeholders.ts';
import { makeLinear } from '../../src/filters/regex.ts';
import { parsePattern } from '../../src/filters/syntax.ts';
import { cat } from '../../src/filters/tree.ts';
import type { Node } from '../../src/filters/tree.ts';
import { SHIPPED, shippedFilter } from './shipped.ts';

/** What fits: by pattern, and from where to where its address stands. */
type Told = readonly (readonly [pattern: number, begin: number, end: number])[];

function nodeOf(regex: string): Node {
  const parsed = parsePattern(regex);
  if (!parsed.ok) throw new Error(parsed.message);
  return cat([{ kind: 'start' }, parsed.node]);
}

function automatonOf(nodes: readonly Node[]): Automaton<() => Told> | undefined {
  const program = createProgram(nodes, false);
  return (
    program &&
    createAutomaton(
      program,
      ({ patterns, beginOf, endOf }) =>
        () =>
          patterns.map((pattern, nth) => [pattern, beginOf(nth), endOf(nth)] as const),
    )
  );
}

/** The same by regexes, of the part [from, to) of a text. */
function byRegexes(nodes: readonly Node[]): (message: string, from: number) => Told {
  const all = nodes.map((node) => {
    const made = makeLinear(withPlace(node));
    if (!made.ok) throw new Error(made.message);
    return made;
  });
  return (message, from) =>
    all.flatMap(({ regex, groups }, pattern) => {
      const found = regex.exec(message);
      if (!found) return [];
      let [before, length] = [0, -1];
      groups.forEach((name, index) => {
        const taken = found[index + 1];
        if (name === BEFORE) before += taken?.length ?? 0;
        if (name === ADDRESS && taken !== undefined) length = taken.length;
      });
      return [length < 0 ? [pattern, -1, -1] : [pattern, from + before, from + before + length]] as const;
    });
}

/** Numbers below `below`, from a seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ODD: readonly (readonly string[])[] = [
  ['a*<ip> .*$', '.*<ip>$', '.*?<ip>$', '.* from <ip>(?: port \\d+)?$', '(?<x>.*?) from <ip> .*$'],
  ['(?:a|ab)(?:c|bcd)<ip>', '(?:ab|a)(?:bcd|c)<ip>', '(?:from <ip>|by <ip>|no one)$', 'x?y??<ip>?$'],
  ['\\bfrom\\b.*\\b<ip>\\B', '.*\\Bx\\b', '(?i)FROM <ip>.*(?i)X$', '[^ ]+ <ip>{1}(?:,|$)', '$', '^^$'],
  ['a{2,4}<ip>a{0,2}$', '(?:ab){1,3}?<ip>', '.*a.{3}<ip>', '.+?,.+<ip>,?$', '\\S*\\s+<ip>\\s*$'],
];
const WORDS = [
  'a',
  'ab',
  'bcd',
  ' ',
  ' from ',
  'by ',
  '192.0.2.7',
  '::1',
  'x',
  'y',
  ',',
  ' port 22',
  '\xe4',
  'X',
  '\r',
];

describe('the patterns that fit, and where their addresses stand, are those of the regexes', () => {
  test.each(ODD)('for odd ones: %s', (...regexes) => {
    const nodes = regexes.map(nodeOf);
    const automaton = automatonOf(nodes)!;
    const expected = byRegexes(nodes);
    const random = randomFrom(7);
    let fits = 0;
    for (let round = 0; round < 3_000; round++) {
      const words = Array.from({ length: random(7) }, () => WORDS[random(WORDS.length)]!);
      const message = words.join('');
      const before = 'x'.repeat(random(3));
      const isCut = random(4) === 0;
      const told = automaton.run(
        `${before}${message}7`,
        before.length,
        before.length + message.length,
        isCut,
      );
      const wanted = expected(isCut ? `${message}\n` : message, before.length);
      fits += wanted.length;
      expect([message, told?.()]).toEqual([message, wanted]);
    }
    expect(fits).toBeGreaterThan(300);
  });

  test('for shipped ones, over their samples and such that are grafted upon each other', () => {
    let [told, untold] = [0, 0];
    const random = randomFrom(3);
    for (const name of SHIPPED) {
      const { definition } = shippedFilter(name);
      if (definition.layout !== 'syslog' && definition.layout !== 'plain') continue;
      const { match, success, except, opens, closes } = definition;
      const nodes = [match, success, except, opens, closes].flat().map(({ regex }) => nodeOf(regex));
      const automaton = automatonOf(nodes);
      if (!automaton) continue;
      const expected = byRegexes(nodes);
      const samples = [...definition.samples, ...definition.forged].flatMap(({ text }) => text.split('\n'));
      // One grafted upon another.
      const grafts = samples.map((line) => {
        const other = samples[random(samples.length)]!;
        return line.slice(0, random(line.length)) + other.slice(random(other.length));
      });
      for (const line of [...samples, ...grafts]) {
        const from = Math.max(0, line.indexOf(': ') + 2);
        const read = automaton.run(line, from, line.length, false);
        if (read) expect([line, read()]).toEqual([line, expected(line.slice(from), from)]);
        if (read) told++;
        else untold++;
      }
    }
    expect(told).toBeGreaterThan(1_500);
    expect(untold).toBeLessThan(told / 100);
  });
});

test('a search finds what any of the regexes finds anywhere, line feeds or not', () => {
  const regexes = ['a.b', '(?i)X$', '^from', '\\bby\\b', '(?:ab){2}', ', +x', ',[^,]*,x', '<ip>y'];
  const nodes = regexes.map((regex) => {
    const parsed = parsePattern(regex);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.node;
  });
  const each = nodes.map((node) => {
    const made = makeLinear(node);
    if (!made.ok) throw new Error(made.message);
    return made.regex;
  });
  const program = createProgram([{ kind: 'alt', options: nodes }], true)!;
  const search = createAutomaton(program, ({ patterns }) => patterns.length > 0);
  const random = randomFrom(11);
  let finds = 0;
  for (let round = 0; round < 5_000; round++) {
    const value = Array.from({ length: random(9) }, () => [...WORDS, '\n'][random(WORDS.length + 1)]!).join(
      '',
    );
    const wanted = each.some((regex) => regex.test(value));
    finds += Number(wanted);
    expect([value, search.run(value, 0, value.length, false)]).toEqual([value, wanted]);
  }
  expect(finds).toBeGreaterThan(500);
  expect(finds).toBeLessThan(4_500);
});

test('what looks behind, or repeats what may be nothing, is left to regexes', () => {
  const odd = ['(?<=a)b', '(?:a*)*b', '(?:a|b?)+c'].map(nodeOf);
  expect(odd.map((node) => createProgram([node], false))).toEqual([undefined, undefined, undefined]);
});

test('a text that leads where none has led before, for too long, is given up, and the next one is not', () => {
  const automaton = automatonOf([nodeOf('(?:.*a.......|.*b......)<ip>$')])!;
  const random = randomFrom(1);
  const hostile = Array.from({ length: 5_000 }, () => 'ab '[random(3)]).join('');
  expect(automaton.run(hostile, 0, hostile.length, false)).toBeUndefined();
  const honest = 'a from ::192.0.2.7';
  expect(automaton.run(honest, 0, honest.length, false)?.()).toEqual([[0, 8, 18]]);
});
