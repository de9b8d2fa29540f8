import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { jsonSchema, referencePage } from '../../src/config/reference.ts';
import { banTimeObject, configSchema, jailSchema } from '../../src/config/schema.ts';

const ROOT = join(import.meta.dirname, '../..');
const shipped = (name: string) => readFileSync(join(ROOT, name), 'utf8');

test('jails.schema.json is current (npm run generate)', () => {
  expect(JSON.parse(shipped('jails.schema.json'))).toEqual(jsonSchema());
});

test('docs/config.md is current (npm run generate)', () => {
  expect(shipped('docs/config.md')).toBe(referencePage());
});

test('the reference says of every key what it does, what it holds and its default', () => {
  const page = referencePage();
  for (const { entries } of [configSchema, jailSchema, banTimeObject])
    for (const key of Object.keys(entries))
      expect(page).toMatch(
        new RegExp(`^### ${key.replace('$', '\\$')}\n\n\\S.+\\.\n\n- \\S.+\n- Default: \\S`, 'm'),
      );
});

test('the JSON Schema refuses unknown keys and describes every key of a jail', () => {
  const schema = jsonSchema() as {
    additionalProperties: unknown;
    properties: Record<string, { properties: object }>;
  };
  expect(schema.additionalProperties).toBe(false);
  const keys = schema.properties['defaults']!.properties;
  expect(keys).toMatchObject({
    maxRetry: { type: 'integer', minimum: 1, default: 5 },
    mode: { enum: ['normal', 'aggressive'] },
  });
  for (const key of Object.values(keys)) expect(key).toHaveProperty('description');
});

test('jails.example.json is sound and says what the security plan says', () => {
  const shipped = readdirSync(join(ROOT, 'filters')).map((file) => file.replace(/\.yaml$/, ''));
  const { config, faults, warnings } = loadConfig(join(ROOT, 'jails.example.json'), {
    filters: new Set(shipped),
  });
  expect(faults).toEqual([]);
  expect(warnings).toEqual([]);
  expect(
    config!.jails
      .filter(({ enabled }) => enabled)
      .map(({ name, filters, maxRetry, findTime }) => [name, filters[0], maxRetry, findTime / 60_000]),
  ).toEqual([
    ['sshd', 'sshd', 5, 10],
    ['basic-auth', 'nginx-basic-auth', 5, 10],
    ['login', 'nginx-login', 5, 15],
    ['api', 'nginx-api', 101, 1],
    ['websocket', 'nginx-websocket', 11, 1],
    ['upload', 'nginx-upload', 6, 60],
    ['scanners', 'nginx-botsearch', 3, 10],
    ['errors', 'nginx-4xx', 61, 1],
    ['recidive', 'recidive', 5, 1_440],
  ]);
  for (const jail of config!.jails) {
    expect(jail.ports).toEqual([]);
    expect(jail.banTime.factor).toBeGreaterThan(1);
  }
});
