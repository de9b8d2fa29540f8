// The log as who reads its pipe sees it: a process of its own writes.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../support/run.ts';

const ROOM = join(import.meta.dirname, '../../../src/daemon');
const OPTIONS = '{ pretty: false, color: false, verbose: false }';

/** What a process says in which `body` has `log`, `clock` and `breathe`. */
async function said(body: string): Promise<{ lines: string[]; stderr: string }> {
  const program = `
    import { setImmediate as breathe } from 'node:timers/promises';
    import { createLog } from '${ROOM}/telling/log.ts';
    import { createClock } from '${ROOM}/system.ts';
    const clock = createClock();
    const { log } = await createLog(${OPTIONS}, clock);
    ${body}`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program]);
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
