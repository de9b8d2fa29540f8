import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchConfig, wayTo } from '../../../src/daemon/reload/config-watch.ts';
import type { ConfigWatch } from '../../../src/daemon/reload/config-watch.ts';
import { tracesOf } from '../../../src/setup/index.ts';
import { createTestClock } from '../clock.ts';

let folder: string;
let watch: ConfigWatch | undefined;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'bailiff-watch-')));
});
afterEach(async () => {
  await watch?.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const read = (...names: string[]) => {
  const readFrom = names.map(at);
  return { readFrom, traces: tracesOf(readFrom) };
};

test('a change that nothing announces is found within ten seconds, and told once', () => {
  const clock = createTestClock(0);
  const onChange = vi.fn<() => void>();
  writeFileSync(at('a'), 'one');
  const before = read('a');
  watch = watchConfig(clock, before, onChange);
  writeFileSync(at('a'), 'other');
  // Without giving the event loop back no announcement is heard.
  clock.advance(9_999);
  expect(onChange).not.toHaveBeenCalled();
  clock.advance(1 + 500);
  expect(onChange).toHaveBeenCalledTimes(1);
  watch.wasRead(read('a'));
  clock.advance(120_000);
  expect(onChange).toHaveBeenCalledTimes(1);
});

test('a config that comes back in force makes no news of the files that were read after it', () => {
  const clock = createTestClock(0);
  const onChange = vi.fn<() => void>();
  writeFileSync(at('jails.json'), 'one');
  const before = read('jails.json');
  watch = watchConfig(clock, before, onChange);
  writeFileSync(at('jails.json'), 'another');
  writeFileSync(at('list'), '');
  const trial = read('jails.json', 'list');
  watch.wasRead(trial);
  watch.follow(trial);
  watch.follow(before);
  clock.advance(120_000);
  expect(onChange).not.toHaveBeenCalled();
});

test('the way to a file is every link and where they end', () => {
  mkdirSync(at('one'));
  writeFileSync(at('one/list'), '');
  symlinkSync('one', at('now'));
  symlinkSync(at('now/list'), at('list'));
  expect(wayTo(at('list'))).toEqual([at('list'), at('now'), at('one/list')]);
  expect(wayTo(at('none/at/all'))).toEqual([at('none/at/all')]);
  symlinkSync('../list', at('one/up'));
  expect(wayTo(at('now/up'))).toEqual([at('now'), at('one/up'), at('list'), at('now'), at('one/list')]);
  symlinkSync('ring', at('ring'));
  expect(wayTo(at('ring'))).toContain(at('ring'));
});
