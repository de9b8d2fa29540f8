import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCommandLine } from '../../src/cli/command.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { start, startFakeDaemon } from './harness.ts';
import type { FakeDaemon } from './harness.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

let daemon: FakeDaemon;
beforeAll(async () => {
  daemon = await startFakeDaemon();
});
beforeEach(() => void (daemon.control.calls.length = 0));
afterAll(() => daemon.stop());

describe('global options', () => {
  test.each([
    ['before the verb', (folder: string) => ['--json', '--runtime', folder, 'ping']],
    ['after the verb', (folder: string) => ['ping', '--runtime', folder, '--json']],
    ['on both sides', (folder: string) => [`--runtime=${folder}`, 'ping', '--json', '-v', '--no-color']],
  ])('are taken %s', async (_where, args) => {
    const { code, out } = await start(args(daemon.folder));
    expect([code, out]).toEqual([0, '{"version":"0.1.0","pid":812}\n']);
  });

  test('win over the environment', async () => {
    const { code } = await start(['ping', '--runtime', daemon.folder], {
      env: { BAILIFF_RUNTIME: '/nonexistent' },
    });
    expect(code).toBe(0);
  });
});

describe('help and version', () => {
  test('--version is the package’s', async () => {
    expect(await start(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    for (const args of [
      ['--version', '--json'],
      ['--json', '--version'],
      ['ping', '--version', '--json'],
    ])
      expect(await readCommandLine(args, version)).toEqual({
        kind: 'text',
        text: `{"version":"${version}"}\n`,
      });
  });

  test('--help lists every verb and every global option', async () => {
    const { code, out } = await start(['--help']);
    expect(code).toBe(0);
    const listed = [...out.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, name]) => name);
    expect(listed).toEqual(Object.keys(VERBS));
    for (const option of [
      '--config',
      '--runtime',
      '--json',
      '--no-color',
      '-v, --verbose',
      '--version',
      '-h, --help',
    ])
      expect(out).toContain(option);
  });

  test.each([[['ban', '--help']], [['--help', 'ban']], [['help', 'ban']], [['--json', 'ban', '-h']]])(
    '%j tells of ban',
    async (args) => {
      const request = await readCommandLine(args, version);
      expect(request).toMatchObject({ kind: 'text' });
      expect(request.kind === 'text' && request.text).toContain('Usage: bailiff ban [options] <address...>');
    },
  );

  test.each(Object.keys(VERBS))('the table of verbs says of %s what it says of itself', async (name) => {
    const { verb } = await VERBS[name]!.load();
    expect([verb.name, verb.summary]).toEqual([name, VERBS[name]!.summary]);
  });
});

describe('wrong usage', () => {
  test.each([
    [[], 'say what to do'],
    [['bams'], 'did you mean "bans"?'],
    [['stat'], 'did you mean "status"?'],
    [['comp', 'bash'], 'did you mean "completions"?'],
    [['help', 'bams'], 'did you mean "bans"?'],
    [['__proto__'], 'there is no verb "__proto__"'],
    [['ping', 'extra'], 'too many arguments'],
    [['ban'], "missing required argument 'address'"],
    [['ban', '192.0.2.7', '--fro', '10m'], 'did you mean --for?; "bailiff ban --help"'],
    [['--froo', 'ping'], "unknown option '--froo'"],
    [['ping', '--runtime'], 'argument missing'],
  ])('%j is told in a sentence', async (args, sentence) => {
    await expect(readCommandLine(args, version)).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(sentence) as string,
    });
  });

  test.each([
    [['\u001b[31mred'], 'there is no verb "\\x1b[31mred"'],
    [['ban', '192.0.2.7', '192.0.2'], '"192.0.2" is not an address'],
    [['ban', '0300.0.2.7'], '"0300.0.2.7" is not an address'],
    [['ban', '192.0.2.7', '--for', 'soon'], '"soon" is not a duration'],
    [['ban', '192.0.2.7', '--for', '0'], '"0" is not a duration'],
    [['unban'], 'name an address'],
    [['unban', '192.0.2.7', '--all'], 'not both'],
    [['history', 'example.org'], '"example.org" is not an address'],
  ])('%j ends with 2, and the daemon never hears of it', async (args, sentence) => {
    const { code, out, err } = await daemon.call(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
    expect(err).toMatch(/^bailiff: [^\n\u001b]+\n$/);
    expect(daemon.control.calls).toEqual([]);
  });
});

describe('as a process of its own', () => {
  test('results go to standard output, with the verb’s exit status', async () => {
    daemon.control.answer('ban', [{ address: '127.0.0.1', outcome: 'refused', why: 'protected' }]);
    expect(await daemon.start(['ban', '127.0.0.1'])).toEqual({
      code: 1,
      out: '127.0.0.1\trefused\tprotected\n',
      err: '',
    });
  });

  test('faults go to standard error, with theirs', async () => {
    const { code, out, err } = await daemon.start(['ban', '192.0.2']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^bailiff: "192.0.2" is not an address [^\n]+\n$/);
  });
});

describe('where no daemon answers', () => {
  test.each(['ping', 'status', 'bans', 'arm', 'unban --all', 'ban 192.0.2.7', 'history 192.0.2.7'])(
    '%s ends with 69 and says how to start one',
    async (line) => {
      const { code, out, err } = await daemon.call([...line.split(' '), '--runtime', '/nonexistent']);
      expect([code, out]).toEqual([69, '']);
      expect(err).toMatch(
        /^bailiff: the daemon does not answer on \/nonexistent\/\w+\.sock; start it with [^\n]+\n$/,
      );
    },
  );

  test('a program that speaks no JSON on the socket is not taken for one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-cli-'));
    const other = createServer((_request, response) => response.end('hello')).listen(
      join(folder, 'status.sock'),
    );
    await once(other, 'listening');
    const { code, err } = await daemon.call(['ping', '--runtime', folder]);
    expect(code).toBe(69);
    expect(err).toContain('is no Bailiff');
    other.close();
    rmSync(folder, { recursive: true });
  });
});

test('a reader that has gone away is no fault', async () => {
  daemon.control.answer('bans', {
    items: Array.from({ length: 5_000 }, (_, id) => ({
      id,
      address: '192.0.2.7',
      jail: 'sshd',
      state: 'blocked',
      since: '',
      until: null,
      nth: 1,
      reason: 'x'.repeat(100),
      by: 'jail',
    })),
    next: null,
  });
  const { code, err } = await daemon.start(['bans'], { deaf: true });
  expect([code, err]).toEqual([0, '']);
});
