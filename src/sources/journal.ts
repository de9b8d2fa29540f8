// The journal, followed by one set of match terms: a journalctl that stays, where it is read from, and how far.
import { printable } from '../text.ts';
import type { Chunk, JournalPosition } from '../model.ts';
import type { Cancel, Clock, Feed, Log } from '../ports.ts';
import { formatInstant } from '../time.ts';
import type { JournalWatch, SourceStatus } from './contract.ts';
import { entriesBetween, instantOf, isAtOrPast, isSameEntry } from './cursor.ts';
import { createEntryReader, type Entry } from './export-format.ts';
import { createFaults } from './faults.ts';
import type { Answer, Journalctl } from './journalctl.ts';
import { createLineMaker } from './journal-lines.ts';
import { CHUNK, MAX_LINE } from './lines.ts';

export interface Journal {
  readonly watch: JournalWatch;
  /** What has come; undefined where nothing has. Asking says that the chunk before was applied. */
  read(): Chunk | undefined;
  /** Asks the journal. @returns whether every entry that is there now was handed out. */
  caughtUp(): Promise<boolean>;
  status(): SourceStatus;
  close(): void;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** How often the journal is asked whether our journalctl tells what comes. */
const LOOK = 60_000;

/**
 * Begins at once, and goes on by itself: a journalctl that ends is started again, ever later.
 * @param known what the ledger remembers of these terms.
 * @param onReady called when there may be something to read.
 */
export function createJournal(
  watch: JournalWatch,
  known: JournalPosition | undefined,
  journalctl: Journalctl,
  ports: { clock: Clock; log: Log; portion?: () => number },
  onReady: () => void,
): Journal {
  const { clock, log } = ports;
  const faults = createFaults(clock);
  const maker = createLineMaker(known?.broken ?? []);
  let position = known;
  /** Where a first sight begins is committed before anything is read. */
  let announced: Chunk | undefined;
  let feed: Feed | undefined;
  let reader = createEntryReader(MAX_LINE);
  /** Has this journalctl said nothing yet? Then it begins with the entry at our cursor, if that is still there. */
  let isFresh = false;
  /** The newest entry when reading began: whoever is there has caught up once. */
  let target: string | undefined;
  let isLive = false;
  let state: 'waiting' | 'following' | 'failed' = 'following';
  /** Our place when it was found to be gone. */
  let missed: string | undefined;
  let wait = FIRST_WAIT;
  let cancelRetry: Cancel | undefined;
  let cancelLook: Cancel | undefined;
  /** Where we stood when the journal had more than we were told of; undefined where it had not. */
  let doubt: { readonly cursor: string | undefined } | undefined;
  let isClosed = false;
  const counted = { lines: 0, skipped: 0 };

  async function begin(): Promise<void> {
    cancelRetry = undefined;
    if (!journalctl.isThere) return failed('E_JOURNAL_MISSING');
    const newest = await journalctl.newest(watch.terms);
    if (isClosed) return;
    if (newest.outcome === 'failed') return failed('E_JOURNAL_ENDED', newest.why);
    position ??= meet(newest);
    if (position.cursor !== undefined) await lookFor(position.cursor);
    if (isClosed) return;
    target = newest.outcome === 'found' ? newest.cursor : undefined;
    isLive ||= hasRead(newest);
    const started = journalctl.follow(watch.terms, position);
    if (!started) return failed('E_JOURNAL_ENDED', 'it could not be started');
    reader = createEntryReader(MAX_LINE);
    isFresh = true;
    feed = started;
    state = newest.outcome === 'none' && position.cursor === undefined ? 'waiting' : 'following';
    started.onReadable(onReady);
    started.onEnd((why) => {
      if (feed !== started) return;
      feed = undefined;
      failed('E_JOURNAL_ENDED', why);
    });
    onReady();
    doubt = undefined;
    lookLater(started);
  }

  function lookLater(at: Feed): void {
    cancelLook?.();
    cancelLook = clock.schedule(LOOK, () => void look(at));
  }

  /**
   * A journalctl can go deaf and stay: where the folder that it watches was removed, for one. Whoever has said nothing
   * over two looks while there was something to say is started anew, which is harmless: it begins at our cursor.
   */
  async function look(at: Feed): Promise<void> {
    if (feed !== at) return;
    const newest = await journalctl.newest(watch.terms);
    if (isClosed || feed !== at) return;
    const cursor = position?.cursor;
    const isBehind = !hasRead(newest);
    if (!isBehind || doubt?.cursor !== cursor || !doubt) {
      doubt = isBehind ? { cursor } : undefined;
      return lookLater(at);
    }
    feed = undefined;
    at.close();
    failed('E_JOURNAL_ENDED', newest.outcome === 'failed' ? newest.why : 'it said nothing of what has come');
  }

  /** First sight. */
  function meet(newest: Answer): JournalPosition {
    const { id, start } = watch;
    const cursor = start === 'end' && newest.outcome === 'found' ? newest.cursor : undefined;
    const since = typeof start === 'object' ? Math.max(0, start.since) : 0;
    const met: JournalPosition = { kind: 'journal', id, cursor, since, lines: 0, broken: [] };
    announced = { ...chunkAt(met, '', 0), commitFirst: true };
    log.info({ source: id }, 'journal met for the first time');
    return met;
  }

  function failed(code: 'E_JOURNAL_MISSING' | 'E_JOURNAL_ENDED', why?: string): void {
    state = 'failed';
    const told =
      why === undefined ? undefined : `journalctl ended (${printable(why, 200)}); it is tried again.`;
    faults.add(code, 1, told);
    log.warn({ source: watch.id, why }, 'the journal is not read');
    if (isClosed) return;
    cancelRetry = clock.schedule(wait, () => void begin());
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  /** The journal keeps its latest entries only. What it dropped behind our place was never seen. */
  async function lookFor(cursor: string): Promise<void> {
    if (missed === cursor) return; // It was told before.
    const first = await journalctl.at(cursor);
    if (first.outcome === 'failed') return; // The journalctl that follows will say so.
    if (first.outcome === 'found' && isSameEntry(first.cursor, cursor)) return;
    missed = cursor;
    const count = first.outcome === 'found' ? entriesBetween(cursor, first.cursor) : undefined;
    if (count === 0) return;
    const from = formatInstant(instantOf(cursor) ?? 0);
    const to = first.outcome === 'found' ? ` to ${formatInstant(first.at)}` : ' on';
    const many = count === undefined ? 'nobody knows how many' : `${count}, of all programs together`;
    const message = `Entries of the journal were removed before they were read: those from ${from}${to} (${many}).`;
    faults.add('E_JOURNAL_LOST', 1, message);
    log.warn({ source: watch.id, from: cursor, count }, 'entries of the journal are lost');
  }

  /** Was the newest entry handed out? */
  function hasRead(newest: Answer): boolean {
    if (newest.outcome !== 'found' || !position) return newest.outcome === 'none';
    return position.cursor === undefined
      ? newest.at < position.since
      : isAtOrPast(position.cursor, newest.cursor);
  }

  function nextEntry(): Entry | undefined {
    for (;;) {
      const entry = reader.next();
      if (entry) return entry;
      const bytes = feed?.take();
      if (!bytes) return undefined;
      reader.push(bytes);
    }
  }

  function chunkAt(at: JournalPosition, text: string, lines: number): Chunk {
    return {
      source: watch.id,
      patterns: [watch.id],
      file: 'journal',
      text,
      firstLine: at.lines - lines + 1,
      lines,
      position: at,
      arrivedAt: clock.now(),
      live: false,
      commitFirst: false,
    };
  }

  function readOn(from: JournalPosition): Chunk | undefined {
    let { cursor } = from;
    let text = '';
    let lines = 0;
    let isDrained = false;
    while (text.length < (ports.portion?.() ?? CHUNK)) {
      const entry = nextEntry();
      isDrained = !entry;
      if (!entry) break;
      const itself = entry.fields.get('__CURSOR');
      if (itself === undefined) continue;
      const isOurs = isFresh && cursor !== undefined && isSameEntry(itself, cursor);
      // It was there a moment ago, when we looked.
      if (isFresh && cursor !== undefined && !isOurs && missed !== cursor) faults.add('E_JOURNAL_LOST');
      isFresh = false;
      if (isOurs) continue;
      const line = maker.lineOf(entry);
      if (entry.isCut) faults.add('E_SOURCE_LONG_LINE');
      if (line.isBroken) faults.add('E_SOURCE_BROKEN_LINE');
      if (entry.isCut || line.isBroken) counted.skipped++;
      text += line.text;
      lines++;
      cursor = itself;
    }
    if (lines === 0 || cursor === undefined) return undefined;
    wait = FIRST_WAIT;
    state = 'following';
    counted.lines += lines;
    position = { ...from, cursor, lines: from.lines + lines, broken: maker.broken };
    const wasLive = isLive;
    isLive ||= target === undefined || isAtOrPast(cursor, target);
    return { ...chunkAt(position, text, lines), live: wasLive && isDrained };
  }

  void begin();
  return {
    watch,
    read() {
      const first = announced;
      announced = undefined;
      return first ?? (feed && position ? readOn(position) : undefined);
    },
    async caughtUp() {
      if (announced || !position) return false;
      const newest = await journalctl.newest(watch.terms);
      const done = hasRead(newest);
      isLive ||= done;
      return done;
    },
    status: () => ({
      id: watch.id,
      kind: 'journal',
      state: state === 'following' && !isLive ? 'catching-up' : state,
      lag: 0,
      ...counted,
      faults: faults.list(),
    }),
    close() {
      isClosed = true;
      cancelRetry?.();
      cancelLook?.();
      const open = feed;
      feed = undefined;
      open?.close();
    },
  };
}
