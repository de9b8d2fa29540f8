// A terminal of the newcomer: a real one, with a shell in it that stays the same from block to block.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { removeAtExit } from '../support/leftovers.ts';
import { program } from '../support/programs.ts';
import { ended, eventually } from '../support/run.ts';
import type { Stand } from './stand.ts';

export interface Finished {
  readonly output: string;
  /** The status of the last command. */
  readonly status: number;
  /** The statuses of the commands that failed, in order. */
  readonly failed: readonly number[];
}

export interface Terminal {
  /** Runs a block to its end. */
  run(code: string): Promise<Finished>;
  /** Begins a block that stays. @returns what is seen of it so far. */
  begin(code: string): () => string;
  /** Ctrl-C; resolves when the shell answers again. */
  interrupt(): Promise<void>;
  close(): Promise<void>;
}

const ENVIRONMENT = {
  HOME: '/root',
  TERM: 'xterm',
  LANG: 'C.UTF-8',
  PS1: '',
  PS2: '',
  npm_config_progress: 'false',
  // What one start has compiled of the sources the next one takes: no page tells of it, and it is most of a verb's time.
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
};
const SIZE = { columns: 160, rows: 50 };
/** Against hanging only: each verb here starts from the sources, beside what else the tests have running. */
export const PATIENCE = 120_000;

let blocks = 0;

export async function openTerminal(stand: Stand): Promise<Terminal> {
  const shell = `cd /root/bailiff && stty -echo columns ${SIZE.columns} rows ${SIZE.rows} && echo shell''opened && exec bash --norc --noprofile --noediting`;
  const [file, ...args] = [
    ...stand.enter,
    program('script'),
    ...['--quiet', '--return', '--command', shell, '/dev/null'],
  ];
  const child = spawn(file, args, { env: { ...ENVIRONMENT, PATH: path() }, stdio: 'pipe' });
  const takeBack = removeAtExit(() => child.kill('SIGKILL'));
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (screen += text));
  child.stdin.on('error', () => {});
  // What is typed earlier would be echoed.
  await eventually('the shell is there', () => screen.includes('shellopened'));
  const since = (start: number) => stripVTControlCharacters(screen.slice(start)).replaceAll('\r', '');
  const type = (text: string) => void child.stdin.write(text);
  type(`trap 'failed="$failed $?"' ERR; set +m\n`);

  /** What stands in a file of its own can't be changed by being typed. */
  function put(code: string): string {
    const name = join(stand.shared, `block${++blocks}`);
    writeFileSync(name, code);
    return name;
  }

  async function finish(command: string): Promise<Finished> {
    const start = screen.length;
    const mark = `=${++blocks}=`;
    type(`failed=; ${command}; printf '\\n%s %s,%s;' '${mark}' "$?" "$failed"\n`);
    const pattern = new RegExp(`\\n${mark} (\\d+),([\\d ]*);`);
    const [whole, status, failed] = await eventually(
      `the block ends:\n${command}`,
      () => {
        if (child.exitCode !== null) throw new Error(`the terminal is gone: ${screen}`);
        return pattern.exec(since(start)) ?? undefined;
      },
      PATIENCE,
    );
    const output = since(start).slice(0, since(start).indexOf(whole));
    // A block that fails at its end is itself a command that failed.
    const each = (failed!.match(/\d+/g) ?? []).map(Number).slice(0, status === '0' ? undefined : -1);
    return { output, status: Number(status), failed: each };
  }

  return {
    run: (code) => finish(`. ${put(code)} </dev/null`),
    begin(code) {
      const start = screen.length;
      type(`. ${put(code)} </dev/null\n`);
      return () => since(start);
    },
    async interrupt() {
      type('\x03');
      await finish(':');
    },
    async close() {
      takeBack();
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}

/** Without the folders of this checkout that npm puts in front: a newcomer doesn't have them. */
function path(): string {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  return [...new Set([...folders, '/usr/sbin', '/usr/bin', '/sbin', '/bin'])].join(':');
}
