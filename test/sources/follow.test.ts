// Other watches while running: what was followed goes on where it is, what is new is met, what is gone rests.
import { appendFileSync, linkSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Watch } from '../../src/sources/contract.ts';
import { createReader, temporaryFolder, type Reader } from './kit.ts';

let folder: ReturnType<typeof temporaryFolder>;
let reader: Reader | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await reader?.stop();
  folder.remove();
});

function follow(...watches: Watch[]): Promise<void> {
  return reader!.sources().follow(watches);
}

/** A reader of one log from its end, started and at rest. */
async function readerOf(pattern: string): Promise<Reader> {
  reader = createReader([{ pattern, start: 'end' }]);
  reader.start();
  await reader.take();
  return reader;
}

const at = (pattern: string, start: Watch['start'] = 'end'): Watch => ({ pattern, start });

test('a log that is named from now on is met for the first time: where its watch says', async () => {
  const [one, two, three] = ['one.log', 'two.log', 'three.log'].map(folder.file) as [string, string, string];
  for (const path of [one, two, three]) writeFileSync(path, 'old\n');
  const { take, lines } = await readerOf(one);
  const met = follow(at(one), at(two), at(three, 'beginning'));
  await take();
  await met;
  for (const path of [one, two, three]) appendFileSync(path, `new in ${path}\n`);
  await take();
  expect(lines().toSorted()).toEqual(['old', `new in ${one}`, `new in ${two}`, `new in ${three}`].toSorted());
});

test('a reader that waits meets a new log, and says from which line it is read', async () => {
  writeFileSync(folder.file('one.log'), '');
  writeFileSync(folder.file('two.log'), 'old\nolder\n');
  await readerOf(folder.file('one.log'));
  const waiting = reader!.sources().next();
  await follow(at(folder.file('one.log')), at(folder.file('two.log')));
  const status = reader!.sources().status();
  expect(status.map(({ firstLine }) => firstLine)).toEqual([1, 3]);
  expect(await waiting).toMatchObject({ source: folder.file('two.log'), text: '' });
});

test('a chunk that is applied after the change names the patterns of then', async () => {
  const log = folder.file('a.log');
  writeFileSync(log, '');
  await readerOf(log);
  appendFileSync(log, 'line\n');
  await reader!.sources().caughtUp();
  const chunk = (await reader!.sources().next())!;
  expect(chunk).toMatchObject({ text: 'line\n', patterns: [log] });
  void follow(at(folder.file('*.log')), at(log));
  expect(chunk.patterns).toEqual([folder.file('*.log'), log]);
  void follow();
  expect(chunk.patterns).toEqual([]);
});

test('the same file under another pattern goes on: nothing twice, nothing lost', async () => {
  const log = folder.file('a.log');
  writeFileSync(log, 'old\n');
  const { take, lines } = await readerOf(log);
  appendFileSync(log, 'one\n');
  await take();
  appendFileSync(log, 'two\n');
  void follow(at(folder.file('*.log'), 'beginning'));
  appendFileSync(log, 'three\n');
  await take();
  expect(lines()).toEqual(['one', 'two', 'three']);
});

test('a log that nobody names rests, and is read on when it is named again, rotated or not', async () => {
  const [log, other] = [folder.file('a.log'), folder.file('b.log')];
  for (const path of [log, other]) writeFileSync(path, `begin ${path}\n`);
  const { take, lines } = await readerOf(log);
  appendFileSync(log, 'one\n');
  await take();
  void follow(at(other));
  await take();
  expect(
    reader!
      .sources()
      .status()
      .map(({ path }) => path),
  ).toEqual([other]);
  appendFileSync(log, 'two\n');
  renameSync(log, folder.file('a.log.1'));
  writeFileSync(log, 'three\n');
  await take();
  expect(lines()).toEqual(['one']);
  void follow(at(log), at(other));
  await take();
  expect(lines()).toEqual(['one', 'two', 'three']);
});

test('what was committed before a change is known after a crash behind it', async () => {
  const log = folder.file('a.log');
  writeFileSync(log, 'old\n');
  const { take, lines, commit, stop, start } = await readerOf(log);
  appendFileSync(log, 'one\n');
  await take();
  void follow();
  await take();
  commit();
  await stop(true);
  appendFileSync(log, 'two\n');
  start();
  await take();
  expect(lines()).toEqual(['one', 'two']);
});

test('of two names of one file the one that stays takes over', async () => {
  const [log, link] = [folder.file('a.log'), folder.file('b.log')];
  writeFileSync(log, 'old\n');
  linkSync(log, link);
  reader = createReader([at(log), at(link)]);
  reader.start();
  await reader.take();
  appendFileSync(log, 'one\n');
  await reader.take();
  expect(reader.chunks.at(-1)!.patterns).toEqual([log, link]);
  void follow(at(link));
  appendFileSync(log, 'two\n');
  await reader.take();
  expect(reader.lines()).toEqual(['one', 'two']);
  expect(reader.chunks.at(-1)!.patterns).toEqual([link]);
});
