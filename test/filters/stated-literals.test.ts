// Literals that a filter's author states: taken where they are so, and refused with a line that shows that they aren't.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/errors.ts';
import { parseFilter } from '../../src/filters/definition.ts';
import { compilePattern, type Pattern } from '../../src/filters/pattern.ts';
import { createScanner } from '../../src/filters/scanner.ts';
import { holdsOneOf, literalsOf } from '../../src/filters/stated-literals.ts';
import { compile, faultsOf, filterOf, NOW, pattern, scan } from './engine.ts';

/** Words of few letters, so that parts of one are parts of others. */
const word = fc.constantFrom('ab', 'aba', 'bab', '#7', '7 ', 'b#', 'abab');
const part = fc.oneof(
  word,
  fc.constantFrom(
    ...[String.raw`\d+`, '.*', '[ab]+', 'x?', '(?:ab|ba)', '(?i)ab', '(?:#7 )?', '(?:ab)*', '[^a]', '<name>'],
  ),
);
const regex = fc
  .array(part, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.filter((one, at) => one !== '<name>' || parts.indexOf(one) === at))
  .map((parts) =>
    parts.includes('(?i)ab') ? `(?i)${parts.join('').replaceAll('(?i)', '')}` : parts.join(''),
  );
const message = fc
  .array(fc.constantFrom('a', 'b', 'B', '#', '7', ' ', 'x'), { maxLength: 9 })
  .map((letters) => letters.join(''));

function patternOf(written: string): Pattern {
  const nobody = { address: () => undefined, origin: () => undefined };
  const compiled = compilePattern(pattern(written), 'x.yaml', nobody, 'nothing');
  if ('code' in compiled) throw new Error((compiled satisfies Fault).message);
  return compiled;
}

describe('stated literals', () => {
  it('are proven only where each message holds one, and refuted only by one that is taken and holds none', () => {
    fc.assert(
      fc.property(
        regex,
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.array(message),
        (written, stated, some) => {
          const own = patternOf(written);
          const held = holdsOneOf(own.node, literalsOf(stated));
          const holds = (text: string): boolean => stated.some((literal) => text.includes(literal));
          if (held.by === 'all') {
            for (const text of some) if (own.test(text)) expect(holds(text)).toBe(true);
          } else {
            expect(own.test(held.except!)).toBe(true);
            expect(holds(held.except!)).toBe(false);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [String.raw`^\d+ (?:#7|#8) <ip>$`, ['#7', '#8'], undefined],
    [String.raw`^\d+ (?:#7|#8) <ip>$`, ['#7'], '7 #8 '],
    ['^(?:deny|drop)s? from <ip>', ['from'], undefined],
    ['^<name> from <ip>', [' from '], undefined],
    ['^<name> <ip>', [' from '], ' '],
    ['(?i)^denied <ip>', ['denied'], ' '],
    ['^für <ip>', ['für'], undefined],
    ['^a.*b <ip>', ['ab'], ' '],
  ])('of %s are %j', (written, literals, except) => {
    const compiled = compile({ match: [pattern(written, { literals })] });
    if (except === undefined) expect(compiled.ok).toBe(true);
    else
      expect(faultsOf({ match: [pattern(written, { literals })] })).toEqual([
        { code: 'E_FILTER_LITERALS', text: expect.stringContaining(`none of its "literals", such as`) },
      ]);
  });

  it('are refused where nobody can tell: of a pattern that looks behind', () => {
    const behind = pattern('^.*(?<!x) from <ip>', { literals: ['from'] });
    expect(faultsOf({ match: [behind] })).toEqual([
      { code: 'E_FILTER_LITERALS', text: expect.stringContaining('can’t be told') },
    ]);
  });

  it('make the search: other lines are never looked at, and the same ones match', () => {
    const written = String.raw`^(?:ab|ba)\w+ <ip>$`;
    const lines = ['abc 192.0.2.7', 'cdc 192.0.2.8', 'bac 192.0.2.9', 'ab', 'last'];
    const text = lines.map((line) => `${line}\n`).join('');
    const searched = filterOf({ match: [pattern(written, { literals: ['ab', 'ba'] })] });
    const derived = compile({ match: [pattern(written)] });
    expect(derived).toMatchObject({ ok: true, warnings: [{ code: 'W_FILTER_NO_LITERAL' }] });
    expect(compile({ match: [pattern(written, { literals: ['ab', 'ba'] })] })).toMatchObject({
      warnings: [],
    });
    const found = scan([searched], text).map(({ match }) => match.address.text);
    expect(found).toEqual(['192.0.2.7', '192.0.2.9']);
    // Of lines without one it is the last that is asked for its form.
    expect(createScanner([searched]).scan(text, NOW, () => {}).candidates).toBe(4);
    if (derived.ok) expect(createScanner([derived.filter]).scan(text, NOW, () => {}).candidates).toBe(5);
  });

  it.each([
    ["literals: ['#7', from]", ['#7', 'from']],
    ['literals: from', ['from']],
    ['literals: a', undefined],
    ['literals: []', undefined],
    [`literals: ${'x'.repeat(65)}`, undefined],
    [`literals: [${Array.from({ length: 17 }, (_, n) => `x${n}y`).join(', ')}]`, undefined],
  ])('are written as %s', (written, literals) => {
    const file = `service: x\nlayout: plain\ndescription: y\nmatch:\n  - regex: '^#7 from <ip>'\n    ${written}\n`;
    const { definition, faults } = parseFilter(file, 'filters/x.yaml');
    if (literals) expect(definition!.match[0]).toMatchObject({ literals });
    else expect(faults).toMatchObject([{ code: 'E_FILTER_VALUE', line: 6 }]);
  });
});
