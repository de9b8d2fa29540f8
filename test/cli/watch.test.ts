// `watch` as its users have it: a process, in a pipe and in a pseudo terminal.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BAILIFF } from '../support/built.ts';
import { HOSTILE, match, status } from '../api/fake-control.ts';
import { ended, eventually, runOk } from '../support/run.ts';
import { needs } from '../support/programs.ts';
import { startFakeDaemon } from './harness.ts';
import type { FakeDaemon } from './harness.ts';

const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u;

let daemon: FakeDaemon;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  daemon = await startFakeDaemon();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await daemon.stop();
});

interface Watching {
  readonly child: ChildProcess;
  out: string;
  err: string;
}

function begin(file: string, args: readonly string[], env: Record<string, string> = {}): Watching {
  const child = spawn(file, args, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', BAILIFF_RUNTIME: daemon.folder, ...env },
    stdio: 'pipe',
  });
  children.push(child);
  const watching = { child, out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (watching.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (watching.err += text));
  child.stdin.on('error', () => undefined);
  return watching;
}

const watch = (...args: string[]): Watching => begin('/bin/sh', [BAILIFF, 'watch', ...args]);
const listening = (): Promise<boolean> =>
  eventually('someone listens', () => daemon.control.listeners.size > 0);

describe('in a pipe', () => {
  test('is one event a line, and ends with 0 on SIGINT', async () => {
    const watching = watch(
      '--jail',
      'sshd,web',
      '--kind',
      'match',
      '--address',
      '192.0.2.0/24',
      '--last',
      '5',
    );
    await listening();
    expect(daemon.control.calls).toEqual([
      ['events', { jail: ['sshd', 'web'], kind: ['match'], address: ['192.0.2.0/24'], last: 5 }],
    ]);
    daemon.control.tell(match());
    daemon.control.tell(match({ id: 'fake-2', why: HOSTILE, address: '192.0.2.9' }));
    await eventually('both are there', () => watching.out.split('\n').length === 3);
    expect(watching.out.split('\n')[0]).toBe(
      '2026-01-05T10:11:12.500Z\tmatch\tsshd\t192.0.2.7\tcounted\t3 of 5 by sshd, /var/log/auth.log:12',
    );
    expect(watching.out.replaceAll(/[\t\n]/g, '')).not.toMatch(RAW);
    watching.child.kill('SIGINT');
    expect(await ended(watching.child)).toEqual({ code: 0, signal: undefined });
    await eventually('nobody listens', () => daemon.control.listeners.size === 0);
  });

  test('--json is one object a line, as the socket has it', async () => {
    const watching = watch('--json');
    await listening();
    daemon.control.tell(match());
    await eventually('it is there', () => watching.out.endsWith('\n'));
    expect(JSON.parse(watching.out)).toEqual(match());
    expect(watching.out.slice(0, -1)).not.toMatch(RAW);
  });

  test('ends when its reader has gone', async () => {
    const watching = watch();
    await listening();
    watching.child.stdout!.destroy();
    await eventually('it ends', () => {
      daemon.control.tell(match());
      return watching.child.exitCode !== null;
    });
    expect(watching.child.exitCode).toBe(0);
  });

  test('goes on where it was cut off', async () => {
    const watching = watch('--json');
    await listening();
    daemon.control.tell(match({ id: 'fake-7' }));
    await eventually('it is there', () => watching.out.endsWith('\n'));
    await daemon.restart();
    await listening();
    expect(daemon.control.calls.at(-1)).toEqual(['events', { after: 'fake-7' }]);
    daemon.control.tell(match({ id: 'fake-8' }));
    await eventually('both are there', () => watching.out.split('\n').length === 3);
  });
});

test.each([
  [['--kind', 'bans'], 'There is no kind of event "bans"; did you mean "ban"?'],
  [['--address', 'x'], '"x" is not an address'],
  [['--last', 'many'], '"many" is no count'],
])('%j is told before the daemon is asked', async (args, message) => {
  const { code, err } = await daemon.call(['watch', ...args]);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(daemon.control.calls).toEqual([]);
});

needs('script', 'ps')('in a terminal', () => {
  const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
  const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-watch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  /** A pseudo terminal of 80 by 24. Its settings before and after are kept, and the verb's exit status. */
  function screen(): Watching {
    const session = join(folder, 'session');
    writeFileSync(
      session,
      [
        `cd ${folder}; stty cols 80 rows 24; tty > tty; stty -a > before`,
        `/bin/sh ${BAILIFF} watch; echo $? > code; stty -a > after`,
      ].join('\n'),
    );
    return begin('script', ['-qefc', `/bin/sh ${session}`, '/dev/null'], { TERM: 'xterm-256color' });
  }

  /** The lines of the latest whole frame, without colours. */
  function frame({ out }: Watching): string[] {
    const whole = out.slice(0, out.lastIndexOf('\x1b[J'));
    const text = whole.slice(whole.lastIndexOf('\x1b[H') + 3);
    return text.split('\x1b[K').map((line) => line.replaceAll(/[\r\n]/g, '').replaceAll(/\x1b\[\d+m/g, ''));
  }

  test('draws a screen, follows its size, and leaves the terminal as it was on Ctrl-C', async () => {
    daemon.control.answer('status', status({ health: { ok: false, problems: [HOSTILE] } }));
    const watching = screen();
    await listening();
    daemon.control.tell(match({ address: '198.51.100.77', jail: HOSTILE }));
    await eventually('it is drawn', () => frame(watching).some((line) => line.startsWith('198.51.100.77')));
    // The piece behind the last line's end is empty.
    expect(frame(watching)).toHaveLength(24 + 1);
    expect(frame(watching)[0]).toMatch(/^bailiff 0\.1\.0 {2}enforcing/);
    expect(frame(watching).join('')).not.toMatch(RAW);

    const tty = read('tty').trim();
    await runOk('/usr/bin/stty', ['-F', tty, 'cols', '60', 'rows', '12']);
    await eventually('it follows', () => frame(watching).length === 12 + 1);
    expect(frame(watching).filter((line) => line.length > 60)).toEqual([]);

    watching.child.stdin!.write('\x03');
    await ended(watching.child);
    expect(read('code').trim()).toBe('0');
    expect(read('after').replaceAll(/(rows|columns) \d+/g, '')).toBe(
      read('before').replaceAll(/(rows|columns) \d+/g, ''),
    );
    expect(watching.out.startsWith(ENTER)).toBe(true);
    expect(watching.out.endsWith(LEAVE)).toBe(true);
    // Never cleared, only written over: nothing flickers.
    expect(watching.out).not.toContain('\x1b[2J');
  });

  test.each(['SIGTERM', 'SIGHUP', 'q'])('is left as it was on %s', async (how) => {
    const watching = screen();
    await listening();
    await eventually('it is drawn', () => watching.out.includes('\x1b[J'));
    if (how === 'q') watching.child.stdin!.write('q');
    else {
      const pid = await processIn(read('tty').trim());
      process.kill(pid, how);
    }
    await ended(watching.child);
    expect(read('code').trim()).toBe('0');
    expect(read('after')).toBe(read('before'));
    expect(watching.out.endsWith(LEAVE)).toBe(true);
  });

  /** The process whose terminal this is and which runs Node. */
  async function processIn(tty: string): Promise<number> {
    const list = await runOk('/usr/bin/ps', ['-t', tty.replace('/dev/', ''), '-o', 'pid=,args=']);
    const line = list.split('\n').find((each) => each.includes('cli/main.js watch'));
    return Number(line!.trim().split(' ')[0]);
  }
});
