// The guides keep up with the code: every code stands in them, their example does what they say, no link leads astray.
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseFilter } from '../src/filters/index.ts';
import { start } from './cli/harness.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const find = (...patterns: string[]): string[] => globSync(patterns, { cwd: ROOT }).toSorted();

const GUIDES = find('docs/*.md');
const PAGES = ['README.md', 'CONTRIBUTING.md', ...find('docs/**/*.md')];

/** Which of the codes stand in no guide, as words of their own. */
function missing(codes: readonly string[], guides: string): string[] {
  const told = new Set(guides.match(/\b[EW]_[A-Z_]+\b/g));
  return codes.filter((code) => !told.has(code));
}

/** Codes as the source writes them: texts, and the keys of tables. */
function codesIn(source: string): string[] {
  const found = source.matchAll(/(['"`])([EW]_[A-Z_]+)\1|^\s*([EW]_[A-Z_]+):/gm);
  return [...found].map(([, , text, key]) => (text ?? key)!);
}

const guides = GUIDES.map(read).join('\n');

test('every code in the source stands in the docs', () => {
  const codes = [...new Set(find('src/**/*.ts').map(read).flatMap(codesIn))];
  expect(codes.length).toBeGreaterThan(60);
  expect(missing(codes, guides)).toEqual([]);
});

test('the codes that are put together from parts stand in the docs', () => {
  const sources = find('src/filters/*.ts').map(read).join('\n');
  const parts = [...sources.matchAll(/\b(?:yaml|reader)\.fault\(\s*'([A-Z_]+)'|\bcode: '([A-Z]+)'/g)];
  const codes = [...new Set(parts.map(([, yaml, condition]) => `E_FILTER_${yaml ?? condition}`))];
  expect(codes).toEqual(expect.arrayContaining(['E_FILTER_NAME', 'E_FILTER_TYPE', 'E_FILTER_FIELD']));
  // A key twice takes its code from the YAML parser.
  const twice = parseFilter('service: a\nservice: b', 'a.yaml').faults.map(({ code }) => code);
  expect(missing([...codes, ...twice], guides)).toEqual([]);
});

test('a code that no guide names is found out', () => {
  expect(missing(codesIn(`throw 'E_A'; const t = {\n  W_B: 1,\n}; "E_C"`), 'see `E_A` and `E_CD`')).toEqual([
    'W_B',
    'E_C',
  ]);
});

interface Link {
  readonly page: string;
  readonly target: string;
}

/** The links of a page that stay in this project. Code is no link. */
function linksIn(page: string, text: string): Link[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '`');
  const targets = [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/.test(target)).map((target) => ({ page, target }));
}

/** The anchors of a page, made of its headings as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of text.replace(/^```[^]*?^```/gm, '').matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Why a link leads nowhere; undefined where it leads somewhere. */
function whyBroken({ page, target }: Link): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), decodeURIComponent(path));
  const told = `${page}: ${target}`;
  if (relative(ROOT, file).startsWith('..')) return `${told} leaves the project`;
  if (!existsSync(file)) return `${told} does not exist`;
  if (anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).has(anchor)) return undefined;
  return `${told} has no such heading`;
}

test('every relative link leads to a file, and to a heading where it names one', () => {
  const links = PAGES.flatMap((page) => linksIn(page, read(page)));
  expect(links.length).toBeGreaterThan(10);
  expect(links.flatMap((link) => whyBroken(link) ?? [])).toEqual([]);
});

test('a link that leads nowhere is found out', () => {
  const text = '[a](nothing.md) `[b](code.md)` [c](errors.md#exit-statuses) [d](errors.md#no) [e](../../etc)';
  expect(linksIn('docs/x.md', text).flatMap((link) => whyBroken(link) ?? [])).toEqual([
    'docs/x.md: nothing.md does not exist',
    'docs/x.md: errors.md#no has no such heading',
    'docs/x.md: ../../etc leaves the project',
  ]);
});

/** What stands between fences in docs/filters.md under one heading, by language. */
function blocksUnder(heading: string, language: string): string[] {
  const section = read('docs/filters.md').split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  return [...section.matchAll(/^```(\w+)\n([^]*?)^```/gm)]
    .filter(([, of]) => of === language)
    .map(([, , text]) => text!);
}

test('the example in the guide to filters does what the guide says', async () => {
  const under = (language: string): string[] => blocksUnder('From a log line to a ban', language);
  const [[log], [filter, cure], [config], [refused, banned]] = [
    under('text'),
    under('yaml'),
    under('json'),
    under('console'),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'shop/filters'), { recursive: true });
  const put = (name: string, text: string): void => writeFileSync(join(folder, 'shop', name), text);
  put('app.log', log!);
  put('jails.json', config!);
  put('filters/shop.yaml', filter!);
  const call = async (...args: string[]) => {
    const { code, out, err } = await start(['--config', join(folder, 'shop/jails.json'), ...args]);
    // As the guide shows it: the folder and long blanks cut out.
    return { code, text: `${out}${err}`.replaceAll(folder, '…').replace(/ {2,}…/g, ' …') };
  };

  const first = await call('check');
  expect(first.code).toBe(1);
  expect(`$ bailiff --config shop/jails.json check\n${first.text}`).toBe(refused);

  put(
    'filters/shop.yaml',
    filter!.replace(/^ {2}- '\^WARN.*\n/m, () => cure!),
  );
  const transcript: string[] = [];
  for (const [verb, ...args] of [['check'], ['test', 'shop', 'shop/app.log'], ['replay', 'shop/app.log']]) {
    const { code, text } = await call(
      verb!,
      ...args.map((arg) => (arg.includes('/') ? join(folder, arg) : arg)),
    );
    expect(code).toBe(0);
    transcript.push(`$ bailiff --config shop/jails.json ${[verb, ...args].join(' ')}\n${text}`);
  }
  expect(transcript.join('')).toBe(banned);
});
