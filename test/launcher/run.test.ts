// The runner behind `npm test`: what it counts, how it ends, and what it does where a program is missing.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { run } from '../support/run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('runner');
  symlinkSync(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'));
});
afterEach(() => folder.remove());

/** Runs the runner over tests that we wrote into the folder. @returns its status and its last line. */
async function runner(tests: Record<string, string>, env: Record<string, string | undefined> = {}) {
  for (const [name, text] of Object.entries(tests))
    writeFileSync(join(folder.path, name), `import { describe, expect, it } from 'vitest';\n${text}`);
  const clean = {
    CI: undefined,
    VITEST: undefined,
    VITEST_WORKER_ID: undefined,
    VITEST_POOL_ID: undefined,
    ...env,
  };
  const ran = await run(process.execPath, [join(ROOT, 'test/run.ts'), '--root', folder.path], { env: clean });
  return { ...ran, last: ran.stdout.trimEnd().split('\n').at(-1) };
}

// The tests below are given tests to run, as texts: what those assert, skip and wait for is what is looked at.
describe('npm test', () => {
  it('ends with a plain line that counts, and status 0 when all passed', async () => {
    const ran = await runner({
      'good.test.ts': `it('holds', () => expect(1).toBe(1)); it('too', () => {});`,
    });
    expect(ran).toMatchObject({ code: 0, last: '2 passed, 0 failed' });
  });

  it('counts what failed and what was left out, and fails', async () => {
    const ran = await runner({
      'bad.test.ts': `it('holds', () => {}); it('breaks', () => expect(1).toBe(2)); it.skip('waits', () => {});`,
    });
    expect(ran).toMatchObject({ code: 1, last: '1 passed, 1 failed, 1 skipped' });
    expect(ran.stdout).toContain('Left out: 1 tests');
  });

  it('counts a file that cannot even be loaded as a failure', async () => {
    const ran = await runner({
      'broken.test.ts': `throw new Error('no');`,
      'good.test.ts': `it('holds', () => {});`,
    });
    expect(ran).toMatchObject({ code: 1, last: '1 passed, 1 failed' });
  });

  it('counts an error outside of any test as a failure', async () => {
    const ran = await runner({
      'late.test.ts': `it('holds', () => { setTimeout(() => { throw new Error('late'); }); }); it('waits', () => new Promise((r) => setTimeout(r, 50)));`,
    });
    expect(ran).toMatchObject({ code: 1, last: '2 passed, 1 failed' });
  });

  it('fails where there is no test at all', async () => {
    expect(await runner({})).toMatchObject({ code: 1, last: '0 passed, 1 failed' });
  });
});
