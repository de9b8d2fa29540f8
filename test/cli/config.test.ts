import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConfigView } from '../../src/api/contract.ts';
import { bailiff } from '../../src/cli/bailiff.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('config');
});
afterEach(() => folder.remove());

async function call(...args: string[]) {
  let [out, err] = ['', ''];
  const streams = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    terminal: false,
  };
  const code = await bailiff(['--config', join(folder.path, 'jails.json'), 'config', ...args], streams);
  return { code, out: out.replaceAll(folder.path, '…'), err: err.replaceAll(folder.path, '…') };
}

function write(main: string, over?: string): void {
  writeFileSync(join(folder.path, 'jails.json'), main);
  if (over === undefined) return;
  mkdirSync(join(folder.path, 'jails.d'));
  writeFileSync(join(folder.path, 'jails.d/10.json'), over);
}

const MAIN = `{ "defaults": { "findTime": "15m", "banTime": { "max": "forever" } },
  "jails": { "sshd": { "filter": "sshd", "logs": ["/a"], "banTime": { "steps": ["1h", "1d"] } },
    "api": { "filter": "nginx-api", "logs": ["/b"], "limit": "100/1m", "enabled": false } } }`;

test('config show tells of each value where it was written', async () => {
  write(MAIN, '{ "jails": { "sshd": { "maxRetry": 3 } } }');
  const { code, out, err } = await call('show', 'sshd');
  expect([code, err]).toEqual([0, '']);
  const row = (key: string) => out.split('\n').find((line) => line.startsWith(`jails.sshd.${key}\t`));
  expect(
    ['maxRetry', 'findTime', 'banTime.first', 'banTime.steps', 'banTime.max', 'ipv6Prefix'].map(row),
  ).toEqual([
    'jails.sshd.maxRetry\t3\t…/jails.d/10.json:1:36',
    'jails.sshd.findTime\t"15m"\t…/jails.json:1:29 (defaults)',
    'jails.sshd.banTime.first\t"1h"\t…/jails.json:2:80 (says steps)',
    'jails.sshd.banTime.steps\t["1h","1d"]\t…/jails.json:2:80',
    'jails.sshd.banTime.max\t"forever"\t…/jails.json:1:56 (defaults)',
    'jails.sshd.ipv6Prefix\t64\tbuilt in',
  ]);
  expect(out).not.toContain('jails.api');
});

test('--json counts durations in seconds, null for no end', async () => {
  write(MAIN);
  const { code, out } = await call('show', '--json');
  expect(code).toBe(0);
  const view = JSON.parse(out) as ConfigView;
  expect([view.file, view.files, view.faults]).toEqual(['…/jails.json', ['…/jails.json'], []]);
  const value = (key: string) => view.values.find((each) => each.key === key);
  const place = { file: '…/jails.json', line: 3 };
  expect(value('jails.api.maxRetry')).toEqual({
    ...{ key: 'jails.api.maxRetry', value: 101, from: 'config' },
    ...{ ...place, column: 62, by: 'limit' },
  });
  expect(value('jails.api.findTime')).toMatchObject({ value: 60, by: 'limit' });
  expect(value('jails.sshd.banTime.steps')).toMatchObject({ value: [3_600, 86_400], from: 'config' });
  expect(value('jails.sshd.banTime.max')).toMatchObject({ value: null, from: 'defaults' });
  expect(value('jails.api.ports')).toEqual({ key: 'jails.api.ports', value: [], from: 'built-in' });
});

test('of a faulty config it tells the faults, and ends with 78', async () => {
  write('{ "jails": { "sshd": { "filter": "sshd", "logs": ["/a"], "maxRetyr": 3 } } }');
  const plain = await call('show');
  expect([plain.code, plain.out]).toEqual([78, '']);
  expect(plain.err).toMatch(
    /^…\/jails\.json:1:58: unknown key "maxRetyr" in jails\.sshd; did you mean "maxRetry"\?\n$/,
  );
  const json = await call('show', '--json');
  expect([json.code, json.err]).toEqual([78, '']);
  const { values, faults } = JSON.parse(json.out) as ConfigView;
  expect([values, faults.map(({ code }) => code)]).toEqual([[], ['E_CONFIG_UNKNOWN_KEY']]);
});

test('names are written so that they act on no terminal', async () => {
  write(
    '{ "jails": { "j": { "filter": "sshd", "logs": ["/\\u001b[31m"], "where": { "a\\u202e.b": "\\n" } } } }',
  );
  for (const args of [['show'], ['show', '--json']]) {
    const { code, out } = await call(...args);
    expect(code).toBe(0);
    expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
  }
});

test.each([
  [['show', 'sshh'], 'There is no jail "sshh" in …/jails.json; did you mean "sshd"?'],
  [['list'], 'There is no "config list"; there is "config show"'],
  [[], "missing required argument 'action'"],
])('%j is wrong usage', async (args, sentence) => {
  write(MAIN);
  const { code, out, err } = await call(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(sentence);
});
