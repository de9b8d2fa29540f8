import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessFields, createAccessLayout } from '../../src/filters/access.ts';
import { literalsOfAccess } from '../../src/filters/access-literals.ts';
import type { Literal } from '../../src/filters/literal.ts';
import { requiredLiterals } from '../../src/filters/literals.ts';
import { parseLogFormat } from '../../src/filters/logformat.ts';
import { makeLinear } from '../../src/filters/regex.ts';
import { planSearch } from '../../src/filters/search/plan.ts';
import { createSearchRoom } from '../../src/filters/search/room.ts';
import { compiledSearch, regexSearch } from '../../src/filters/search/search.ts';
import type { LiteralSearch } from '../../src/filters/search/search.ts';
import { parsePattern } from '../../src/filters/syntax.ts';
import { writeRegex } from '../../src/filters/tree.ts';
import type { Conditions } from '../../src/model.ts';
import { createStamps } from '../../src/time.ts';
import { createScanner } from '../../src/filters/scanner.ts';
import type { Scanner } from '../../src/filters/contract.ts';
import { NOW, bytes, filterOf } from './engine.ts';

const room = createSearchRoom();
const character = fc.constantFrom(...'aabAB@`[{ %/"\\.404é\u0000\u00ff');
const literal = fc
  .record({ bytes: fc.string({ unit: character, minLength: 2, maxLength: 9 }), fold: fc.boolean() })
  .map(({ bytes: text, fold }): Literal => ({ bytes: fold ? text.toLowerCase() : text, fold }));
/** Words of letters that logs are full of. */
const many = Array.from({ length: 400 }, (_, n): Literal => {
  const letters = Array.from(
    { length: 5 },
    (_, place) => 97 + ((Math.imul(n * 5 + place + 1, 2_654_435_761) >>> 20) % 26),
  );
  return { bytes: String.fromCharCode(...letters), fold: n % 2 === 0 };
});
const text = fc
  .array(fc.oneof(character, fc.constantFrom('\n', ...many.slice(0, 20).map((each) => each.bytes))), {
    maxLength: 120,
  })
  .map((parts) => parts.join(''));

function holds(where: string, { bytes: own, fold }: Literal): boolean {
  return (fold ? lower(where) : where).includes(own);
}
/** ASCII only, as a log's bytes are folded. */
function lower(where: string): string {
  return where.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function linesFound(search: LiteralSearch, whole: string): number[] {
  const found: number[] = [];
  search.take({ text: whole });
  for (let at = search.next(0); at !== Infinity;) {
    found.push(whole.slice(0, at).split('\n').length - 1);
    const feed = whole.indexOf('\n', at);
    at = feed < 0 ? Infinity : search.next(feed + 1);
  }
  return found;
}

describe('a search for literals', () => {
  it('finds exactly the lines that hold one, and which ones they are', () => {
    let compared = 0;
    const property = (extra: readonly Literal[]) =>
      fc.property(fc.array(literal, { minLength: 1, maxLength: 12 }), text, (some, whole) => {
        const literals = [...some.filter((each) => each.bytes === lower(each.bytes) || !each.fold), ...extra];
        if (literals.length === 0) return;
        const search = compiledSearch(literals, room)!;
        const lines = whole.split('\n');
        const expected = lines.flatMap((line, index) =>
          literals.some((each) => holds(line, each)) ? [index] : [],
        );
        expect(linesFound(search, whole)).toEqual(expected);
        expect(linesFound(regexSearch(literals), whole)).toEqual(expected);
        search.take({ text: whole });
        let start = 0;
        for (const line of lines) {
          const ids = new Set<number>();
          if (search.each(start, start + line.length, (id) => ids.add(id)))
            expect([...ids].toSorted((a, b) => a - b)).toEqual(
              literals.flatMap((each, id) => (holds(line, each) ? [id] : [])),
            );
          compared += ids.size;
          start += line.length + 1;
        }
      });
    fc.assert(property([]), { numRuns: 200 });
    fc.assert(property(many.slice(0, 40)), { numRuns: 30 });
    fc.assert(property(many), { numRuns: 10 });
    expect(compared).toBeGreaterThan(50);
  });

  it('goes by half bytes for few literals, and by hashes for many', () => {
    expect(planSearch(many.slice(0, 3)).map(({ kind }) => kind)).toEqual(['fingerprints']);
    expect(planSearch([...many, { bytes: '/.', fold: false }]).map(({ kind }) => kind)).toEqual([
      'fingerprints',
      'hashes',
    ]);
  });

  it('is told nothing by what stood there before', () => {
    const search = compiledSearch([{ bytes: 'abcdef', fold: false }], room)!;
    search.take({ text: 'xxxabcdef' });
    expect(search.next(0)).not.toBe(Infinity);
    search.take({ text: 'xxxabc' });
    expect(search.next(0)).toBe(Infinity);
    search.take({ text: `${'x'.repeat(900_000)}abcdef` });
    expect(search.next(0)).toBeGreaterThanOrEqual(900_000);
  });
});

describe('what a pattern requires', () => {
  const part = fc.constantFrom(
    ...['a', 'B', '(?i)c', '[ab]', '\\d', '.', '(?:ab|cd)', '(?:a|bc*)', 'x?', '(?:xy)*', '(?:de){2}'],
    ...['^', '$', '\\b', '/\\.', '(?:f[^g]*|h)', '[^a]', '(?:ij){2,}', ' *', '(?<![a-c])', '(?:(?i)kl|m)'],
  );
  const word = fc.constantFrom(
    ...['a', 'B', 'C', 'c', '1', 'é', 'ab', 'cd', 'bcc', 'x', 'xyxy', 'dede', '/.', 'f', 'fhh', 'h', 'Z'],
    ...['ijijij', ' ', '  ', 'KL', 'm', 'kl'],
  );

  it('stands in every text that it matches', () => {
    let matched = 0;
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 2, maxLength: 4 }),
        fc.array(fc.string({ unit: word, maxLength: 6 }), { minLength: 30, maxLength: 60 }),
        (parts, texts) => {
          const parsed = parsePattern(parts.join(''));
          if (!parsed.ok) return;
          const required = requiredLiterals(parsed.node);
          const linear = makeLinear(parsed.node);
          if (!required || !linear.ok) return;
          for (const each of texts) {
            if (!linear.regex.test(each)) continue;
            matched++;
            expect({
              regex: writeRegex(parsed.node),
              each,
              fits: required.some((one) => holds(each, one)),
            }).toMatchObject({ fits: true });
          }
        },
      ),
      { numRuns: 1_500 },
    );
    expect(matched).toBeGreaterThan(50);
  });
});

describe('conditions on an access log', () => {
  const format = parseLogFormat('combined');
  if (!format.ok) throw new Error('combined is a format');
  const fields = accessFields(createAccessLayout(format.format, createStamps('UTC')));
  const literals = (where: Conditions) =>
    literalsOfAccess([where], fields, format.format)
      ?.map(({ bytes: own }) => own)
      .toSorted();

  it.each<[Conditions, readonly string[]]>([
    [{ status: '400-499' }, ['" 4']],
    [{ status: [401, 403] }, ['" 401 ', '" 403 ']],
    [{ method: 'POST' }, ['"POST ']],
    [{ user_agent: { regex: '(?i)sqlmap|nikto' } }, ['sqlmap', 'nikto']],
    [{ user_agent: { contains: 'a"b' } }, ['a"b', 'a\\x22b']],
    [{ path: { prefix: '/a/secret/' } }, ['/secret/', '%2f', '%73', '%65', '%63', '%72', '%74']],
  ])('of %j search for %j', (where, expected) => expect(literals(where)).toEqual(expected.toSorted()));

  it.each<Conditions>([
    { method: 'GET' },
    { status: 200 },
    { path: { prefix: '/' } },
    { ip: { present: true } },
  ])('are asked of every line where nothing rare is demanded: %j', (where) =>
    expect(literals(where)).toBeUndefined(),
  );

  /** Spells a path so that the server takes it for the same. */
  const spelled = (path: string) =>
    fc
      .array(fc.constantFrom('as it is', 'hex', 'HEX', 'slashes', 'dots', 'climb'), {
        minLength: path.length,
        maxLength: path.length,
      })
      .map((ways) =>
        [...path]
          .map((each, index) => {
            const hex = `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`;
            const way = ways[index];
            if (way === 'hex') return hex;
            if (way === 'HEX') return hex.toUpperCase();
            if (each !== '/') return each;
            return way === 'slashes' ? '//' : way === 'dots' ? '/./' : way === 'climb' ? '/x%2e/../' : each;
          })
          .join(''),
      );
  const target = fc
    .constantFrom(
      '/wp-login.php',
      '/a/b/.env',
      '/phpmyadmin/index.php',
      '/.git/config',
      '/shop',
      '/a/wp-login',
    )
    .chain(spelled);
  const request = fc
    .record({
      before: fc.constantFrom('', 'http://example.org', 'HTTP://x:80'),
      target,
      behind: fc.constantFrom('', '?a=/wp-login.php', '#x', ';x=1', '/'),
      agent: fc.constantFrom('-', 'sqlmap/1', 'a\\x22 or 1=1', "' OR  '1'='1", '() { :;}', 'Mozilla/5.0'),
      status: fc.constantFrom(200, 404, 429, 301),
    })
    .map(
      ({ before, target: path, behind, agent, status }) =>
        `192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "GET ${before}${path}${behind} HTTP/1.1" ${status} 1 "-" "${agent}"`,
    );
  const filters = [
    filterOf({ layout: 'access', where: { path: { regex: '(?i)/(?:wp-login|phpmyadmin)' } } }),
    filterOf({
      layout: 'access',
      where: { path: { regex: String.raw`^(?:/[^/]+){0,2}/\.(?:env|git)(?:/|$)` } },
    }),
    filterOf({ layout: 'access', where: { path: ['/shop', '/a/wp-login'] } }),
    filterOf({ layout: 'access', where: { path: { prefix: '/phpmyadmin/' }, status: '400-499' } }),
    filterOf({
      layout: 'access',
      where: {
        user_agent: {
          regex: [String.raw`(?i)(?:'|") *(?:and|or) *(?:'|")?\d`, String.raw`\(\) *\{`, 'sqlmap'],
        },
      },
    }),
  ];

  it('miss no line, however its request is spelled', () => {
    let matches = 0;
    const together = createScanner(filters, room);
    const alone = filters.map((filter) => createScanner([filter], room));
    const found = (scanner: Scanner, text: string): number[] => {
      const all: number[] = [];
      scanner.scan(text, NOW, (filter) => all.push(filter));
      return all;
    };
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 12 }), (all) => {
        const expected = all.flatMap((line) =>
          filters.flatMap((filter, index) =>
            filter.judge(bytes(line), NOW).outcome === 'match' ? [index] : [],
          ),
        );
        matches += expected.length;
        expect(found(together, `${all.join('\n')}\n`)).toEqual(expected);
        for (const [index, scanner] of alone.entries())
          expect(found(scanner, `${all.join('\n')}\n`)).toHaveLength(
            expected.filter((each) => each === index).length,
          );
      }),
      { numRuns: 200 },
    );
    expect(matches).toBeGreaterThan(300);
  });
});
