// Logs that `replay` and `test` are given on the command line: files, standard input, and what can't be read.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BAILIFF } from '../support/built.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import type { TemporaryFolder } from '../support/leftovers.ts';
import { run } from '../support/run.ts';

let folder: TemporaryFolder;
let config: string;
const line = (second: number): string =>
  `2026-01-05T10:11:0${second}Z web sshd[81${second}]: Failed password for root from 192.0.2.7 port 40022 ssh2\n`;
const LOG = [1, 2, 3].map(line).join('');

beforeAll(() => {
  folder = temporaryFolder('logs-by-name');
  config = join(folder.path, 'jails.json');
  const jail = { filter: 'sshd', maxRetry: 3 };
  const jails = {
    named: { ...jail, logs: [join(folder.path, '*.log')] },
    piped: { ...jail, logs: ['-'] },
    other: { ...jail, logs: [join(folder.path, 'other')] },
  };
  writeFileSync(config, JSON.stringify({ jails }), { mode: 0o600 });
  writeFileSync(join(folder.path, 'auth.log'), LOG);
  mkdirSync(join(folder.path, 'folder.log'));
});
afterAll(() => folder.remove());

const replay = (args: readonly string[], input: string = '') =>
  run(BAILIFF, ['--config', config, '--json', 'replay', ...args], { input });

/** Which jail would have banned, and by which line. */
async function bans(args: readonly string[], input?: string): Promise<string[]> {
  const { code, stdout } = await replay(args, input);
  expect(code).toBe(0);
  const { bans: found } = JSON.parse(stdout) as { bans: { jail: string; file: string; line: number }[] };
  return found.map(({ jail, file, line: number }) => `${jail} ${file}:${number}`);
}

describe('replay of standard input', () => {
  test('goes to the jails that name it, and to no other', async () => {
    expect(await bans(['-'], LOG)).toEqual(['piped -:3']);
  });

  test('goes to the one that --jail names', async () => {
    expect(await bans(['--jail', 'other', '-'], LOG)).toEqual(['other -:3']);
  });

  test('may stand behind a file, and be one', async () => {
    writeFileSync(join(folder.path, 'earlier.log'), line(1) + line(2));
    const files = [join(folder.path, 'earlier.log'), '-'];
    expect(await bans(['--jail', 'other', ...files], line(3))).toEqual(['other -:1']);
    const words = [BAILIFF, '--config', config, '--json', 'replay', '-'].join(' ');
    const ran = await run('/bin/sh', ['-c', `${words} < ${join(folder.path, 'auth.log')}`]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ lines: 3, bans: [{ jail: 'piped', file: '-', line: 3 }] });
  });
});

test.each([
  ['gone.log', 'there is no such file'],
  ['auth.log/x', 'a part of the path is no folder'],
  ['folder.log', 'it is a folder; name the files in it'],
])('%s is refused in words, by replay and by test', async (name, why) => {
  const file = join(folder.path, name);
  const said = [2, '', `bailiff: ${file} can't be read: ${why}\n`];
  const tested = await run(BAILIFF, ['--config', config, 'test', 'sshd', file]);
  expect([tested.code, tested.stdout, tested.stderr]).toEqual(said);
  const replayed = await replay([file]);
  expect([replayed.code, replayed.stdout, replayed.stderr]).toEqual(said);
});
