import { chmodSync, chownSync, lchownSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isOwnGroup } from '../../src/config/groups.ts';
import { checkOwnership } from '../../src/config/index.ts';
import type { Folder } from './folder.ts';
import { createFolder } from './folder.ts';

const me = process.getuid!();
const isRoot = me === 0;
/** A user with no entry in /etc/passwd, and so nobody's group. */
const STRANGER = 54_321;

let folder: Folder;
let file: string;
beforeEach(() => {
  folder = createFolder();
  chmodSync(folder.path, 0o755);
  file = folder.write('etc/jails.json', '{}');
  chmodSync(file, 0o644);
});
afterEach(() => folder[Symbol.dispose]());

/** A file that belongs to somebody else than `trusted`: by giving it away as root, else by trusting another. */
function withStranger(path: string): { uid: number } {
  if (isRoot) lchownSync(path, STRANGER, STRANGER);
  return { uid: isRoot ? 0 : STRANGER };
}
const code = (path: string, trusted = { uid: me } as Parameters<typeof checkOwnership>[1]) =>
  checkOwnership(path, trusted)?.code;

test('a file of the user who runs it, in folders that others cannot write, is trusted', () => {
  expect(checkOwnership(file, { uid: me })).toBeUndefined();
});

test('a file that everyone can write is refused, and the fault says what to do', () => {
  chmodSync(file, 0o666);
  expect(checkOwnership(file, { uid: me })).toEqual({
    code: 'E_CONFIG_UNTRUSTED',
    file,
    line: 0,
    column: 0,
    message: `${file} can be written by everyone`,
    hint: `chmod o-w ${file}`,
  });
});

test('a folder above it that everyone can write is refused, unless it is sticky', () => {
  chmodSync(`${folder.path}/etc`, 0o777);
  expect(code(file)).toBe('E_CONFIG_UNTRUSTED');
  chmodSync(`${folder.path}/etc`, 0o1777);
  expect(code(file)).toBeUndefined();
});

test('a file in a sticky folder is refused like any other when it is a stranger’s', () => {
  chmodSync(`${folder.path}/etc`, 0o1777);
  expect(code(file, withStranger(file))).toBe('E_CONFIG_UNTRUSTED');
});

test('a file or a folder of another user is refused', () => {
  expect(code(file, withStranger(`${folder.path}/etc`))).toBe('E_CONFIG_UNTRUSTED');
});

test('started from a checkout, its owner is as good as root', () => {
  const { uid } = withStranger(file);
  expect(code(file, { uid, checkoutOwner: isRoot ? STRANGER : me })).toBeUndefined();
  expect(code(file, { uid, checkoutOwner: STRANGER + 1 })).toBe('E_CONFIG_UNTRUSTED');
});

test('the way is walked as the kernel walks it: every symbolic link and where it leads', () => {
  mkdirSync(`${folder.path}/open`);
  symlinkSync(`${folder.path}/etc`, `${folder.path}/open/second`);
  symlinkSync('../open/second', `${folder.path}/etc/first`);
  const path = `${folder.path}/etc/first/jails.json`;
  expect(code(path)).toBeUndefined();
  // The second link lies where everyone could lay another one.
  chmodSync(`${folder.path}/open`, 0o777);
  expect(code(path)).toBe('E_CONFIG_UNTRUSTED');
});

test('a link in a sticky folder that belongs to a stranger is refused', () => {
  mkdirSync(`${folder.path}/tmp`);
  chmodSync(`${folder.path}/tmp`, 0o1777);
  const link = `${folder.path}/tmp/jails.json`;
  symlinkSync(file, link);
  expect(code(link)).toBeUndefined();
  expect(code(link, withStranger(link))).toBe('E_CONFIG_UNTRUSTED');
});

test('links in a circle, and a file that is not there, are faults', () => {
  symlinkSync('b', `${folder.path}/a`);
  symlinkSync('a', `${folder.path}/b`);
  expect(code(`${folder.path}/a`)).toBe('E_CONFIG_UNREADABLE');
  expect(code(`${folder.path}/none`)).toBe('E_CONFIG_UNREADABLE');
});

test("a group that can write it counts as others, unless it is the owner's own", () => {
  chmodSync(file, 0o664);
  const accounts = [readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8')] as const;
  expect(code(file)).toBe(isOwnGroup(statSync(file), ...accounts) ? undefined : 'E_CONFIG_UNTRUSTED');
  if (!isRoot) return;
  chownSync(file, 0, STRANGER);
  expect(code(file)).toBe('E_CONFIG_UNTRUSTED');
  chownSync(file, STRANGER, STRANGER);
  expect(code(file, { uid: STRANGER })).toBeUndefined();
});

const PASSWD =
  'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:100::/home/bob:/bin/sh\n';
test.each([
  ['bears his name and is empty', { uid: 1000, gid: 1000 }, 'ann:x:1000:\n', true],
  ['bears his name and holds him', { uid: 1000, gid: 1000 }, 'ann:x:1000:ann\n', true],
  ['holds another as well', { uid: 1000, gid: 1000 }, 'ann:x:1000:ann,bob\n', false],
  ["is another's first group as well", { uid: 1000, gid: 100 }, 'ann:x:100:\n', false],
  ['bears another name', { uid: 1000, gid: 27 }, 'sudo:x:27:\n', false],
  ['has no entry though he has one', { uid: 1000, gid: 1000 }, '', false],
  ['has his number, and neither has an entry', { uid: 4242, gid: 4242 }, 'ann:x:1000:\n', true],
  ['has another number, and neither has an entry', { uid: 4242, gid: 4243 }, 'ann:x:1000:\n', false],
  ["is root's own", { uid: 0, gid: 0 }, 'root:x:0:\n', true],
] as const)("a group that %s: is it the owner's own?", (_what, owner, group, expected) => {
  expect(isOwnGroup(owner, PASSWD, group)).toBe(expected);
});
