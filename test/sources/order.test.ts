// Files that nobody looked at while they were rotated are read in the order in which they were written.
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { stage, untilStampsDiffer } from './kit.ts';

/** As gzip does: the times are kept. */
function compress(path: string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  utimesSync(`${path}.gz`, atime, mtime);
  unlinkSync(path);
}

test('a log that was empty when it was met is read behind the copy of what stood in it before', async () => {
  const { file, begin } = stage();
  const [log, first, second, third] = ['', '-1700000001', '-1700000002', '-1700000003'].map((end) =>
    file(`app.log${end}`),
  ) as [string, string, string, string];
  const writtenLater = (): void => untilStampsDiffer(file('spare'));
  writeFileSync(log, 'one\n');
  const reader = begin(log);
  await reader.take();
  renameSync(log, first);
  writeFileSync(log, '');
  await reader.take();
  writtenLater();
  // From here on nobody looks.
  appendFileSync(log, 'two\n');
  copyFileSync(log, second);
  truncateSync(log);
  writtenLater();
  appendFileSync(log, 'three\n');
  renameSync(log, third);
  writtenLater();
  writeFileSync(log, 'four\n');
  compress(second);
  compress(third);
  await reader.take();
  expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
});
