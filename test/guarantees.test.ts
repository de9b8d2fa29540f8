// docs/guarantees.md names tests: each of them is there, under the title that it is named by.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Row {
  readonly promise: string;
  readonly shownBy: readonly { readonly file: string; readonly title: string }[];
}

/** The rows of every table whose third column says what shows a promise. */
function rowsOf(page: string): Row[] {
  const lines = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:Promise|---)/.test(line));
  return lines.map((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const named = [...(cells[3] ?? '').matchAll(/`(test\/[^`]+)`: “([^”]+)”/g)];
    return { promise: cells[1]!, shownBy: named.map(([, file, title]) => ({ file: file!, title: title! })) };
  });
}

/** Is a test of that title made in the source: as the first argument of a call? */
function hasTest(source: string, title: string): boolean {
  // As it is meant: 'the host\'s' is the host's.
  const meant = source.replace(/\\(['"`])/g, '$1');
  return ["'", '"', '`'].some((quote) => {
    const at = meant.indexOf(`${quote}${title}${quote}`);
    return at > 0 && meant.slice(0, at).trimEnd().endsWith('(');
  });
}

function missing(rows: readonly Row[], textOf: (file: string) => string | undefined): string[] {
  return rows.flatMap(({ promise, shownBy }) => {
    if (shownBy.length === 0) return [`${promise}: names no test`];
    return shownBy.flatMap(({ file, title }) => {
      const source = textOf(file);
      if (source === undefined) return [`${file} does not exist`];
      return hasTest(source, title) ? [] : [`${file} has no test “${title}”`];
    });
  });
}

test('every promise names tests that exist', () => {
  const rows = rowsOf(read('docs/guarantees.md'));
  expect(rows.length).toBeGreaterThan(15);
  expect(missing(rows, (file) => (existsSync(join(ROOT, file)) ? read(file) : undefined))).toEqual([]);
});

test('a test that is gone, or only spoken of, is found out', () => {
  const row = (shown: string) =>
    `| Promise | a | b | c |\n| --- | --- | --- | --- |\n| p | f | ${shown} | n |\n`;
  const source = "test('the host\\'s own', () => {});\n// 'spoken of'\n)(\n  'in a table',\n";
  const found = (shown: string) =>
    missing(rowsOf(row(shown)), (file) => (file === 'test/a.test.ts' ? source : undefined));
  expect(found("`test/a.test.ts`: “the host's own”; `test/a.test.ts`: “in a table”")).toEqual([]);
  expect(found('`test/a.test.ts`: “gone”')).toEqual(['test/a.test.ts has no test “gone”']);
  expect(found('`test/a.test.ts`: “spoken of”')).toEqual(['test/a.test.ts has no test “spoken of”']);
  expect(found('`test/b.test.ts`: “x”')).toEqual(['test/b.test.ts does not exist']);
  expect(found('somewhere')).toEqual(['p: names no test']);
});
