import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONFIG_CODES, readAllowFile } from '../../src/config/index.ts';
import { banTimeObject, configSchema, jailSchema } from '../../src/config/schema.ts';
import { createFolder } from './folder.ts';

const codes = Object.keys(CONFIG_CODES);
const keys = [configSchema, jailSchema, banTimeObject].flatMap(({ entries }) => Object.keys(entries));

/** JSON that looks like a config: known keys at any place, with values of any kind. */
const { almost } = fc.letrec<{ almost: unknown }>((tie) => ({
  almost: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.string()),
    fc.constantFrom(
      'sshd',
      '/a',
      '10m',
      'forever',
      '100/1m',
      'off',
      'UTC',
      '192.0.2.1',
      '10.0.0.1/8',
      'file:/x',
      '__proto__',
    ),
    fc.array(tie('almost'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom(...keys, '__proto__', 'constructor', 'path', 'prefix'), fc.string()),
      tie('almost'),
      { maxKeys: 6 },
    ),
  ),
}));

test('no bytes make the loader throw: a config or faults come of them', () => {
  using folder = createFolder();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '/',
        '*',
        '\\',
        '\n',
        'a',
        '1',
        '-',
        '.',
        'e',
        '\0',
      ),
    }),
    almost.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(bytes, bytes, (main, more) => {
      folder.write('jails.d/more.json', more);
      const { config, faults, warnings } = folder.load(main);
      expect(config === undefined).toBe(faults.length > 0);
      for (const fault of [...faults, ...warnings]) expect(codes).toContain(fault.code);
    }),
    { numRuns: 250 },
  );
});

test('whatever stands at the place of a key, each fault has a place in the file', () => {
  using folder = createFolder();
  const jail = fc.dictionary(fc.constantFrom(...Object.keys(jailSchema.entries)), almost);
  fc.assert(
    fc.property(jail, jail, (own, defaults) => {
      const { config, faults, warnings } = folder.load(
        JSON.stringify({ defaults, jails: { j: own } }, undefined, 1),
      );
      expect(config === undefined).toBe(faults.length > 0);
      for (const fault of [...faults, ...warnings]) {
        expect(codes).toContain(fault.code);
        expect(fault.line).toBeGreaterThan(0);
        expect(fault.column).toBeGreaterThan(0);
      }
    }),
    { numRuns: 250 },
  );
});

test('no bytes make the reader of lists throw', () => {
  using folder = createFolder();
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string()), (bytes) => {
      const { faults, warnings } = readAllowFile(folder.write('allow.txt', bytes));
      for (const fault of [...faults, ...warnings]) expect(codes).toContain(fault.code);
    }),
    { numRuns: 300 },
  );
});
