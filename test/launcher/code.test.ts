// The code that V8 made at the build (bin/code.ts): whether it is really taken.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BUILT } from '../support/built.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { run } from '../support/run.ts';

/** Tells of each part with which code came whether V8 took it. */
const TELLING = `
import vm from 'node:vm';
vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    if (options.cachedData) console.error(options.filename.split('/').at(-1), !this.cachedDataRejected);
  }
};`;

describe('code made at the build', () => {
  it('is taken for every part that replay loads', async () => {
    const folder = temporaryFolder('code');
    onTestFinished(() => folder.remove());
    const [config, log, telling] = ['jails.json', 'auth.log', 'telling.mjs'].map((name) =>
      join(folder.path, name),
    ) as [string, string, string];
    writeFileSync(log, '');
    writeFileSync(telling, TELLING);
    writeFileSync(config, JSON.stringify({ jails: { sshd: { filter: 'sshd', logs: [log] } } }));
    const main = join(BUILT!, 'dist/cli/main.js');
    const { stderr } = await run(process.execPath, [
      ...['--import', telling, main],
      ...['--config', config, 'replay', log],
    ]);
    const told = stderr.trim().split('\n');
    expect(told).toContain('setup.js true');
    expect(told.filter((line) => !line.endsWith(' true'))).toEqual([]);
  });
});
