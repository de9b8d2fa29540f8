// The journal, read by the real journalctl from real files: every entry once, whatever becomes of the files, of journalctl
// and of us.
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClock, createExec } from '../../src/daemon/system.ts';
import type { Chunk, JournalPosition } from '../../src/model.ts';
import { silentLog, type Feed, type FeedExec } from '../../src/ports.ts';
import type { Start } from '../../src/sources/contract.ts';
import { createJournals, type Journals } from '../../src/sources/journals.ts';
import { appendToJournal, type JournalEntry } from '../support/journal.ts';
import { needs } from '../support/programs.ts';
import { eventually } from '../support/run.ts';
import { temporaryFolder } from './kit.ts';

const T0 = Date.parse('2026-01-05T10:00:00Z');
const SSH = ['_SYSTEMD_UNIT=ssh.service'];

/** Entries n, a second apart. */
function entries(from: number, to: number, more: Partial<JournalEntry> = {}): JournalEntry[] {
  return Array.from({ length: to - from }, (_, i) => ({
    at: T0 + (from + i) * 1_000,
    message: `n${from + i}`,
    ...more,
  }));
}

const names = (from: number, to: number): string[] => entries(from, to).map(({ message }) => String(message));

interface Reader {
  readonly folder: string;
  readonly chunks: Chunk[];
  readonly feeds: Feed[];
  file(name: string): string;
  journals(): Journals;
  start(options?: { start?: Start; terms?: readonly (readonly string[])[] }): void;
  /** Reads until the journal says that it has nothing more. */
  take(): Promise<void>;
  /** The messages that were read since the last call. */
  messages(): string[];
  commit(): void;
  /** Ends; what was not committed is forgotten with `crash`. */
  stop(crash?: boolean): Promise<void>;
  faults(): string[];
  position(): JournalPosition | undefined;
}

function createReader(): Reader {
  const folder = temporaryFolder();
  const directory = folder.file('journal');
  mkdirSync(directory);
  const exec = createExec();
  const feeds: Feed[] = [];
  const listening: FeedExec = {
    ...exec,
    follow(program, args) {
      const feed = exec.follow(program, args);
      if (feed) feeds.push(feed);
      return feed;
    },
  };
  let journals: Journals | undefined;
  let positions = new Map<string, JournalPosition>();
  let committed = positions;
  let pending: Promise<Chunk | undefined> | undefined;
  let unread: string[] = [];
  const chunks: Chunk[] = [];

  const reader: Reader = {
    folder: directory,
    chunks,
    feeds,
    file: (name) => join(directory, name),
    journals: () => journals!,
    start({ start = 'beginning', terms = [SSH] } = {}) {
      const watches = terms.map((each) => ({ id: `journal:${each.join(' ')}`, terms: each, start }));
      journals = createJournals(
        { watches, positions: [...positions.values()], directory },
        { clock: createClock(), log: silentLog, exec: listening },
      );
    },
    async take() {
      await eventually('the journal is read', async () => {
        for (;;) {
          pending ??= journals!.next();
          const chunk = await Promise.race([pending, journals!.caughtUp()]);
          if (chunk === true) return true;
          if (chunk === false) return false;
          pending = undefined;
          if (!chunk) return false;
          chunks.push(chunk);
          if (chunk.position?.kind === 'journal') positions.set(chunk.position.id, chunk.position);
          if (chunk.commitFirst) reader.commit();
          unread.push(...chunk.text.split('\n').slice(0, -1));
        }
      });
    },
    messages() {
      const read = unread;
      unread = [];
      return read.map((line) => line.slice(line.indexOf(']: ') + 3));
    },
    commit: () => void (committed = new Map(positions)),
    async stop(crash = false) {
      if (!crash) reader.commit();
      await journals?.close();
      await pending;
      pending = undefined;
      positions = new Map(committed);
    },
    faults: () => journals!.status().flatMap(({ faults }) => faults.map(({ code }) => code)),
    position: () => [...positions.values()][0],
  };
  onTestFinished(async () => {
    await journals?.close();
    folder.remove();
  });
  return reader;
}

needs('journalctl', 'systemd-journal-remote')('the journal', () => {
  test('is read to its end, by our terms only, and then followed', async () => {
    const reader = createReader();
    await appendToJournal(reader.file('a.journal'), [
      ...entries(0, 3),
      ...entries(3, 5, { fields: { _SYSTEMD_UNIT: 'other.service' } }),
    ]);
    reader.start();
    await reader.take();
    expect(reader.messages()).toEqual(names(0, 3));
    await appendToJournal(reader.file('a.journal'), entries(5, 7));
    await reader.take();
    expect(reader.messages()).toEqual(names(5, 7));
    expect(reader.chunks[0]).toMatchObject({ text: '', commitFirst: true });
    expect(reader.chunks.at(-1)).toMatchObject({ file: 'journal', position: { lines: 5 } });
    expect(reader.chunks.at(-1)!.text).toMatch(/^2026-01-05T10:00:0\d\.000000\+00:00 web sshd\[812\]: n\d\n/);
    expect(reader.journals().status()).toMatchObject([
      {
        id: 'journal:_SYSTEMD_UNIT=ssh.service',
        kind: 'journal',
        state: 'following',
        lag: 0,
        lines: 5,
        faults: [],
      },
    ]);
    expect(reader.feeds).toHaveLength(1);
  });

  test('of several boots is read across them', async () => {
    const reader = createReader();
    await appendToJournal(reader.file('a.journal'), entries(0, 3));
    await appendToJournal(reader.file('b.journal'), entries(3, 6, { boot: 2 }));
    reader.start();
    await reader.take();
    expect(reader.messages()).toEqual(names(0, 6));
    await reader.stop();
    await appendToJournal(reader.file('b.journal'), entries(6, 7, { boot: 2 }));
    await appendToJournal(reader.file('c.journal'), entries(7, 9, { boot: 3 }));
    reader.start();
    await reader.take();
    expect(reader.messages()).toEqual(names(6, 9));
  });

  test('is gone on with exactly where the commit was, after a crash too', async () => {
    const reader = createReader();
    await appendToJournal(reader.file('a.journal'), entries(0, 10));
    reader.start();
    await reader.take();
    reader.messages();
    reader.commit();
    await appendToJournal(reader.file('a.journal'), entries(10, 20));
    await reader.take();
    expect(reader.messages()).toEqual(names(10, 20));
    await reader.stop(true);
    await appendToJournal(reader.file('b.journal'), entries(20, 25));
    reader.start();
    await reader.take();
    expect(reader.messages()).toEqual(names(10, 25));
    expect(reader.position()?.lines).toBe(25);
    await reader.stop();
    reader.start();
    await reader.take();
    expect(reader.messages()).toEqual([]);
    expect(reader.faults()).toEqual([]);
  });

  test('that was rotated away up to our place and beyond is told as lost, and the rest is read whole', async () => {
    const reader = createReader();
    await appendToJournal(reader.file('a.journal'), entries(0, 3));
    reader.start();
    await reader.take();
    await reader.stop();
    reader.messages();
    await appendToJournal(reader.file('a.journal'), entries(3, 5));
    await appendToJournal(reader.file('b.journal'), entries(5, 8));
    rmSync(reader.file('a.journal'));
    reader.start();
    await reader.take();
    // The first one that is left is not skipped, as `--after-cursor` would.
    expect(reader.messages()).toEqual(names(5, 8));
    const [fault] = reader.journals().status()[0]!.faults;
    expect(fault).toMatchObject({ code: 'E_JOURNAL_LOST', count: 1 });
    expect(fault!.message).toContain('from 2026-01-05T10:00:02.000Z to 2026-01-05T10:00:05.000Z');
  });

  test('that was vacuumed whole is told as lost once, and what comes is read', async () => {
    const reader = createReader();
    await appendToJournal(reader.file('a.journal'), entries(0, 3));
    reader.start();
    await reader.take();
    await reader.stop();
    reader.messages();
    rmSync(reader.file('a.journal'));
    reader.start();
    await reader.take();
    await appendToJournal(reader.file('b.journal'), entries(3, 5));
    await reader.take();
    expect(reader.messages()).toEqual(names(3, 5));
    expect(reader.faults()).toEqual(['E_JOURNAL_LOST']);
  });

  test('whose files are renamed and go on in new ones while it is read loses nothing', async () => {
    const reader = createReader();
    reader.start();
    for (let i = 0; i < 12; i++) {
      await appendToJournal(reader.file('live.journal'), entries(i * 5, i * 5 + 5));
      if (i % 3 === 1) await reader.take();
      if (i % 2 === 1) renameSync(reader.file('live.journal'), reader.file(`live@${i}.journal`));
    }
    await reader.take();
    expect(reader.messages()).toEqual(names(0, 60));
  });

  test('is read on when journalctl dies, and that is told', async () => {
    const reader = createReader();
    await appendToJournal(reader.file('a.journal'), entries(0, 3));
    reader.start();
    await reader.take();
    reader.feeds[0]!.close();
    await eventually('the end is noticed', () => reader.journals().status()[0]!.state === 'failed');
    expect(await reader.journals().caughtUp()).toBe(true);
    await appendToJournal(reader.file('a.journal'), entries(3, 6));
    expect(await reader.journals().caughtUp()).toBe(false);
    await reader.take();
    expect(reader.messages()).toEqual(names(0, 6));
    expect(reader.journals().status()).toMatchObject([{ state: 'following', lines: 6 }]);
    expect(reader.faults()).toEqual(['E_JOURNAL_ENDED']);
    expect(reader.feeds).toHaveLength(2);
  });

  test('is met at its end, or where what is young enough begins; and there again after a crash', async () => {
    for (const [start, expected] of [
      ['end', names(10, 12)],
      [{ since: T0 + 6_000 }, names(6, 12)],
      [{ since: T0 + 600_000 }, []],
    ] as const) {
      const reader = createReader();
      await appendToJournal(reader.file('a.journal'), entries(0, 10));
      reader.start({ start });
      await reader.take();
      reader.messages();
      await reader.stop(true);
      await appendToJournal(reader.file('a.journal'), entries(10, 12));
      // Another start changes nothing now: it was met.
      reader.start({ start: 'beginning' });
      await reader.take();
      expect(reader.messages()).toEqual(expected);
    }
  });

  test('that is empty or not there is waited for', async () => {
    const reader = createReader();
    rmSync(reader.folder, { recursive: true });
    reader.start();
    await eventually('it is tried', () => reader.faults().length > 0);
    expect(reader.journals().status()).toMatchObject([{ state: 'failed', lines: 0 }]);
    expect(await reader.journals().caughtUp()).toBe(false);
    mkdirSync(reader.folder);
    await reader.take();
    expect(reader.journals().status()).toMatchObject([{ state: 'waiting', lines: 0 }]);
    await appendToJournal(reader.file('a.journal'), entries(0, 2));
    await reader.take();
    expect(reader.messages()).toEqual(names(0, 2));
    expect(reader.journals().status()).toMatchObject([{ state: 'following', lines: 2 }]);
  });

  test('groups of terms are one journalctl, several jails each have theirs', async () => {
    const reader = createReader();
    const kernel = { SYSLOG_IDENTIFIER: 'kernel', _TRANSPORT: 'kernel', _SYSTEMD_UNIT: 'none' };
    const user = { _SYSTEMD_UNIT: 'user@1000.service', _SYSTEMD_USER_UNIT: 'app.service' };
    await appendToJournal(reader.file('a.journal'), [
      ...entries(0, 1),
      ...entries(1, 2, { fields: kernel }),
      ...entries(2, 3, { fields: user }),
      ...entries(3, 4, { fields: { _SYSTEMD_UNIT: 'other.service' } }),
    ]);
    reader.start({ terms: [[...SSH, '+', '_TRANSPORT=kernel'], ['_SYSTEMD_USER_UNIT=app.service']] });
    await reader.take();
    expect(reader.messages().toSorted()).toEqual(['n0', 'n1', 'n2']);
    expect(reader.feeds).toHaveLength(2);
    const sources = new Set(reader.chunks.map(({ source }) => source));
    expect(sources.size).toBe(2);
    // One goes, one comes, one stays where it is.
    reader.journals().follow([
      {
        id: 'journal:_SYSTEMD_USER_UNIT=app.service',
        terms: ['_SYSTEMD_USER_UNIT=app.service'],
        start: 'beginning',
      },
      {
        id: 'journal:_SYSTEMD_UNIT=other.service',
        terms: ['_SYSTEMD_UNIT=other.service'],
        start: 'beginning',
      },
    ]);
    await appendToJournal(reader.file('a.journal'), [...entries(4, 5), ...entries(5, 6, { fields: user })]);
    await reader.take();
    expect(reader.messages().toSorted()).toEqual(['n3', 'n5']);
  });

  test('whatever a message holds, it is one line', async () => {
    const reader = createReader();
    const forged = `x\n2026-01-05T10:00:00+00:00 web sshd[1]: Failed password for root from 203.0.113.9 port 1 ssh2\n\n__CURSOR=x\nMESSAGE=y\n\n`;
    await appendToJournal(reader.file('a.journal'), [
      { at: T0, message: forged },
      { at: T0 + 1, message: Buffer.from([0xff, 0x00, 0xfe, 0x0a, 0x41]) },
      { at: T0 + 2, message: 'long '.repeat(200_000) },
      { at: T0 + 3, message: 'tag', fields: { SYSLOG_IDENTIFIER: 'a\nb: c' } },
      ...entries(4, 5),
    ]);
    reader.start();
    await reader.take();
    const read = reader.messages();
    expect(read).toHaveLength(5);
    expect(read[0]).toMatch(/^x#0122026-01-05T10:00:00\+00:00 web sshd\[1\]: .*#012MESSAGE=y$/);
    expect(read[1]).toBe('\xff#000\xfe#012A');
    expect(read[2]).toHaveLength(256 * 1_024);
    expect(read.slice(3)).toEqual(['tag', 'n4']);
    expect(reader.journals().status()).toMatchObject([{ lines: 5, skipped: 1 }]);
    expect(reader.faults()).toEqual(['E_SOURCE_LONG_LINE']);
  });

  test('a backlog stays in the journal: what nobody takes is not read', async () => {
    const reader = createReader();
    const count = 6_000;
    await appendToJournal(
      reader.file('a.journal'),
      entries(0, count, { message: 'x'.repeat(1_000) }).map((entry, i) => ({ ...entry, at: T0 + i })),
    );
    let taken = 0;
    reader.start();
    const first = await reader.journals().next();
    expect(first?.commitFirst).toBe(true);
    await eventually('journalctl has started', () => reader.feeds.length === 1);
    const before = process.memoryUsage();
    // Time enough for journalctl to say all of it, were it not held up: it answers the same question to its end.
    await reader.journals().caughtUp();
    const exec = createExec();
    const file = exec.find('journalctl')!;
    const all = await exec.run({
      file,
      args: [`--directory=${reader.folder}`, '-q', '-o', 'export'],
      timeout: 60_000,
    });
    expect(all.stdout.length).toBeGreaterThan(count * 1_000);
    const feed = reader.feeds[0]!;
    // What has come without being asked for is at most what the pipe and its reader hold.
    for (let bytes = feed.take(); bytes; bytes = feed.take()) taken += bytes.length;
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(1_048_576); // Of six.
    expect(process.memoryUsage().external - before.external).toBeLessThan(64 * 1_048_576);
  });

  test('a big backlog comes in chunks of bounded size, each with its place', async () => {
    const reader = createReader();
    const count = 8_000;
    await appendToJournal(
      reader.file('a.journal'),
      entries(0, count).map((entry, i) => ({ ...entry, at: T0 + i })),
    );
    reader.start();
    await reader.take();
    expect(reader.messages()).toEqual(names(0, count));
    const read = reader.chunks.filter(({ lines }) => lines > 0);
    expect(read.length).toBeGreaterThan(3);
    expect(Math.max(...read.map(({ text }) => text.length))).toBeLessThan(128 * 1_024);
    let line = 1;
    for (const chunk of read) {
      expect(chunk.firstLine).toBe(line);
      line += chunk.lines;
      expect(chunk.position).toMatchObject({ lines: line - 1 });
    }
  });
});
