// Where the system gives no events, the poll alone tells what is new.
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createReader, temporaryFolder, type Reader } from './kit.ts';

let folder: ReturnType<typeof temporaryFolder>;
let reader: Reader;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await reader.stop();
  folder.remove();
});

test.each(['ENOSPC', 'EMFILE'])(
  'with no watches left (%s), lines are read at the next poll, through a rotation too, and a fault says so once',
  async (code) => {
    writeFileSync(folder.file('app.log'), 'one\n');
    reader = createReader([folder.file('app.log')], {
      watch() {
        throw Object.assign(new Error(`${code}: no watches left`), { code });
      },
    });
    reader.start();
    await reader.take();
    for (const line of ['two', 'three']) {
      const next = reader.sources().next();
      appendFileSync(folder.file('app.log'), `${line}\n`);
      await reader.clock.advanceUntil(next);
      expect(await next).toMatchObject({ text: `${line}\n`, live: true });
    }
    renameSync(folder.file('app.log'), folder.file('app.log.1'));
    writeFileSync(folder.file('app.log'), 'four\n');
    let text = '';
    while (text === '') {
      const next = reader.sources().next();
      await reader.clock.advanceUntil(next);
      text = (await next)!.text;
    }
    expect(text).toBe('four\n');
    expect(reader.sources().status()[0]?.faults).toMatchObject([{ code: 'E_SOURCE_WATCH', count: 1 }]);
  },
);

test('a watch that fails later is made anew, and polling goes on where it can not be', async () => {
  writeFileSync(folder.file('app.log'), 'one\n');
  const failures: ((error: Error) => void)[] = [];
  let calls = 0;
  reader = createReader([folder.file('app.log')], {
    watch() {
      if (calls++ > 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      const watcher = {
        on(_event: string, listener: (error: Error) => void) {
          failures.push(listener);
          return watcher;
        },
        close() {},
      };
      return watcher as never;
    },
  });
  reader.start();
  await reader.take();
  expect(reader.sources().status()[0]?.faults).toEqual([]);
  for (const fail of failures) fail(new Error('gone'));
  const next = reader.sources().next();
  appendFileSync(folder.file('app.log'), 'two\n');
  await reader.clock.advanceUntil(next);
  expect(await next).toMatchObject({ text: 'two\n' });
  expect(reader.sources().status()[0]?.faults).toMatchObject([{ code: 'E_SOURCE_WATCH' }]);
});
