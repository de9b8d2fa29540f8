// The mutations are run on demand; here only that they could be.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyTo, MUTATIONS } from './mutations.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test.each(MUTATIONS)('the mutation $name still applies', (mutation) => {
  const source = readFileSync(join(ROOT, mutation.file), 'utf8');
  expect(applyTo(source, mutation)).not.toBe(source);
});

test('each point of the promise is broken by some mutation', () => {
  const points = new Set(MUTATIONS.map(({ point }) => point));
  expect([...points].toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});
