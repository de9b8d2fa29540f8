// An inode that is free is given again at once: a new log may be the same one, to the kernel, as a rotated one that is gone.
import { renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stage } from './kit.ts';

/** Writes a file until it has that inode; false where this file system doesn't give it again. */
function writeInto(inode: bigint, path: string, content: string): boolean {
  const spares: string[] = [];
  for (let tries = 0; tries < 50; tries++) {
    writeFileSync(path, content);
    if (statSync(path, { bigint: true }).ino === inode) break;
    const spare = `${path}-spare-${tries}`;
    renameSync(path, spare);
    spares.push(spare);
  }
  for (const spare of spares) rmSync(spare);
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode;
}

test('a log that was rotated before anybody looked is read, though its inode was that of a rotated file', async ({
  skip,
}) => {
  const { file, begin } = stage();
  const [log, first, second] = ['app.log', 'app.log.1', 'app.log.2'].map(file) as [string, string, string];
  // It was there before the log was followed, so it is never read.
  writeFileSync(first, 'long ago\n');
  const { ino } = statSync(first, { bigint: true });
  writeFileSync(log, 'one\n');
  const reader = begin(log);
  await reader.take();
  expect(reader.lines()).toEqual(['one']);
  // Two rotations, and the oldest file goes with the first one.
  unlinkSync(first);
  renameSync(log, first);
  if (!writeInto(ino, log, 'two\n')) skip('this file system gives no inode again');
  renameSync(first, second);
  renameSync(log, first);
  writeFileSync(log, 'three\n');
  await reader.take();
  expect(reader.lines()).toEqual(['one', 'two', 'three']);
});
