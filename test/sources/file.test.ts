import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  linkSync,
  lchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

/** Follows a log that is there already, with all its lines read and committed. */
async function follow(text: string, pattern = 'app.log'): Promise<void> {
  writeFileSync(folder.file('app.log'), text);
  reader = createReader([folder.file(pattern)]);
  reader.start();
  await reader.take();
  reader.commit();
}

const append = (name: string, text: string): void => appendFileSync(folder.file(name), text);
const faultCodes = (): string[] =>
  reader
    .sources()
    .status()
    .flatMap(({ faults }) => faults.map(({ code }) => code));

describe('lines', () => {
  test('a half-written last line waits for its end', async () => {
    await follow('one\ntw');
    expect(reader.lines()).toEqual(['one']);
    append('app.log', 'o\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two']);
  });

  test('a half-written line survives a crash', async () => {
    await follow('one\ntw');
    await reader.stop(true);
    append('app.log', 'o\nthree\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three']);
  });

  test('a multi-byte character over the edge of a read is whole', async () => {
    const line = `${'é'.repeat(50_000)}x`;
    await follow(`${line}\n${line}\n`);
    const read = reader.lines().map((one) => Buffer.from(one, 'latin1').toString('utf8'));
    expect(read).toEqual([line, line]);
  });

  test('CRLF stays with its line', async () => {
    await follow('one\r\ntwo\r\n');
    expect(reader.chunks.at(-1)?.text).toBe('one\r\ntwo\r\n');
    expect(reader.chunks.at(-1)).toMatchObject({ firstLine: 1, lines: 2 });
  });

  test('lines are numbered through chunks and restarts', async () => {
    await follow('one\ntwo\n');
    await reader.stop();
    append('app.log', 'three\n');
    reader.start();
    await reader.take();
    expect(reader.chunks.at(-1)).toMatchObject({ firstLine: 3, lines: 1, text: 'three\n' });
  });

  test('a 10 MB line is cut and counted, and what follows it is read', async () => {
    await follow(`before\n${'x'.repeat(10_000_000)}\nafter\n`);
    const lines = reader.lines();
    expect(lines.map((line) => line.length)).toEqual([6, 256 * 1024, 5]);
    expect(reader.sources().status()[0]).toMatchObject({ skipped: 1, lines: 3 });
    expect(faultCodes()).toContain('E_SOURCE_LONG_LINE');
    expect(reader.positions().find(({ id }) => id.includes('@'))?.lines).toBe(3);
  });

  test('a crash inside an over-long line does not make a line of its rest', async () => {
    await follow(`${'x'.repeat(600_000)}`);
    expect(reader.positions().some(({ skipping }) => skipping)).toBe(true);
    await reader.stop(true);
    append('app.log', 'rest of it\nnext\n');
    reader.start();
    await reader.take();
    expect(reader.lines().map((line) => line.slice(0, 12))).toEqual(['xxxxxxxxxxxx', 'next']);
  });

  test('a line of exactly 256 KiB is whole', async () => {
    await follow(`${'x'.repeat(256 * 1024)}\nnext\n`);
    expect(reader.lines().map((line) => line.length)).toEqual([256 * 1024, 4]);
    expect(reader.sources().status()[0]?.skipped).toBe(0);
  });

  test('NULs and bytes that are no UTF-8 are counted and handed on', async () => {
    writeFileSync(folder.file('app.log'), Buffer.from('a\0b\nc\xff\xfed\nclean\n', 'latin1'));
    reader = createReader([folder.file('app.log')]);
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['a\0b', 'c\xff\xfed', 'clean']);
    expect(reader.sources().status()[0]?.faults).toMatchObject([
      { code: 'E_SOURCE_BINARY', count: 1 },
      { code: 'E_SOURCE_ENCODING', count: 1 },
    ]);
  });

  test('a backlog is read in chunks of bounded size', async () => {
    await follow('0123456789 some line of a log\n'.repeat(40_000));
    expect(reader.lines()).toHaveLength(40_000);
    expect(Math.max(...reader.chunks.map(({ text }) => text.length))).toBeLessThanOrEqual(96 * 1024);
  });
});

describe('rotation while running', () => {
  test('rename and create: the old file to its end, then the new one', async () => {
    await follow('one\n');
    append('app.log', 'two\n');
    renameSync(folder.file('app.log'), folder.file('app.log.1'));
    append('app.log', 'four\n');
    append('app.log.1', 'three\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
    expect(reader.chunks.map(({ file }) => file.slice(-5))).toContain('log.1');
  });

  test('what nginx writes to the renamed file is read ahead of the new one, until it is quiet', async () => {
    await follow('one\n');
    const old = openSync(folder.file('app.log'), 'a');
    renameSync(folder.file('app.log'), folder.file('app.log.1'));
    append('app.log', 'new 1\n');
    await reader.take();
    writeSync(old, 'late 1\n');
    append('app.log', 'new 2\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'new 1', 'late 1', 'new 2']);
    reader.clock.advance(31_000);
    await reader.take();
    expect(reader.positions().some(({ finished }) => finished)).toBe(true);
    writeSync(old, 'very late\n');
    closeSync(old);
    await reader.take();
    expect(reader.lines().at(-1)).toBe('very late');
  });

  test('copytruncate: unread lines are finished in the copy, then the file from its beginning', async () => {
    await follow('one\n');
    append('app.log', 'two\n');
    copyFileSync(folder.file('app.log'), folder.file('app.log.1'));
    truncateSync(folder.file('app.log'));
    append('app.log', 'three\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three']);
  });

  test('a file truncated and written beyond the old position at once is noticed', async () => {
    await follow('one\n');
    truncateSync(folder.file('app.log'));
    append('app.log', 'another line\nand another\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'another line', 'and another']);
  });

  test('lines that were truncated unread, with no copy, are a fault', async () => {
    await follow('one\n');
    reader.sources().status();
    append('app.log', 'half');
    await reader.sources().caughtUp();
    truncateSync(folder.file('app.log'));
    await reader.take();
    expect(faultCodes()).toContain('E_SOURCE_LOST');
  });

  test('delete and create, even with the inode given again: the new file from its beginning', async () => {
    await follow('one\n');
    await reader.stop();
    unlinkSync(folder.file('app.log'));
    append('app.log', 'two\nthree\n');
    reader.start();
    await reader.take();
    unlinkSync(folder.file('app.log'));
    append('app.log', 'four\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
  });

  test('a deleted file is read to its end as long as it is open', async () => {
    await follow('one\n');
    append('app.log', 'two\n');
    unlinkSync(folder.file('app.log'));
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two']);
  });

  test('a copy made by an administrator is not read beside its original', async () => {
    await follow('one\ntwo\n', '*');
    copyFileSync(folder.file('app.log'), folder.file('app.log.1'));
    append('app.log', 'three\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three']);
  });

  test('two rotations between two looks lose nothing', async () => {
    await follow('one\n');
    append('app.log', 'two\n');
    renameSync(folder.file('app.log'), folder.file('app.log.2'));
    writeFileSync(folder.file('app.log.1'), 'three\n');
    append('app.log', 'four\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
  });

  test('a log that starts with the same banner after each truncation is read from its beginning', async () => {
    await follow('# log of the app, version 1.0, started\none\n');
    truncateSync(folder.file('app.log'));
    append('app.log', '# log of the app, version 1.0, start');
    await reader.take();
    append('app.log', 'ed\ntwo\nthree\n');
    await reader.take();
    expect(reader.lines().filter((line) => !line.startsWith('#'))).toEqual(['one', 'two', 'three']);
  });
});

describe('rotation while down', () => {
  test('several rotations, the older ones compressed, are read in their order', async () => {
    await follow('one\n');
    await reader.stop();
    append('app.log', 'two\n');
    writeFileSync(folder.file('app.log.3.gz'), gzipSync(readFileSync(folder.file('app.log'))));
    unlinkSync(folder.file('app.log'));
    writeFileSync(folder.file('app.log.2.gz'), gzipSync('three\nfour\n'));
    writeFileSync(folder.file('app.log.1'), 'five\n');
    writeFileSync(folder.file('app.log'), 'six\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });

  test('missed files that begin with the same banner are all read, and one that is there compressed too only once', async () => {
    const banner = `# ${'the same long banner '.repeat(60)}`;
    await follow('one\n');
    await reader.stop();
    renameSync(folder.file('app.log'), folder.file('app.log.3'));
    writeFileSync(folder.file('app.log.2'), `${banner}\ntwo\n`);
    writeFileSync(folder.file('app.log.1'), `${banner}\nthree\n`);
    writeFileSync(folder.file('app.log.1.gz'), gzipSync(`${banner}\nthree\n`));
    writeFileSync(folder.file('app.log'), 'four\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', banner, 'two', banner, 'three', 'four']);
  });

  test('dated names are read in the order of their dates', async () => {
    await follow('one\n');
    await reader.stop();
    append('app.log', 'two\n');
    renameSync(folder.file('app.log'), folder.file('app.log-20250104'));
    writeFileSync(folder.file('app.log-20250106.gz'), gzipSync('four\n'));
    writeFileSync(folder.file('app.log-20250105'), 'three\n');
    writeFileSync(folder.file('app.log'), 'five\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('siblings that were there before the first look are never read', async () => {
    writeFileSync(folder.file('app.log.2.gz'), gzipSync('ancient\n'));
    writeFileSync(folder.file('app.log.1'), 'old\n');
    for (const name of ['app.log.2.gz', 'app.log.1'])
      utimesSync(folder.file(name), 1_600_000_000, 1_600_000_000);
    await follow('one\n');
    await reader.stop();
    renameSync(folder.file('app.log.1'), folder.file('app.log.2'));
    renameSync(folder.file('app.log'), folder.file('app.log.1'));
    writeFileSync(folder.file('app.log'), 'two\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two']);
  });

  test('after a crash, lines read but not committed are read again from the copy that copytruncate made', async () => {
    await follow('one\n');
    append('app.log', 'two\n');
    await reader.take();
    copyFileSync(folder.file('app.log'), folder.file('app.log.1'));
    truncateSync(folder.file('app.log'));
    append('app.log', 'three\n');
    await reader.take();
    await reader.stop(true);
    expect(reader.lines()).toEqual(['one']);
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three']);
  });

  test('a file that a power cut made shorter is read on at its end', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => `line number ${n} of a log\n`);
    await follow(lines.join(''));
    await reader.stop();
    truncateSync(folder.file('app.log'), lines.slice(0, 50).join('').length);
    append('app.log', '');
    reader.start();
    await reader.take();
    append('app.log', 'after the cut\n');
    await reader.take();
    expect(reader.lines()).toHaveLength(61);
    expect(reader.lines().at(-1)).toBe('after the cut');
    expect(faultCodes()).toContain('E_SOURCE_SHRUNK');
  });

  test('a log restored from a backup under another inode goes on at its position', async () => {
    await follow('one\ntwo\n');
    await reader.stop();
    copyFileSync(folder.file('app.log'), folder.file('restored'));
    renameSync(folder.file('restored'), folder.file('app.log'));
    append('app.log', 'three\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three']);
  });

  test('a damaged compressed sibling is a fault, and the rest is read', async () => {
    await follow('one\n');
    await reader.stop();
    const whole = gzipSync(Array.from({ length: 5_000 }, (_, n) => `line ${n * 7919}\n`).join(''));
    renameSync(folder.file('app.log'), folder.file('app.log.2'));
    writeFileSync(folder.file('app.log.1.gz'), whole.subarray(0, whole.length - 2_000));
    writeFileSync(folder.file('app.log'), 'last\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toContain('line 7919');
    expect(reader.lines().at(-1)).toBe('last');
    expect(faultCodes()).toContain('E_SOURCE_COMPRESSED');
  });
});

describe('which files', () => {
  test('a member of a glob that appears later is read from its beginning', async () => {
    await follow('one\n', '*.log');
    append('other.log', 'first of other\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'first of other']);
    expect(reader.chunks.at(-1)).toMatchObject({
      source: folder.file('other.log'),
      patterns: [folder.file('*.log')],
    });
  });

  test('the first member of a glob is read when it appears, and not at the next poll', async () => {
    const { promise: isWatched, resolve } = Promise.withResolvers<void>();
    reader = createReader([folder.file('*.log')], {
      watch(...all) {
        resolve();
        return watch(...all);
      },
    });
    reader.start();
    let next = reader.sources().next();
    await isWatched;
    append('app.log', 'one\n');
    // Its clock stands still. What tells of positions alone has no text.
    while ((await next)?.text === '') next = reader.sources().next();
    expect(await next).toMatchObject({ text: 'one\n' });
  });

  test('a member that appeared while the daemon was down is read from its beginning', async () => {
    writeFileSync(folder.file('app.log'), '');
    reader = createReader([{ pattern: folder.file('*.log'), start: 'end' }]);
    reader.start();
    await reader.take();
    await reader.stop();
    append('other.log', 'first of other\n');
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['first of other']);
  });

  test('compressed files and folders are no members of a glob', async () => {
    mkdirSync(folder.file('sub'));
    writeFileSync(folder.file('old.log.gz'), gzipSync('no\n'));
    await follow('one\n', '*');
    expect(
      reader
        .sources()
        .status()
        .map(({ id }) => id),
    ).toEqual([folder.file('app.log')]);
    expect(faultCodes()).toEqual([]);
  });

  test('hard links and symbolic links are one file, named by every pattern', async () => {
    writeFileSync(folder.file('a.log'), 'one\n');
    linkSync(folder.file('a.log'), folder.file('b.log'));
    symlinkSync('a.log', folder.file('c.log'));
    reader = createReader([folder.file('a.log'), folder.file('b.log'), folder.file('c.log')]);
    reader.start();
    await reader.take();
    append('b.log', 'two\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two']);
    expect(reader.chunks.at(-1)?.patterns).toEqual(['a.log', 'b.log', 'c.log'].map(folder.file));
    expect(reader.sources().status()).toHaveLength(1);
  });

  test('two logs with the same first line are two logs', async () => {
    writeFileSync(folder.file('a.log'), 'same\n');
    writeFileSync(folder.file('b.log'), 'same\n');
    reader = createReader([folder.file('*.log')]);
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['same', 'same']);
  });

  test('a symbolic link that is led to another file: the old one to its end, then the new one', async () => {
    writeFileSync(folder.file('day-2025-01-01'), 'one\n');
    symlinkSync('day-2025-01-01', folder.file('current'));
    reader = createReader([folder.file('current')]);
    reader.start();
    await reader.take();
    append('day-2025-01-01', 'two\n');
    append('day-2025-01-02', 'three\n');
    unlinkSync(folder.file('current'));
    symlinkSync('day-2025-01-02', folder.file('current'));
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three']);
  });

  test('the same after a downtime in which a day was missed', async () => {
    writeFileSync(folder.file('day-2025-01-01'), 'one\n');
    symlinkSync('day-2025-01-01', folder.file('current'));
    reader = createReader([folder.file('current')]);
    reader.start();
    await reader.take();
    await reader.stop();
    append('day-2025-01-01', 'two\n');
    append('day-2025-01-02', 'three\n');
    append('day-2025-01-03', 'four\n');
    unlinkSync(folder.file('current'));
    symlinkSync('day-2025-01-03', folder.file('current'));
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
  });

  test('a path without a file waits, and is read from its beginning when it comes', async () => {
    reader = createReader([{ pattern: folder.file('later.log'), start: 'end' }]);
    reader.start();
    await reader.take();
    expect(reader.sources().status()).toMatchObject([{ id: folder.file('later.log'), state: 'waiting' }]);
    append('later.log', 'one\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one']);
    expect(reader.sources().status()).toMatchObject([{ state: 'following', lag: 0, lines: 1 }]);
  });

  test('positions of files that are gone are forgotten once another took their place', async () => {
    await follow('one\n');
    const [old] = reader.positions();
    unlinkSync(folder.file('app.log'));
    append('app.log', 'two\n');
    await reader.take();
    reader.clock.advance(31_000);
    await reader.take();
    renameSync(folder.file('app.log'), folder.file('app.log.1'));
    append('app.log', 'three\n');
    await reader.take();
    append('app.log', 'four\n');
    await reader.take();
    reader.commit();
    expect(reader.positions().map(({ id }) => id)).not.toContain(old?.id);
    expect(reader.lines()).toEqual(['one', 'two', 'three', 'four']);
  });
});

describe('what is refused', () => {
  const isRoot = process.getuid?.() === 0;

  test('a folder, a FIFO and a device are faults; other sources go on', async () => {
    mkdirSync(folder.file('folder.log'));
    execFileSync('/usr/bin/mkfifo', [folder.file('fifo.log')]);
    writeFileSync(folder.file('app.log'), 'one\n');
    const names = ['folder.log', 'fifo.log', 'app.log'];
    reader = createReader([...names.map(folder.file), '/dev/null']);
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual(['one']);
    const failed = reader
      .sources()
      .status()
      .filter(({ state }) => state === 'failed');
    expect(new Map(failed.map(({ id, faults }) => [id, faults[0]?.code]))).toEqual(
      new Map(
        ['/dev/null', folder.file('fifo.log'), folder.file('folder.log')].map((id) => [
          id,
          'E_SOURCE_NOT_A_FILE',
        ]),
      ),
    );
  });

  test('a folder where a log was is a fault; the log is read again when it is back', async () => {
    await follow('one\n');
    unlinkSync(folder.file('app.log'));
    mkdirSync(folder.file('app.log'));
    await reader.take();
    expect(reader.sources().status()[0]).toMatchObject({
      state: 'failed',
      faults: [{ code: 'E_SOURCE_NOT_A_FILE' }],
    });
    rmSync(folder.file('app.log'), { recursive: true });
    append('app.log', 'two\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two']);
  });

  test('a log that vanishes is a fault after a while, and read from its beginning when it is back', async () => {
    await follow('one\n');
    unlinkSync(folder.file('app.log'));
    await reader.take();
    expect(faultCodes()).toEqual([]);
    reader.clock.advance(6_000);
    await reader.take();
    expect(faultCodes()).toEqual(['E_SOURCE_VANISHED']);
    append('app.log', 'two\n');
    await reader.take();
    expect(reader.lines()).toEqual(['one', 'two']);
  });

  test.runIf(isRoot)('a link to a file that is neither its owner’s nor root’s is not followed', async () => {
    writeFileSync(folder.file('private'), 'secret\n');
    chownSync(folder.file('private'), 1001, 1001);
    symlinkSync('private', folder.file('app.log'));
    lchownSync(folder.file('app.log'), 1002, 1002);
    reader = createReader([folder.file('app.log')]);
    reader.start();
    await reader.take();
    expect(reader.lines()).toEqual([]);
    expect(reader.sources().status()[0]).toMatchObject({
      state: 'failed',
      faults: [{ code: 'E_SOURCE_SYMLINK' }],
    });
    lchownSync(folder.file('app.log'), 1001, 1001);
    await reader.take();
    expect(reader.lines()).toEqual(['secret']);
  });

  test('a log that may not be read is a fault, counted once, and read when it may be', async () => {
    writeFileSync(folder.file('app.log'), 'one\n');
    chmodSync(folder.file('app.log'), 0);
    reader = createReader([folder.file('app.log')]);
    const asNobody = isRoot ? process.seteuid : undefined;
    asNobody?.call(process, 65_534);
    try {
      if (isRoot) {
        process.seteuid!(0);
        chmodSync(folder.path, 0o755);
        process.seteuid!(65_534);
      }
      reader.start();
      await reader.take();
      reader.clock.advance(1_000);
      await reader.take();
      expect(reader.sources().status()[0]).toMatchObject({
        state: 'failed',
        faults: [{ code: 'E_SOURCE_PERMISSION', count: 1 }],
      });
    } finally {
      asNobody?.call(process, 0);
    }
    chmodSync(folder.file('app.log'), 0o644);
    await reader.take();
    expect(reader.lines()).toEqual(['one']);
  });
});

test('an append wakes a reader that waits', async () => {
  await follow('one\n');
  const next = reader.sources().next();
  append('app.log', 'two\n');
  expect(await next).toMatchObject({ text: 'two\n', live: true });
});

test('closing answers a reader that waits', async () => {
  await follow('one\n');
  const next = reader.sources().next();
  await reader.sources().close();
  expect(await next).toBeUndefined();
});

test('a file at its end is served ahead of a backlog', async () => {
  writeFileSync(folder.file('backlog.log'), 'a line of the backlog\n'.repeat(50_000));
  writeFileSync(folder.file('live.log'), 'old\n');
  reader = createReader([folder.file('backlog.log'), folder.file('live.log')]);
  reader.start();
  await reader.take(6);
  append('live.log', 'news\n');
  await reader.take(1);
  expect(reader.chunks.at(-1)).toMatchObject({ source: folder.file('live.log'), text: 'news\n', live: true });
  expect(await reader.sources().caughtUp()).toBe(false);
});
