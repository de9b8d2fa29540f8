// The daemon's latest log lines, kept in memory for `bailiff logs`: wherever standard output goes, they can be asked for.
// What is kept is what was written, repetitions already counted; both the number of lines and their size are bounded.
import type { LogLevel, LogLine, LogPage, LogQuery } from '../../api/contract.ts';
import { LOG_LEVELS } from '../../api/contract.ts';
import type { Duration, Instant } from '../../model.ts';
import type { Clock, Log } from '../../ports.ts';
import { formatInstant } from '../../time.ts';

/** So many lines are kept, and so many characters of them. */
const LIMITS = { lines: 5_000, text: 2 * 1_024 * 1_024 };
/** Of a line with more facts than this, in characters, only the beginning is kept, as a text. */
const LONGEST = 8_192;
/** Facts that are instants. */
const INSTANTS = new Set(['since', 'until', 'at']);
/** Lines in one answer. */
const PAGE = 500;

export interface Recent {
  /** Waits for a line where there is none and the query allows it. */
  read(query: LogQuery): Promise<LogPage>;
  /** From here on nobody waits: the daemon ends. */
  close(): void;
}

interface Kept {
  /** Numbered from 1, without gaps. */
  readonly n: number;
  readonly at: Instant;
  readonly level: LogLevel;
  readonly message: string;
  /** As JSON: a copy that holds on to nothing, and whose size is known. */
  readonly facts: string;
}

/** @returns a log that writes to `log` and remembers lines of these levels, and what it remembers. */
export function remember(
  log: Log,
  clock: Clock,
  levels: readonly LogLevel[] = LOG_LEVELS,
  limits: typeof LIMITS = LIMITS,
): { readonly log: Log; readonly recent: Recent } {
  const ring = createRing(limits);
  const bell = createBell(clock);

  function say(level: LogLevel, facts: object, message: string): void {
    log[level](facts, message);
    if (!levels.includes(level)) return;
    ring.add({ at: clock.now(), level, message, facts: writeFacts(facts) });
    bell.ring();
  }

  return {
    log: {
      debug: (facts, message) => say('debug', facts, message),
      info: (facts, message) => say('info', facts, message),
      warn: (facts, message) => say('warn', facts, message),
      error: (facts, message) => say('error', facts, message),
    },
    recent: {
      async read(query) {
        const end = clock.monotonic() + (query.wait ?? 0) * 1_000;
        let page = readPage(ring, query);
        while (page.items.length === 0) {
          const left = end - clock.monotonic();
          if (left <= 0 || !(await bell.heard(left))) break;
          page = readPage(ring, query);
        }
        return page;
      },
      close: () => bell.close(),
    },
  };
}

/** For a daemon whose log nobody keeps. */
export const nothingKept: Recent = {
  read: async () => ({ items: [], next: null, last: 0, missed: 0 }),
  close() {},
};

interface Ring {
  add(line: Omit<Kept, 'n'>): void;
  /** The number of the oldest line that is there, or of the next one where there is none. */
  readonly oldest: number;
  /** The number of the newest line, gone or not; 0 before the first. */
  readonly newest: number;
  at(n: number): Kept;
}

function createRing(limits: typeof LIMITS): Ring {
  /** Each at its number, modulo how many there may be. */
  const kept: (Kept | undefined)[] = [];
  let oldest = 1;
  let newest = 0;
  let text = 0;
  const placeOf = (n: number): number => n % limits.lines;
  const sizeOf = ({ facts, message }: Kept): number => facts.length + message.length;

  function drop(): void {
    const place = placeOf(oldest++);
    text -= sizeOf(kept[place]!);
    kept[place] = undefined;
  }

  return {
    add(line) {
      if (newest - oldest + 1 === limits.lines) drop();
      const added = { n: ++newest, ...line };
      kept[placeOf(newest)] = added;
      text += sizeOf(added);
      while (text > limits.text && oldest < newest) drop();
    },
    get oldest() {
      return oldest;
    },
    get newest() {
      return newest;
    },
    at: (n) => kept[placeOf(n)]!,
  };
}

/** Those who wait for the next line. */
function createBell(clock: Clock) {
  const waiting = new Set<(heard: boolean) => void>();
  let isOpen = true;
  const tell = (heard: boolean): void => {
    for (const each of [...waiting]) each(heard);
  };
  return {
    ring: () => tell(true),
    close() {
      isOpen = false;
      tell(false);
    },
    /** @returns false at the end of the time, and once nobody waits any more. */
    heard(time: Duration): Promise<boolean> {
      if (!isOpen) return Promise.resolve(false);
      return new Promise((resolve) => {
        const done = (heard: boolean): void => {
          waiting.delete(done);
          cancel();
          resolve(heard);
        };
        const cancel = clock.schedule(time, () => done(false));
        waiting.add(done);
      });
    },
  };
}

function readPage(ring: Ring, { after = 0, level = 'debug', jail, since }: LogQuery): LogPage {
  const least = LOG_LEVELS.indexOf(level);
  const from = since === undefined ? -Infinity : Date.parse(since);
  const items: LogLine[] = [];
  const { oldest, newest } = ring;
  let n = Math.max(oldest, after + 1);
  for (; n <= newest && items.length < PAGE; n++) {
    const line = ring.at(n);
    if (line.at < from || LOG_LEVELS.indexOf(line.level) < least) continue;
    const view = viewOf(line);
    if (jail === undefined || view.facts['jail'] === jail) items.push(view);
  }
  const missed = Math.max(0, oldest - 1 - after);
  return { items, next: n <= newest ? String(n - 1) : null, last: n - 1, missed };
}

function viewOf({ n, at, level, message, facts }: Kept): LogLine {
  return {
    ...{ n, at: formatInstant(at), level, message },
    facts: JSON.parse(facts) as Record<string, unknown>,
  };
}

/** Whatever the facts are must not keep a line from being written. */
function writeFacts(facts: object): string {
  let text: string;
  try {
    text = JSON.stringify(facts, plain);
  } catch (error) {
    text = JSON.stringify({ unreadable: String(error) });
  }
  return text.length <= LONGEST ? text : JSON.stringify({ cut: text.slice(0, LONGEST) });
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === 'number' && INSTANTS.has(key) && Number.isFinite(value)) return formatInstant(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) return { type: value.name, message: value.message, stack: value.stack };
  return value;
}
