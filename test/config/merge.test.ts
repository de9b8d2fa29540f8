import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { briefly, createFolder } from './folder.ts';

const MAIN = {
  allow: ['192.0.2.1'],
  defaults: { maxRetry: 7 },
  jails: {
    a: { filter: 'sshd', logs: ['/a', '/b'], banTime: { first: '1h', factor: 2 } },
    b: { filter: 'nginx-login', logs: ['/c'] },
  },
};

test('objects merge, everything else is replaced, null deletes', () => {
  using folder = createFolder();
  folder.write(
    'jails.d/10-site.json',
    '{ "jails": { "a": { "logs": ["/d"], "banTime": { "factor": 3 } }, "b": null } }',
  );
  folder.write(
    'jails.d/20-more.json',
    '{ "allow": null, "jails": { "c": { "filter": "sshd", "logs": ["/e"] } } }',
  );
  const config = folder.config(MAIN);
  expect(config.allow).toEqual([]);
  expect(config.jails.map(({ name, logs, maxRetry }) => [name, logs, maxRetry])).toEqual([
    ['a', ['/d'], 7],
    ['c', ['/e'], 7],
  ]);
  expect(config.jails[0]!.banTime).toMatchObject({ first: 3_600_000, factor: 3 });
});

test('a value takes the place of an object, and an object that of a value', () => {
  using folder = createFolder();
  folder.write(
    'jails.d/a.json',
    '{ "jails": { "a": { "banTime": "5m" }, "b": { "banTime": { "first": "2h" } } } }',
  );
  const { jails } = folder.config({
    ...MAIN,
    jails: { ...MAIN.jails, b: { ...MAIN.jails.b, banTime: '1m' } },
  });
  expect(jails.map(({ banTime }) => [banTime.first, banTime.factor])).toEqual([
    [300_000, 1],
    [7_200_000, 4],
  ]);
});

test('files are merged in the order of their names; others and hidden ones are passed over', () => {
  using folder = createFolder();
  folder.write('jails.d/b.json', '{ "defaults": { "maxRetry": 2 } }');
  folder.write('jails.d/a.json', '{ "defaults": { "maxRetry": 1 } }');
  folder.write('jails.d/.c.json', 'rubbish');
  folder.write('jails.d/d.json~', 'rubbish');
  folder.write('jails.d/e.jsonc', 'rubbish');
  expect(folder.config(MAIN).jails[0]!.maxRetry).toBe(2);
});

test('the files that were read are named, so that their owners can be checked', () => {
  using folder = createFolder();
  const more = folder.write('jails.d/a.json', '{}');
  expect(folder.load(MAIN).files).toEqual([`${folder.path}/jails.json`, more]);
});

test('a fault stands where the value came from, and a jail where it was first written', () => {
  using folder = createFolder();
  folder.write('jails.d/a.json', '{\n  "jails": {\n    "a": { "maxRetry": 0, "limt": "5/1m" }\n  }\n}');
  folder.write('jails.d/b.json', '{ "jails": { "a": { "limit": "5/1m" }, "b": { "filter": null } } }');
  const main =
    '{ "jails": {\n"a": { "filter": "ssdh", "logs": ["/a"], "findTime": 1 },\n"b": { "filter": "sshd", "logs": ["/b"] } } }';
  expect(briefly(folder, folder.load(main).faults)).toEqual([
    'jails.json:2:18 E_CONFIG_UNKNOWN_FILTER',
    'jails.json:2:42 E_CONFIG_CONFLICT',
    'jails.json:3:1 E_CONFIG_MISSING',
    'jails.d/a.json:3:24 E_CONFIG_VALUE',
    'jails.d/a.json:3:27 E_CONFIG_UNKNOWN_KEY',
  ]);
});

test('a fault of jails.json that a later file replaces is gone', () => {
  using folder = createFolder();
  folder.write('jails.d/a.json', '{ "jails": { "a": { "filter": "sshd" } } }');
  expect(folder.load({ jails: { a: { filter: 'ssdh', logs: ['/a'] } } }).faults).toEqual([]);
});

test('a null that deletes nothing is a warning with the nearest key', () => {
  using folder = createFolder();
  folder.write(
    'jails.d/a.json',
    '{ "jails": {\n "sshdd": null, "n": { "filter": "sshd", "logs": ["/n"], "zone": null } } }',
  );
  const { config, warnings } = folder.load({ jails: { sshd: { filter: 'sshd', logs: ['/a'] } } });
  expect(config?.jails.map(({ name }) => name)).toEqual(['sshd', 'n']);
  expect(briefly(folder, warnings)).toEqual([
    'jails.d/a.json:2:2 W_CONFIG_DELETES_NOTHING',
    'jails.d/a.json:2:58 W_CONFIG_DELETES_NOTHING',
  ]);
  expect(warnings[0]!.hint).toBe('did you mean "sshd"?');
});

test('an empty file, a broken one and one that holds no object are faults', () => {
  using folder = createFolder();
  folder.write('jails.d/a.json', '');
  folder.write('jails.d/b.json', '{ "jails": }');
  mkdirSync(`${folder.path}/jails.d/c.json`);
  expect(briefly(folder, folder.load('{ "allow": [1,, ] }').faults)).toEqual([
    'jails.json:1:15 E_CONFIG_SYNTAX',
    'jails.d/a.json:0:0 E_CONFIG_EMPTY',
    'jails.d/b.json:1:12 E_CONFIG_SYNTAX',
    'jails.d/c.json:0:0 E_CONFIG_UNREADABLE',
  ]);
  using other = createFolder();
  other.write('jails.d/a.json', '\n[]');
  expect(briefly(other, other.load(MAIN).faults)).toEqual(['jails.d/a.json:2:1 E_CONFIG_TYPE']);
});

test('a jails.d that is no folder is a fault', () => {
  using folder = createFolder();
  folder.write('jails.d', '');
  expect(briefly(folder, folder.load(MAIN).faults)).toEqual(['jails.d:0:0 E_CONFIG_UNREADABLE']);
});
