// The log as who reads its pipe sees it: a process of its own writes.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../support/run.ts';

const ROOM = join(import.meta.dirname, '../../../src/daemon');
const OPTIONS = '{ pretty: false, color: false, verbose: false }';

/** A program in which `body` has `log`, `clock` and `breathe`. */
const programOf = (body: string): string => `
    import { setImmediate as breathe } from 'node:timers/promises';
    import { createLog } from '${ROOM}/telling/log.ts';
    import { createClock } from '${ROOM}/system.ts';
    const clock = createClock();
    const { log } = await createLog(${OPTIONS}, clock);
    ${body}`;

/** What such a process says. */
async function said(body: string): Promise<{ lines: string[]; stderr: string }> {
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', programOf(body)]);
  return { lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

test('whoever breaks down in the middle of a flood has said every line, in order', async () => {
  const { lines, stderr } = await said(`
    for (let turn = 0; turn < 100; turn++) {
      log.info({ turn }, 'ban');
      await breathe();
    }
    throw new Error('broken');`);
  expect(lines.map((line) => JSON.parse(line).turn)).toEqual(Array.from({ length: 100 }, (_, turn) => turn));
  expect(stderr).toContain('broken');
});

test('lines of many turns are written together, the first one at once', async () => {
  const { lines } = await said(`
    const { default: fs } = await import('node:fs');
    const { syncBuiltinESMExports } = await import('node:module');
    let writes = 0;
    const { writeSync } = fs;
    fs.writeSync = (...told) => (writes++, writeSync(...told));
    syncBuiltinESMExports();
    const told = [];
    for (let turn = 0; turn < 1_000; turn++) {
      log.info({ turn }, 'ban');
      await breathe();
      told.push(writes);
    }
    log.info({ first: told[0], all: writes }, 'end');`);
  const { first, all } = JSON.parse(lines.at(-1)!);
  expect(lines).toHaveLength(1_001);
  expect(first).toBe(1);
  expect(all).toBeLessThan(500);
});

test('a reader who doesn’t read stops nobody, and gets every line once he does', async () => {
  const stopped = `
    import { spawn } from 'node:child_process';
    const reader = spawn('/bin/sh', ['-c', 'sleep 1; cat'], { stdio: ['pipe', 'inherit', 'inherit'] });
    const body = process.argv[1];
    const writer = spawn(process.execPath, ['--input-type=module', '--eval', body], { stdio: ['ignore', reader.stdin, 'inherit'] });
    reader.stdin.destroy();`;
  const program = programOf(`
    // As bin/bailiff's main does: where it is a pipe, it must not be waited for.
    process.stdout.isTTY;
    let longest = 0;
    for (let turn = 0; turn < 400; turn++) {
      const began = clock.monotonic();
      for (let ban = 0; ban < 10; ban++) log.info({ turn, ban, address: 'x'.repeat(200) }, 'ban');
      await breathe();
      longest = Math.max(longest, clock.monotonic() - began);
    }
    log.info({ longest }, 'end');`);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', stopped, program]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  const told = lines.map((line) => JSON.parse(line) as { turn: number; ban: number; longest: number });
  expect(told.slice(0, -1).map(({ turn, ban }) => turn * 10 + ban)).toEqual(
    Array.from({ length: 4_000 }, (_, index) => index),
  );
  expect(told.at(-1)!.longest).toBeLessThan(400);
});
