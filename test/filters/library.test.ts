import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headComment, libraryPage } from '../../src/filters/index.ts';
import { describeShelf, openShelf } from '../../src/setup/index.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('docs/library.md is current (npm run generate)', () => {
  const page = libraryPage(describeShelf(openShelf([join(ROOT, 'filters')])));
  expect(readFileSync(join(ROOT, 'docs', 'library.md'), 'utf8')).toBe(page);
});

test('the comment at the head of a file ends where the filter begins', () => {
  expect(headComment('# One.\n#\n#   two\nservice: x\n# three\n')).toBe('One.\n\n  two');
  expect(headComment('service: x\n# one\n')).toBe('');
});
