import { describe, expect, test } from 'vitest';
import { findOperator } from '../../src/cli/operator.ts';
import { findPaths, refusesColor } from '../../src/cli/paths.ts';

const around = (env: Record<string, string>, uid = 0) => ({ env, uid });

describe('where things are', () => {
  test('without anything said: the system’s folders', () => {
    expect(findPaths({}, around({}))).toEqual({
      config: '/etc/bailiff/jails.json',
      state: '/var/lib/bailiff',
      runtime: '/run/bailiff',
      fellBackFrom: undefined,
      checkout: undefined,
    });
  });

  test('the environment names others, an empty variable names nothing', () => {
    const env = { BAILIFF_CONFIG: '/a/jails.json', BAILIFF_STATE: '/b', BAILIFF_RUNTIME: '' };
    expect(findPaths({}, around(env))).toMatchObject({
      config: '/a/jails.json',
      state: '/b',
      runtime: '/run/bailiff',
    });
  });

  test('the command line wins over the environment, and paths are absolute', () => {
    const env = { BAILIFF_CONFIG: '/a/jails.json', BAILIFF_RUNTIME: '/a/run' };
    const paths = findPaths({ config: 'jails.json', runtime: 'run' }, around(env));
    expect(paths).toMatchObject({ config: `${process.cwd()}/jails.json`, runtime: `${process.cwd()}/run` });
  });

  test('a checkout has its own, unless something else is said', () => {
    const env = { BAILIFF_CHECKOUT: '/home/me/bailiff' };
    expect(findPaths({}, around(env))).toEqual({
      config: '/home/me/bailiff/jails.example.json',
      state: '/home/me/bailiff/.bailiff/state',
      runtime: '/home/me/bailiff/.bailiff/run',
      fellBackFrom: undefined,
      checkout: '/home/me/bailiff',
    });
    expect(findPaths({ runtime: '/r' }, around({ ...env, BAILIFF_STATE: '/s' }))).toMatchObject({
      runtime: '/r',
      state: '/s',
      fellBackFrom: undefined,
    });
  });
});

describe('a checkout too deep for a socket', () => {
  /** A root whose control.sock has a path of so many bytes. */
  const deep = (bytes: number): string => `/${'d'.repeat(bytes - '//.bailiff/run/control.sock'.length)}`;

  test('107 bytes fit, 108 fall back to a short folder that is the same each time', () => {
    const fits = findPaths({}, around({ BAILIFF_CHECKOUT: deep(107) }));
    expect(`${fits.runtime}/control.sock`).toHaveLength(107);
    expect(fits.fellBackFrom).toBeUndefined();

    const root = deep(108);
    const paths = findPaths({}, around({ BAILIFF_CHECKOUT: root }));
    expect(paths.runtime).toMatch(/^\/run\/bailiff-[0-9a-f]{8}$/);
    expect(paths.fellBackFrom).toBe(`${root}/.bailiff/run`);
    expect(findPaths({}, around({ BAILIFF_CHECKOUT: root })).runtime).toBe(paths.runtime);
    expect(findPaths({}, around({ BAILIFF_CHECKOUT: deep(109) })).runtime).not.toBe(paths.runtime);
  });

  test('users who are not root have theirs in /tmp, one a user', () => {
    const env = { BAILIFF_CHECKOUT: deep(200) };
    expect(findPaths({}, around(env, 1000)).runtime).toMatch(/^\/tmp\/bailiff-1000-[0-9a-f]{8}$/);
  });

  test('bytes count, not characters', () => {
    const env = { BAILIFF_CHECKOUT: `/${'ö'.repeat(60)}` };
    expect(findPaths({}, around(env)).fellBackFrom).toBe(`/${'ö'.repeat(60)}/.bailiff/run`);
  });

  test('a folder that was named is taken as it is', () => {
    const runtime = `/${'r'.repeat(200)}`;
    expect(findPaths({ runtime }, around({ BAILIFF_CHECKOUT: '/x' }))).toMatchObject({
      runtime,
      fellBackFrom: undefined,
    });
  });
});

test('NO_COLOR counts unless it is empty', () => {
  expect(refusesColor(around({}))).toBe(false);
  expect(['', '1'].map((value) => refusesColor(around({ NO_COLOR: value })))).toEqual([false, true]);
});

test.each([
  [{ SSH_CONNECTION: '203.0.113.7 40022 192.0.2.1 22', SSH_CLIENT: '203.0.113.8 40022 22' }, '203.0.113.7'],
  [{ SSH_CLIENT: '2001:db8::7 40022 22' }, '2001:db8::7'],
  [{ SSH_CONNECTION: 'fe80::1%eth0 40022 fe80::2%eth0 22' }, 'fe80::1'],
  [{ SSH_CONNECTION: 'UNKNOWN 65535 UNKNOWN 65535' }, undefined],
  [{ SSH_CONNECTION: '$(reboot) 1 2 3' }, undefined],
  [{}, undefined],
])('from where somebody came over ssh: %j', (env, address) => {
  expect(findOperator({ env, uid: 0 })).toBe(address);
});
