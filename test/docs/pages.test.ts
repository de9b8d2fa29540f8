// Every page is followed to the letter: each block of commands that it marks is run on a newcomer's host, in order, with
// real nginx, a real attacker and the real kernel, and what the page says one sees is what is seen.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/checkout.ts';
import { needs } from '../support/programs.ts';
import { followPage } from './follow.ts';
import { readPage, stepsOf } from './pages.ts';
import { difference } from './seen.ts';

const pages = globSync(['README.md', 'docs/*.md'], { cwd: ROOT })
  .toSorted()
  .filter((page) => readPage(join(ROOT, page)).length > 0);

needs(
  'root',
  'ip',
  'nft',
  'nginx',
  'curl',
  'unshare',
  'nsenter',
  'script',
)('a reader who follows', () => {
  test.each(pages)('%s', { timeout: 600_000 }, async (page) => {
    expect(await followPage(join(ROOT, page))).toBeGreaterThan(0);
  });
});

test('the guides are among the pages that are followed', () => {
  expect(pages).toEqual(
    expect.arrayContaining(
      ['decision', 'first-hour', 'guide-container', 'guide-proxy', 'troubleshooting'].map(
        (name) => `docs/${name}.md`,
      ),
    ),
  );
});

describe('what is seen', () => {
  test.each([
    ['a\nb\n', 'a\nb', undefined],
    ['a\nb\n', 'a\nc\n', 'not seen: b'],
    ['a\n', 'a\nb\n', 'seen, but not told: b'],
    ['a\n…\nd\n', 'a\nb\nc\nd\n', undefined],
    ['a\n…\nd\n', 'a\nb\nc\n', 'not seen: d'],
    ['…\nd\n', 'a\nd\n', undefined],
    ['a\n…\n', 'a\nb\nc\n', undefined],
    ['a … c\n', 'a b c\n', undefined],
    ['a … c\n', 'a b d\n', 'not seen: a … c'],
    ['a…a\n', 'a\n', 'not seen: a…a'],
    ['since 2026-11-26 09:00:05Z for 10m\n', 'since 2027-01-02 03:04:05Z  for  10m\n', undefined],
    [
      'since 2026-11-26 09:00:05Z for 10m\n',
      'since 2027-01-02 03:04:05Z for 40m\n',
      'not seen: since INSTANT for 10m',
    ],
  ])('told %j, seen %j', (told, seen, wanted) => {
    expect(difference(told, seen)).toBe(wanted);
  });
});

describe('a page', () => {
  test('says which blocks are run, how they end and what is seen', () => {
    const text = [
      ...[
        '```sh',
        'no',
        '```',
        '',
        '```sh run ends=28',
        'false',
        '```',
        'words',
        '',
        '```sh run',
        'true',
        '```',
      ],
      ...['', '```text seen', 'x', '```', '<!-- keys: Ctrl-C in the second terminal -->', '<!-- fresh -->'],
      ...[
        '<!-- staged',
        'hidden',
        '-->',
        '```sh run terminal',
        'stay',
        '```',
        '```text seen',
        '…',
        '```',
        '',
      ],
    ].join('\n');
    const run = { kind: 'run', ends: 0, look: false, terminal: false, seen: undefined };
    expect(stepsOf(text, 'page')).toEqual([
      { ...run, line: 5, code: 'false\n', ends: 28 },
      { ...run, line: 10, code: 'true\n', seen: 'x\n' },
      { kind: 'interrupt', line: 17 },
      { kind: 'fresh', line: 18 },
      { ...run, line: 19, code: 'hidden\n' },
      { ...run, line: 22, code: 'stay\n', terminal: true, seen: '…\n' },
    ]);
  });

  test.each([
    ['```sh runs\ntrue\n```\n', 'page:1: the mark "runs" is not known'],
    ['\n```sh run twice\ntrue\n```\n', 'page:2: the mark "twice" is not known'],
    ['```text seen\nx\n```\n', 'page:1: nothing was run that this could be seen of'],
    ['```sh run look\ntrue\n```\n', 'page:1: what is seen of it must be told'],
  ])('whose marks make no sense is refused: %j', (text, why) => {
    expect(() => stepsOf(text, 'page')).toThrow(why);
  });
});
