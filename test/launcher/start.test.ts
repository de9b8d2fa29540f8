// `npm start` on a terminal, as a newcomer types it, in a copy of the checkout: it comes up, says what to do next, and
// Ctrl-C ends it cleanly.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyCheckout, npm, npmCommand } from '../support/checkout.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs, program } from '../support/programs.ts';
import { ended, eventually, run } from '../support/run.ts';

needs('script')('npm start', () => {
  let folder: TemporaryFolder;
  let checkout: string;
  const npmRun = (...args: string[]) => npm(['run', '-s', 'bailiff', '--', ...args], { cwd: checkout });

  beforeAll(() => {
    folder = temporaryFolder('start');
    checkout = join(folder.path, 'checkout');
    copyCheckout(checkout);
  });
  afterAll(() => folder.remove());

  it('runs on this host’s logs, answers npm run -s bailiff, and ends by Ctrl-C', async () => {
    const command = [...npmCommand(), 'start', '--', '--detect-only'].map((word) => `'${word}'`).join(' ');
    // script(1) gives it a terminal; what we write to script is typed there.
    const terminal = spawn(program('script'), ['--quiet', '--return', '--command', command, '/dev/null'], {
      cwd: checkout,
      env: {
        ...process.env,
        BAILIFF_CONFIG: undefined,
        BAILIFF_RUNTIME: undefined,
        BAILIFF_STATE: undefined,
      },
      stdio: 'pipe',
    });
    let screen = '';
    terminal.stdout
      .setEncoding('utf8')
      .on('data', (text: string) => (screen += stripVTControlCharacters(text)));

    const runtime = join(checkout, '.bailiff/run');
    await eventually('it answers', async () => {
      if (terminal.exitCode !== null) throw new Error(`npm start ended:\n${screen}`);
      if (!existsSync(join(runtime, 'control.sock'))) return false;
      return npmRun('ping').catch(() => false);
    });
    const alive = JSON.parse(await npmRun('--json', 'ping')) as { pid: number };
    expect(await npmRun('--json', 'status')).toContain('"mode":"detect-only"');
    await eventually('it says where its sockets are', () => screen.includes(runtime));

    terminal.stdin.write('\x03');
    await ended(terminal);
    expect(existsSync(`/proc/${alive.pid}`), screen).toBe(false);
    expect(existsSync(join(runtime, 'control.sock'))).toBe(false);
    expect(screen).not.toMatch(/\bat .*\.ts:\d+/);
    const [file, ...before] = npmCommand();
    const ping = await run(file, [...before, 'run', '-s', 'bailiff', '--', 'ping'], { cwd: checkout });
    expect(ping.code).toBe(69);
  });
});
