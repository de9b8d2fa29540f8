// Where each value comes from: what stands at the place that is named says what holds.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { findNodeAtOffset, getNodeValue, parseTree } from 'jsonc-parser';
import { expect, test } from 'vitest';
import type { Origin } from '../../src/config/index.ts';
import { readJailNames } from '../../src/config/index.ts';
import { configSchema, historySchema, jailSchema, limitsSchema } from '../../src/config/schema.ts';
import { parseDuration } from '../../src/time.ts';
import { createFolder } from './folder.ts';
import type { Folder } from './folder.ts';

/** `jails.sshd.maxRetry 3 jails.json:4:5 defaults`. */
function brief(folder: Folder, { path, held, from, at, by }: Origin): string {
  const place = at ? `${at.file.slice(folder.path.length + 1)}:${at.line}:${at.column}` : '-';
  const value = JSON.stringify(held.value);
  return [path.join('.'), value, place, from, ...(by === undefined ? [] : [by])].join(' ');
}

/** What stands in a file at a place. */
function written({ at }: Origin): unknown {
  const text = readFileSync(at!.file, 'utf8');
  const lines = text.split('\n').slice(0, at!.line - 1);
  const offset = lines.reduce((sum, line) => sum + line.length + 1, 0) + at!.column - 1;
  return getNodeValue(findNodeAtOffset(parseTree(text)!, offset)!) as unknown;
}

/** Does what is written there, by the key that is named, say what holds? */
function isSaidThere(origin: Origin): boolean {
  const { path, held, by } = origin;
  const said = written(origin);
  const ms = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(ms) : parseDuration(value as string | number);
  let expected: unknown = held.kind === 'duration' ? ms(said) : said;
  if (by === 'limit') {
    const [count, window] = (said as string).split('/');
    expected = path.at(-1) === 'maxRetry' ? Number(count) + 1 : parseDuration(window!);
  }
  if (by === 'steps') expected = ms((said as string[])[0]);
  if (by === 'banTime') expected = path.at(-1) === 'factor' ? 1 : ms(said);
  return JSON.stringify(expected) === JSON.stringify(held.value);
}

test('a value stands where it was written: in the jail, in jails.d, in defaults, or nowhere', () => {
  using folder = createFolder();
  folder.write('jails.d/10.json', '{ "jails": { "a": { "ports": [22], "where": { "path": "/x" } } } }');
  folder.write('jails.d/20.json', '{ "defaults": { "mode": null }, "jails": { "b": null } }');
  const { origins, faults } = folder.load(`{
  "defaults": { "maxRetry": 3, "mode": "aggressive" },
  "allow": ["192.0.2.1"],
  "jails": {
    "a": { "filter": "sshd", "logs": ["/a"], "ports": [1], "where": { "status": 401, "path": "/y" } },
    "b": { "filter": "sshd", "logs": ["/b"] }
  }
}`);
  expect(faults).toEqual([]);
  const rows = origins().map((origin) => brief(folder, origin));
  for (const row of [
    'defaults.maxRetry 3 jails.json:2:29 config',
    'defaults.banTime.first 600000 - built-in',
    'allow ["192.0.2.1"] jails.json:3:12 config',
    'trustedProxies [] - built-in',
    'history.keep 31536000000 - built-in',
    'history.maxSize 1024 - built-in',
    'jails.a.filter "sshd" jails.json:5:22 config',
    'jails.a.maxRetry 3 jails.json:2:29 defaults',
    'jails.a.ports [22] jails.d/10.json:1:30 config',
    'jails.a.mode "normal" - built-in',
    'jails.a.where.status 401 jails.json:5:81 config',
    'jails.a.where.path "/x" jails.d/10.json:1:55 config',
  ])
    expect(rows).toContain(row);
  expect(rows.filter((row) => row.startsWith('jails.b') || row.startsWith('defaults.mode'))).toEqual([]);
});

test('every key that can be written is told, with its place', () => {
  using folder = createFolder();
  const JAIL: Partial<Record<keyof typeof jailSchema.entries, unknown>> = {
    enabled: false,
    filter: 'sshd',
    logs: ['/a'],
    journal: ['_A=b'],
    sources: 'all',
    start: 'end',
    banTime: '1h',
    respond: 'reject',
    ports: [1],
    protocol: 'tcp',
    ignore: ['192.0.2.1'],
    brake: 'off',
    mode: 'aggressive',
    zone: 'UTC',
    logFormat: 'common',
    where: { status: 1 },
    except: { status: 2 },
  };
  for (const key of Object.keys(jailSchema.entries) as (keyof typeof jailSchema.entries)[]) {
    // What it says is told of maxRetry and findTime.
    if (key === 'limit') continue;
    // One of these fits any other key; those that don't are faults, and tell nothing.
    const told = (key in JAIL ? [JAIL[key]] : [true, 77, '3m', 'a']).some((value) => {
      const { origins } = folder.load({ jails: { j: { filter: 'sshd', logs: ['/a'], [key]: value } } });
      const found = origins().filter(({ path, from }) => path[2] === key && from === 'config');
      return found.length > 0 && found.every(isSaidThere);
    });
    expect([key, told]).toEqual([key, true]);
  }
  const { origins } = folder.load({
    allow: ['192.0.2.1'],
    trustedProxies: ['192.0.2.2'],
    journalDirectory: '/host/journal',
    history: { keep: '9d', maxSize: 32 },
    limits: { offendersPerJail: 1_000, offenders: 2_000, evidence: 1, bans: 1_000 },
  });
  const rows = origins().filter(({ from }) => from === 'config');
  expect(rows.every(isSaidThere)).toBe(true);
  const keys = rows.map(({ path }) => path.join('.'));
  const top = Object.keys(configSchema.entries).filter(
    (key) => !['$schema', 'defaults', 'jails', 'history', 'limits'].includes(key),
  );
  expect(keys).toEqual(
    expect.arrayContaining([
      ...top,
      ...Object.keys(historySchema.entries).map((key) => `history.${key}`),
      ...Object.keys(limitsSchema.entries).map((key) => `limits.${key}`),
    ]),
  );
});

/** Values of one level that no other level has. */
function levelOf(n: number) {
  const some = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record(model, { requiredKeys: [] });
  const others = {
    max: fc.constant(`${n}d`),
    forget: fc.constant(`${n}3d`),
    scope: fc.constantFrom('jail', 'all'),
  };
  const banTime = fc.oneof(
    fc.constant(`${n}1m`),
    some({ first: fc.constant(`${n}2m`), factor: fc.constant(n + 1), ...others }),
    some({ steps: fc.constant([`${n}4m`, `${n}5m`]), ...others }),
  );
  const counting = fc.oneof(
    some({ maxRetry: fc.constant(10 + n), findTime: fc.constant(`${n}6m`) }),
    fc.record({ limit: fc.constant(`${n}00/${n}7m`) }),
  );
  const level = some({ banTime, dryRun: fc.boolean() });
  return fc.tuple(counting, level).map(([first, second]) => ({ ...first, ...second }));
}

test('whatever is written at which level, what stands at the place says what holds', () => {
  using folder = createFolder();
  const built = folder.load({ jails: { j: { filter: 'sshd', logs: ['/a'] } } }).origins();
  let sound = 0;
  fc.assert(
    fc.property(levelOf(1), levelOf(2), levelOf(3), levelOf(4), (defaults, own, over, overDefaults) => {
      folder.write(
        'jails.d/10.json',
        JSON.stringify({ defaults: overDefaults, jails: { j: over } }, null, 1),
      );
      const main = { defaults, jails: { j: { filter: 'sshd', logs: ['/a'], ...own } } };
      const { origins, config } = folder.load(JSON.stringify(main, null, 1));
      if (!config) return;
      sound++;
      for (const origin of origins()) {
        if (origin.at) {
          expect([brief(folder, origin), isSaidThere(origin)]).toEqual([brief(folder, origin), true]);
        } else if (origin.path.at(-1) !== 'max' && origin.path[0] === 'jails') {
          // A longest sentence that nobody wrote gives way to a longer first one.
          const path = origin.path.join('.');
          expect([path, origin.held]).toEqual([
            path,
            built.find((each) => each.path.join('.') === path)?.held,
          ]);
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(sound).toBeGreaterThan(20);
});

test('a faulty config has no origins', () => {
  using folder = createFolder();
  expect(folder.load({ jails: { j: { filter: 'sshd', logs: ['/a'], maxRetry: 0 } } }).origins()).toEqual([]);
  expect(folder.load('{').origins()).toEqual([]);
});

test('the names of jails are read from a config that is faulty, or that no one may read', () => {
  using folder = createFolder();
  const file = folder.write('jails.json', '{ "jails": { "a": {}, "b": 7, "$(reboot)": {} }, "nonsense": 1 }');
  folder.write('jails.d/1.json', '{ "jails": { "c": {}, "a": null } }');
  folder.write('jails.d/2.json', '{');
  expect(readJailNames(file)).toEqual(['b', 'c']);
  expect(readJailNames(`${folder.path}/none.json`)).toEqual([]);
  expect(readJailNames(folder.write('list.json', '[1]'))).toEqual([]);
});
