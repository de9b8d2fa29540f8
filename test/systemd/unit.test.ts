// The unit as systemd sees it: how much it gives away, and that it is sound.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JOURNALCTL_PATIENCE } from '../../src/sources/journalctl.ts';
import { ROOT } from '../support/checkout.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { unknownIn } from '../support/sandbox.ts';
import { readUnit, wordsOf } from '../support/unit.ts';

const UNIT = join(ROOT, 'systemd/bailiff.service');
/** In tenths: 2.0. */
const MOST_EXPOSED = 20;

needs('systemd-analyze')('the unit', () => {
  let folder: TemporaryFolder;
  beforeAll(() => {
    folder = temporaryFolder('unit');
  });
  afterAll(() => folder.remove());

  const security = (file: string) =>
    run(program('systemd-analyze'), [
      ...['security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSED}`, file],
    ]);

  it('is exposed by 2.0 at most, as systemd-analyze reckons', async () => {
    const { code, stdout, stderr } = await security(UNIT);
    console.log(stdout.trim().split('\n').at(-1));
    expect(code, stdout + stderr).toBe(0);
  });

  it('would be found out if it gave one capability more', async () => {
    const worse = join(folder.path, 'bailiff.service');
    const text = readFileSync(UNIT, 'utf8');
    writeFileSync(worse, text.replaceAll('=CAP_NET_ADMIN', '=CAP_NET_ADMIN CAP_DAC_READ_SEARCH'));
    expect((await security(worse)).code).not.toBe(0);
  });

  it('is sound: systemd understands every line of it', async () => {
    const said = await run(program('systemd-analyze'), ['verify', '--man=no', UNIT]);
    // The program need not be installed on this host.
    const complaints = said.stderr.split('\n').filter((line) => !line.includes('bailiff is not executable'));
    expect(complaints.join('\n')).toBe('');
  });

  it('has nothing that would stop V8 or void the capability', () => {
    const unit = readUnit(UNIT);
    for (const key of ['MemoryDenyWriteExecute', 'PrivateUsers', 'PrivateNetwork', 'ProtectProc'])
      expect(unit.has(key)).toBe(false);
    expect(wordsOf(unit, 'CapabilityBoundingSet')).toEqual(['CAP_NET_ADMIN']);
    expect(wordsOf(unit, 'UnsetEnvironment')).toEqual(expect.arrayContaining(['NODE_OPTIONS', 'LD_PRELOAD']));
  });

  it('is not taken for dead while it waits for journalctl', () => {
    const [seconds] = /^\d+(?=s$)/.exec(readUnit(UNIT).get('WatchdogSec')!.at(-1)!)!;
    // It tells that it lives at half the interval, and a line may wait so long.
    expect((Number(seconds) * 1_000) / 2).toBeGreaterThan(JOURNALCTL_PATIENCE);
  });

  it('has no directive that the sandbox test has not been told of', () => {
    expect(unknownIn(readUnit(UNIT))).toEqual([]);
    expect(
      unknownIn(
        new Map([
          ['PrivateUsers', ['yes']],
          ['ProtectSystem', ['full']],
          ['Type', ['notify']],
        ]),
      ),
    ).toEqual(['PrivateUsers', 'ProtectSystem']);
  });
});
