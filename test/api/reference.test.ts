import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referencePages } from '../../src/api/index.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { CATALOGUE } from '../../src/errors.ts';

const root = new URL('../../', import.meta.url);

describe('pages that are made from tables', async () => {
  test.each(Object.entries(await referencePages()))(
    '%s is what `npm run generate` would write',
    (path, text) => {
      expect(existsSync(new URL(path, root))).toBe(true);
      expect(readFileSync(new URL(path, root), 'utf8')).toBe(text);
    },
  );
});

test('docs/errors.md has every code, docs/http.md every route', async () => {
  const pages = await referencePages();
  for (const code of Object.keys(CATALOGUE)) expect(pages['docs/errors.md']).toContain(`| \`${code}\` |`);
  for (const route of ROUTES)
    expect(pages['docs/http.md']).toContain(`| \`${route.method} ${route.path}\` |`);
});
