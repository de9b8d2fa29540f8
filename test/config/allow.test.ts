import { expect, test } from 'vitest';
import type { AllowEntry } from '../../src/config/contract.ts';
import { readAllowFile } from '../../src/config/index.ts';
import { briefly, createFolder } from './folder.ts';

const meaning = (entry: AllowEntry): string =>
  entry.kind === 'network'
    ? entry.network.text
    : entry.kind === 'file'
      ? `file ${entry.path}`
      : `name ${entry.name}`;

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['192.0.2.0/24', '192.0.2.0/24'],
  ['127.0.0.1/8', '127.0.0.0/8'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['office.example.net', 'name office.example.net'],
  ['Office.Example.NET.', 'name office.example.net'],
  ['1.2.3.4.in-addr.arpa', 'name 1.2.3.4.in-addr.arpa'],
  ['file:/etc/bailiff/allow.txt', 'file /etc/bailiff/allow.txt'],
])('the entry %s means %s', (written, expected) => {
  using folder = createFolder();
  const { allow } = folder.config({ allow: [written] });
  expect(allow.map(meaning)).toEqual([expected]);
  expect(allow[0]!.written).toBe(written);
  expect(folder.jail({ ignore: [written] }).ignore.map(meaning)).toEqual([expected]);
});

test('self may be written and changes nothing', () => {
  using folder = createFolder();
  expect(folder.config({ allow: ['self', '192.0.2.7'] }).allow.map(meaning)).toEqual(['192.0.2.7']);
});

test('a list has one entry a line, comments and empty lines', () => {
  using folder = createFolder();
  const file = folder.write(
    'allow.txt',
    '\uFEFF# office\r\n192.0.2.7\r\n\r\n  198.51.100.0/24   # branch\nself\noffice.example.net\n2001:db8::/32',
  );
  const { entries, faults, warnings } = readAllowFile(file);
  expect(entries.map(meaning)).toEqual([
    '192.0.2.7',
    '198.51.100.0/24',
    'name office.example.net',
    '2001:db8::/32',
  ]);
  expect([...faults, ...warnings]).toEqual([]);
});

test('an empty list allows nobody and is no fault', () => {
  using folder = createFolder();
  expect(readAllowFile(folder.write('allow.txt', '\n# nobody\n'))).toEqual({
    entries: [],
    faults: [],
    warnings: [],
  });
});

test('faulty lines of a list are told with their places, and the others hold', () => {
  using folder = createFolder();
  const file = folder.write(
    'allow.txt',
    '192.0.2.7\n  300.1.1.1 # typo\nfile:/other.txt\n10.0.0.1/8\n192.0.2.1 192.0.2.2\n192.0.2.8\n',
  );
  const { entries, faults, warnings } = readAllowFile(file);
  expect(entries.map(meaning)).toEqual(['192.0.2.7', '10.0.0.0/8', '192.0.2.8']);
  expect(briefly(folder, faults)).toEqual([
    'allow.txt:2:3 E_CONFIG_ADDRESS',
    'allow.txt:3:1 E_CONFIG_ADDRESS',
    'allow.txt:5:1 E_CONFIG_ADDRESS',
  ]);
  expect(briefly(folder, warnings)).toEqual(['allow.txt:4:1 W_CONFIG_HOST_BITS']);
});

test('a list that is missing is a fault', () => {
  using folder = createFolder();
  const { entries, faults } = readAllowFile(`${folder.path}/none.txt`);
  expect(entries).toEqual([]);
  expect(briefly(folder, faults)).toEqual(['none.txt:0:0 E_CONFIG_UNREADABLE']);
});
