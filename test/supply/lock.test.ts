// The packages that Bailiff stands on: what can be checked of them without asking anybody is checked each time.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/checkout.ts';
import { faultsOf, installed, type Lock, type Manifest, type Package } from './lock.ts';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lock;

test('every package is pinned, has its hash and a listed licence, comes from the registry, and runs nothing at install', () => {
  expect(Object.keys(lock.packages).length).toBeGreaterThan(200);
  expect(faultsOf(manifest, lock)).toEqual([]);
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
});

const sound: Package = { version: '1.2.3', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };

test.each<[string, Package, string]>([
  ['no hash', { ...sound, integrity: undefined! }, 'a has no SHA-512 in the lock file'],
  [
    'a weak hash',
    { ...sound, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
    'a has no SHA-512 in the lock file',
  ],
  [
    'a repository',
    { ...sound, resolved: 'git+ssh://git@example.net/a.git#1' },
    'a comes from elsewhere: git+ssh://git@example.net/a.git#1',
  ],
  [
    'an address',
    { ...sound, resolved: 'https://example.net/a.tgz' },
    'a comes from elsewhere: https://example.net/a.tgz',
  ],
  ['an install script', { ...sound, hasInstallScript: true }, 'a has an install script'],
  [
    'another licence',
    { ...sound, license: 'GPL-3.0-only' },
    'a has a licence that is not listed: GPL-3.0-only',
  ],
  ['no licence', { ...sound, license: undefined! }, 'a has a licence that is not listed: undefined'],
  [
    'weak copyleft for users',
    { ...sound, license: 'MPL-2.0' },
    'a has a licence that is not listed: MPL-2.0',
  ],
])('a package with %s is found out', (_what, entry, fault) => {
  expect(faultsOf({}, { packages: { '': {}, 'node_modules/b/node_modules/a': entry } })).toEqual([fault]);
});

test.each([
  '^1.2.3',
  '~1.2.3',
  '*',
  'latest',
  '>=1',
  '1.2',
  'git+https://example.net/a.git',
  'file:../a',
  'npm:b@^1.0.0',
])('a dependency on %s is not pinned', (version) => {
  for (const kind of ['dependencies', 'optionalDependencies', 'devDependencies'])
    expect(faultsOf({ [kind]: { a: version } }, { packages: {} })).toEqual([
      `a is not pinned exactly: ${version}`,
    ]);
});

test('as many packages come with an installation as docs/security.md says, and no tool among them', () => {
  const names = installed(lock);
  expect(read('docs/security.md')).toContain(`An installation has ${names.length} packages`);
  const tools = Object.keys(manifest.devDependencies ?? {});
  expect(names.filter((name) => tools.includes(name))).toEqual([]);
});
