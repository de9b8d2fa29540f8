// The completion scripts in the shells that they are for: each is asked what it would offer behind a line.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { surfaceOf } from '../../src/cli/surface.ts';
import { VERBS, loadVerbs } from '../../src/cli/verbs.ts';
import { BAILIFF } from '../support/built.ts';
import { ROOT } from '../support/checkout.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs, program } from '../support/programs.ts';
import { runOk } from '../support/run.ts';
import { ban, status } from '../api/fake-control.ts';
import { startFakeDaemon } from './harness.ts';
import type { FakeDaemon } from './harness.ts';

let folder: TemporaryFolder;
let env: Record<string, string>;
const at = (name: string): string => join(folder.path, name);

/** A folder with a config and a log, and `bailiff` on the PATH. */
beforeAll(() => {
  folder = temporaryFolder('completions');
  mkdirSync(at('bin'));
  mkdirSync(at('home'));
  symlinkSync(BAILIFF, at('bin/bailiff'));
  // However busy this host is, the scripts wait for their answer.
  writeFileSync(at('bin/timeout'), '#!/bin/sh\nshift\nexec "$@"\n', { mode: 0o755 });
  writeFileSync(at('jails.json'), '{ "jails": { "sshd": {}, "smtp": {}, "api": {}, "$(touch x)": {} } }');
  writeFileSync(at('other.json'), '{ "jails": { "else": {} } }');
  writeFileSync(at('auth.log'), '');
  env = {
    PATH: `${at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: at('home'),
    BAILIFF_CONFIG: at('jails.json'),
    BAILIFF_RUNTIME: at('none'),
    TERM: 'dumb',
  };
});
afterAll(() => folder.remove());

/** What each line is completed to; a line that ends with a blank asks for a new word. */
function expectations(): [line: string, words: string[]][] {
  const config = `--config ${at('other.json')}`;
  return [
    ['bailiff st', ['status']],
    ['bailiff --json s', ['status']],
    ['bailiff con', ['config', 'confirm']],
    ['bailiff config ', ['show']],
    ['bailiff config show ', ['api', 'smtp', 'sshd']],
    ['bailiff status s', ['smtp', 'sshd']],
    ['bailiff enable sshd a', ['api']],
    [`bailiff ${config} status `, ['else']],
    [`bailiff status --config=${at('other.json')} `, ['else']],
    ['bailiff ban --jail a', ['api']],
    ['bailiff run --fire', ['--firewall']],
    ['bailiff run --firewall ', ['dry-run', 'iptables', 'memory', 'nftables']],
    ['bailiff logs --level w', ['warn']],
    ['bailiff logs --l', ['--level', '--lines']],
    ['bailiff filters nginx-w', ['nginx-websocket']],
    [`bailiff replay --jail sshd ${at('au')}`, [at('auth.log')]],
    [`bailiff test sshd ${at('au')}`, [at('auth.log')]],
    [`bailiff --runtime ${at('ho')}`, [at('home/')]],
    ['bailiff completions ', ['bash', 'fish', 'zsh']],
    ['bailiff ban --for ', []],
    ['bailiff explain ', []],
    ['bailiff --config /nonexistent status ', []],
  ];
}

async function scriptOf(shell: string): Promise<string> {
  const file = at(`completions.${shell}`);
  writeFileSync(file, await runOk(at('bin/bailiff'), ['completions', shell], { env }));
  return file;
}

/** Words as a set; files without the folder, which some shells leave out, and without a closing slash. */
const tidy = (words: readonly string[]): string[] =>
  [...new Set(words.map((word) => word.replace(/\/$/, '').replace(/^.*\//, '')))]
    .filter((word) => word !== '')
    .toSorted();

const expected = () => expectations().map(([line, words]) => [line, tidy(words)]);

needs('bash')('bash', () => {
  it('offers what there is', async () => {
    const script = await scriptOf('bash');
    const ask = `set -u
source "$1"; shift
for line; do
  COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  _bailiff bailiff
  echo =
  for word in "\${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done
done`;
    const lines = expectations().map(([line]) => line);
    const said = await runOk(program('bash'), ['-c', ask, 'bash', script, ...lines], {
      env,
      cwd: folder.path,
    });
    expect(answers(lines, said)).toEqual(expected());
  });

  it('completes behind a = and behind the colons of an address, where bash parts words', async () => {
    const daemon = await daemonWithBans();
    try {
      const script = await scriptOf('bash');
      const lines = ['bailiff run --firewall=me', 'bailiff unban 2001:db8:', 'bailiff unban 192.0'];
      const ask = `source "$1"; shift; for line; do COMP_LINE=$line COMP_POINT=\${#line}; _bailiff bailiff; echo "\${COMPREPLY[@]}"; done`;
      const runtime = { ...env, BAILIFF_RUNTIME: daemon.folder };
      const said = await runOk(program('bash'), ['-c', ask, 'bash', script, ...lines], { env: runtime });
      expect(said).toBe('memory\n7::/64\n192.0.2.7\n');
    } finally {
      await daemon.stop();
    }
  });
});

needs('fish')('fish', () => {
  it('offers what there is', async () => {
    const script = await scriptOf('fish');
    const lines = expectations().map(([line]) => line);
    const ask = `source $argv[1]; for line in $argv[2..-1]; echo =; complete -C $line; end`;
    const said = await runOk(program('fish'), ['--no-config', '-c', ask, script, ...lines], {
      env,
      cwd: folder.path,
    });
    // A description stands behind a tab.
    expect(answers(lines, said.replace(/\t.*$/gm, ''))).toEqual(expected());
  });
});

needs('zsh')('zsh', () => {
  it('offers what there is', async () => {
    const script = await scriptOf('zsh');
    const lines = expectations().map(([line]) => line);
    const said = await runOk(program('zsh'), ['-f', join(ROOT, 'test/cli/zsh-complete'), script, ...lines], {
      env,
      cwd: folder.path,
    });
    expect(answers(lines, said)).toEqual(expected());
  });
});

/** The words behind each `=`. */
function answers(lines: readonly string[], said: string): [string, string[]][] {
  const parts = said.split(/^=\n/m).slice(1);
  return lines.map((line, i) => [line, tidy((parts[i] ?? 'nothing was said').split('\n'))]);
}

async function daemonWithBans(): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon();
  const items = [ban(), ban({ id: 2, address: '2001:db8:7::/64' }), ban({ id: 3, address: '$(x)' })];
  daemon.control.answer('bans', { items, next: null });
  return daemon;
}

describe('what the scripts ask', () => {
  const list = async (what: string, config: string): Promise<string> => {
    const daemon = await daemonWithBans();
    try {
      daemon.control.answer('status', status());
      const { code, out, err } = await daemon.call(['--config', config, 'completions', what]);
      expect([code, err]).toEqual([0, '']);
      return out;
    } finally {
      await daemon.stop();
    }
  };

  test('jails come from the config, from the daemon where there is none, and no name that a shell would run', async () => {
    expect(await list('jails', at('jails.json'))).toBe('sshd\nsmtp\napi\n');
    expect(await list('jails', at('none.json'))).toBe('sshd\n');
    expect(await list('addresses', at('jails.json'))).toBe('192.0.2.7\n2001:db8:7::/64\n');
  });

  test('filters are those that a jail could name, its own among them', async () => {
    mkdirSync(at('filters'), { recursive: true });
    writeFileSync(at('filters/mine.yaml'), 'this is no filter');
    const names = (await list('filters', at('jails.json'))).split('\n');
    expect(names).toEqual(expect.arrayContaining(['sshd', 'nginx-login', 'mine']));
  });

  test('where nothing can be known, nothing is said', async () => {
    const daemon = await startFakeDaemon();
    await daemon.stop();
    for (const what of ['jails', 'addresses'])
      expect(await daemon.call(['--config', at('none.json'), 'completions', what])).toEqual({
        ...{ code: 0, out: '', err: '' },
      });
  });

  test('another word is wrong usage', async () => {
    const daemon = await startFakeDaemon();
    const { code, err } = await daemon.call(['completions', 'tcsh']);
    expect([code, err]).toEqual([
      2,
      'bailiff: There are completions for bash, zsh and fish, none for "tcsh"\n',
    ]);
    await daemon.stop();
  });
});

test('every verb and every option stands in each script', async () => {
  const { globals, verbs } = surfaceOf(await loadVerbs());
  expect(verbs.map(({ name }) => name)).toEqual(Object.keys(VERBS));
  const daemon = await startFakeDaemon();
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await daemon.call(['completions', shell]);
    for (const { names } of [...globals, ...verbs.flatMap(({ options }) => options)])
      expect(out).toContain(shell === 'fish' ? `-l ${names.at(-1)!.slice(2)} ` : names.at(-1));
    for (const { name } of verbs) expect(out).toContain(name);
  }
  await daemon.stop();
});
