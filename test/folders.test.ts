import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../src/folders.ts';
import { temporaryFolder } from './support/leftovers.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder('folders')));
afterEach(() => folder.remove());

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a folder', () => {
  test('is made with those above it, and made once', () => {
    const path = join(folder.path, 'a/b/c');
    expect(makeFolder(path, 0o700)).toBe(true);
    expect(makeFolder(path, 0o711)).toBe(false);
    expect([modeOf(path), modeOf(join(folder.path, 'a'))]).toEqual([0o700, 0o700]);
  });

  test('may be reached by a link, and by a path of its own place', () => {
    mkdirSync(join(folder.path, 'real'));
    symlinkSync('real', join(folder.path, 'link'));
    expect(makeFolder(join(folder.path, 'link'), 0o700)).toBe(false);
    expect(makeFolder(join(folder.path, 'link/in'), 0o700)).toBe(true);
    expect(makeFolder('.', 0o700)).toBe(false);
    expect(makeFolder('/', 0o700)).toBe(false);
  });

  test.each([
    ['a file in its place', 'file', 'EEXIST'],
    ['a file above it', 'file/in', 'ENOTDIR'],
    ['a link to nothing in its place', 'nowhere', 'EEXIST'],
  ])('is refused with %s', (_, name, code) => {
    writeFileSync(join(folder.path, 'file'), '');
    symlinkSync('gone', join(folder.path, 'nowhere'));
    expect(() => makeFolder(join(folder.path, name), 0o700)).toThrow(expect.objectContaining({ code }));
  });

  test('is refused at once where nothing can be made in a folder that exists', () => {
    expect(() => makeFolder('/proc/bailiff/state', 0o700)).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
  });

  test('is refused at once where the place at which it would stand is gone', () => {
    const before = process.cwd();
    const gone = join(folder.path, 'gone');
    mkdirSync(gone);
    process.chdir(gone);
    rmSync(gone, { recursive: true });
    try {
      expect(() => makeFolder('state', 0o700)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    } finally {
      process.chdir(before);
    }
  });
});
