// The instant of a reload at which a chunk waits between two sources comes once in hundreds of them; here it is made.
import { expect, test } from 'vitest';
import type { Chunk } from '../../../src/model.ts';
import { installSetup } from '../../../src/daemon/reload/install.ts';
import type { InstallParts } from '../../../src/daemon/reload/install.ts';
import type { Setup } from '../../../src/setup/index.ts';
import { joinSources } from '../../../src/sources/index.ts';

/** Has one chunk at once, and then nothing more. */
function sourceOf(text: string) {
  let left = [{ text } as Chunk];
  return {
    next: (): Promise<Chunk | undefined> => {
      const chunk = left.pop();
      return chunk ? Promise.resolve(chunk) : new Promise(() => {});
    },
    caughtUp: () => Promise.resolve(left.length === 0),
    status: () => [],
    takeForgotten: () => [],
    close: () => Promise.resolve(void (left = [])),
  };
}

test('a chunk that was read and waits is judged by the config for which it was read', async () => {
  const sources = joinSources([sourceOf('from a file'), sourceOf('from the journal')]);
  const done: string[] = [];
  done.push(`applied ${(await sources.next())!.text}`);
  const parts = {
    inForce: {
      feeding: undefined,
      replace() {
        done.push('another config');
        return { forgotten: [], rescoped: [], added: [], removed: [], changed: [] };
      },
    },
    feeds: { sources, follow: () => Promise.resolve() },
    apply: ({ text }: Chunk) => done.push(`applied ${text}`),
    sittings: { all: [] },
    bans: { touch() {}, open: () => [], lengths: () => [] },
    protection: { allowed: () => [] },
    names: { learn: () => Promise.resolve(), restart() {} },
    committer: {},
    brakes: { refit() {} },
    enforcer: { allow: () => Promise.resolve() },
    clock: { now: () => 0 },
    at() {},
    settle: () => Promise.resolve(),
    isEnding: () => false,
  } as unknown as InstallParts;
  await installSetup({ allow: { names: [] }, jails: [] } as unknown as Setup, parts);
  expect(done).toEqual(['applied from a file', 'applied from the journal', 'another config']);
  await sources.close();
});
