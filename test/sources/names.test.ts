// Rotations that nobody saw, under names that don't count downwards as logrotate's do.
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createReader, temporaryFolder, untilStampsDiffer, type Reader } from './kit.ts';

let folder: ReturnType<typeof temporaryFolder>;
let reader: Reader;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await reader.stop();
  folder.remove();
});

const tick = (): void => untilStampsDiffer(folder.file('spare'));
const faultCodes = (): string[] =>
  reader
    .sources()
    .status()
    .flatMap(({ faults }) => faults.map(({ code }) => code));

/** A log that is followed, killed with a line unread, beside files that were there before. */
async function killed(older: readonly string[] = []): Promise<void> {
  for (const name of older) {
    writeFileSync(folder.file(name), `ancient ${name}\n`);
    tick();
  }
  writeFileSync(folder.file('app.log'), 'one\n');
  reader = createReader([folder.file('app.log')]);
  reader.start();
  await reader.take();
  reader.commit();
  await reader.stop(true);
  tick();
  appendFileSync(folder.file('app.log'), 'two\n');
}

/** The live file gets another name, and a new one begins. */
function rotate(name: string, next: string): void {
  renameSync(folder.file('app.log'), folder.file(name));
  tick();
  writeFileSync(folder.file('app.log'), `${next}\n`);
}

/** What `gzip` does: the time of last write stays. */
function compress(name: string): void {
  const { mtime } = statSync(folder.file(name));
  tick();
  writeFileSync(folder.file(`${name}.gz`), gzipSync(readFileSync(folder.file(name))));
  utimesSync(folder.file(`${name}.gz`), mtime, mtime);
  unlinkSync(folder.file(name));
}

async function readAgain(): Promise<string[]> {
  reader.start();
  await reader.take();
  return reader.lines();
}

describe('names that count upwards', () => {
  test('a middle file is read, in order, and what was there before is not', async () => {
    await killed(['app.log.1']);
    rotate('app.log.2', 'three');
    rotate('app.log.3', 'four');
    expect(await readAgain()).toEqual(['one', 'two', 'three', 'four']);
    expect(faultCodes()).toEqual([]);
  });

  test('the same where no older file tells how they count', async () => {
    await killed();
    rotate('app.log.1', 'three');
    rotate('app.log.2', 'four');
    rotate('app.log.3', 'five');
    expect(await readAgain()).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(faultCodes()).toEqual([]);
  });

  test('the same where the older file was read by Bailiff and is known', async () => {
    await killed();
    rotate('app.log.1', 'three');
    await readAgain();
    reader.clock.advance(31_000);
    await reader.take();
    await reader.stop();
    rotate('app.log.2', 'four');
    rotate('app.log.3', 'five');
    expect(await readAgain()).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(faultCodes()).toEqual([]);
  });

  test('a compressed middle file is read', async () => {
    await killed(['app.log.1']);
    rotate('app.log.2', 'three');
    rotate('app.log.3', 'four');
    compress('app.log.3');
    expect(await readAgain()).toEqual(['one', 'two', 'three', 'four']);
  });

  test('copies of truncated files are read, and what was renamed after them', async () => {
    await killed(['app.log.1']);
    for (const [n, next] of [
      [2, 'three'],
      [3, 'four'],
    ] as const) {
      copyFileSync(folder.file('app.log'), folder.file(`app.log.${n}`));
      truncateSync(folder.file('app.log'));
      tick();
      appendFileSync(folder.file('app.log'), `${next}\n`);
    }
    rotate('app.log.4', 'five');
    expect(await readAgain()).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('nothing is read twice at the next starts', async () => {
    await killed(['app.log.1']);
    rotate('app.log.2', 'three');
    rotate('app.log.3', 'four');
    await readAgain();
    for (const name of ['app.log.4', 'app.log.5']) {
      await reader.stop();
      rotate(name, `after ${name}`);
      await readAgain();
    }
    expect(reader.lines().slice(2)).toEqual(['three', 'four', 'after app.log.4', 'after app.log.5']);
  });
});

describe('names in no order', () => {
  test.each([
    [['app.log.3', 'app.log.2'], 'app.log.1'],
    [['app.log.2', 'app.log.4', 'app.log.3'], 'app.log.1'],
    [['app.log.3', 'app.log.1', 'app.log.4'], 'app.log.2'],
    [['app.log-31012025', 'app.log-01022025'], 'app.log-30012025'],
  ])('%j beside the older %s: every line once, in the order of writing', async (names, older) => {
    await killed([older]);
    for (const [at, name] of names.entries()) rotate(name, `next ${at}`);
    expect(await readAgain()).toEqual(['one', 'two', ...names.map((_, at) => `next ${at}`)]);
    expect(faultCodes()).toEqual([]);
  });

  test('a file that was there before and is still written to is not read, and a fault says so', async () => {
    await killed(['app.log.7']);
    tick();
    appendFileSync(folder.file('app.log.7'), 'by whom?\n');
    rotate('app.log.1', 'three');
    expect(await readAgain()).toEqual(['one', 'two', 'three']);
    expect(faultCodes()).toEqual(['E_SOURCE_UNPLACED']);
  });
});

test('names decide where the times say nothing: a compressor that keeps no times', async () => {
  await killed(['app.log.2']);
  rotate('app.log.1', 'three');
  writeFileSync(folder.file('app.log.2.gz'), gzipSync(readFileSync(folder.file('app.log.2'))));
  unlinkSync(folder.file('app.log.2'));
  expect(await readAgain()).toEqual(['one', 'two', 'three']);
});
