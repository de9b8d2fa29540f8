// Whose sessions are under way, by the lines of one log so far: bounded in number, and forgotten by the lines' own stamps,
// so that the same lines give the same verdicts whenever they are read.
import type { Instant, Network, Waiting } from '../model.ts';
import { ownCopy } from '../text.ts';
import type { SessionMemory } from './contract.ts';

/** One session as it is remembered. */
export interface OpenSession {
  readonly filter: string;
  /** Distinct within the filter and the log. */
  readonly session: string;
  /** undefined: no line has told it yet. */
  readonly address: Network | undefined;
  readonly waiting: Waiting | undefined;
  /** Lines stamped later are no longer joined with it. */
  readonly until: Instant;
}

/**
 * Told of each change; undefined: the session is forgotten.
 * @param key distinct within the log; one and the same text for one session.
 */
type OnChange = (key: string, filter: string, session: string, open: OpenSession | undefined) => void;

/** The last line of the log, and who is told when it is another one. */
interface LastLine {
  readonly line: string | undefined;
  onChange(line: string | undefined, at: Instant): void;
}
const NO_LINE: LastLine = { line: undefined, onChange() {} };

export interface KeptSessions extends SessionMemory {
  /** How many were forgotten before their time, to make room. */
  readonly evicted: number;
  readonly size: number;
  /** In the order in which they were heard of last. */
  all(): Iterable<OpenSession>;
  /** Forgets what no line stamped `at` or later is joined with. */
  prune(at: Instant): void;
}

/** Beyond it those that were silent for longest make room. */
export const MOST_SESSIONS = 10_000;
/** More doesn't matter to any jail. */
const MOST_COUNTS = 1_000;

/** Knows nobody, and stays so: for who looks at one line. */
export const NO_SESSIONS: SessionMemory = {
  open() {},
  tell() {},
  find: () => undefined,
  has: () => false,
  wait() {},
  close: () => undefined,
  lastLine: undefined,
  keepLast() {},
};

/** What two lines count that wait for the same session; of either there may be none. */
export function waitingTogether(one: Waiting | undefined, other: Waiting | undefined): Waiting | undefined {
  if (!one || !other) return one ?? other;
  return { pattern: one.pattern, counts: Math.min(MOST_COUNTS, one.counts + other.counts) };
}

/** @param known sessions that were remembered, the one that was silent for longest first. */
export function createSessionMemory(
  known: readonly OpenSession[] = [],
  onChange: OnChange = () => {},
  last: LastLine = NO_LINE,
): KeptSessions {
  // In the order in which they were heard of last.
  const open = new Map(known.map((each) => [sessionKey(each.filter, each.session), each]));
  let evicted = 0;
  let lastLine = last.line;
  // A line asks several times for the same one, and to put a key together costs more than to compare its parts.
  let asked = { filter: '', session: '', key: '' };
  const keyOf = (filter: string, session: string): string => {
    if (session !== asked.session || filter !== asked.filter) {
      const key = sessionKey(filter, session);
      // A part of the key: what is asked about may be a view of a whole chunk.
      asked = { filter, session: key.slice(filter.length + 1), key };
    }
    return asked.key;
  };

  const forget = (key: string): void => {
    const gone = open.get(key);
    if (!gone) return;
    open.delete(key);
    onChange(key, gone.filter, gone.session, undefined);
  };
  // Whoever is heard of again goes to the end, and a map's first entry is found behind the holes of all who did: so one
  // walk goes on from where it stopped.
  let walk = open.entries();
  let front: readonly [string, OpenSession] | undefined;
  const oldest = (): readonly [string, OpenSession] | undefined => {
    while (!front || open.get(front[0]) !== front[1]) {
      front = walk.next().value;
      if (front) continue;
      if (open.size === 0) return undefined;
      walk = open.entries();
    }
    return front;
  };
  const current = (filter: string, session: string, at: Instant): OpenSession | undefined => {
    const found = open.get(keyOf(filter, session));
    return found && at <= found.until ? found : undefined;
  };
  /** Notes what is known of a session now, and makes room. */
  const note = (known: OpenSession, at: Instant): void => {
    const { filter, address, waiting, until } = known;
    const session = ownCopy(known.session);
    const own = { filter, session, address, waiting, until };
    const key = keyOf(filter, session);
    open.delete(key);
    open.set(key, own);
    onChange(key, filter, session, own);
    for (let first = oldest(); first && first[1].until < at; first = oldest()) forget(first[0]);
    if (open.size <= MOST_SESSIONS) return;
    forget(oldest()![0]);
    evicted++;
  };

  return {
    get evicted() {
      return evicted;
    },
    get size() {
      return open.size;
    },
    all: () => open.values(),
    get lastLine() {
      return lastLine;
    },
    keepLast(line, at) {
      if (line === lastLine) return;
      lastLine = line;
      last.onChange(line, at);
    },
    open(filter, session, address, at, until) {
      note({ filter, session, address, waiting: undefined, until }, at);
    },
    tell(filter, session, address, at, until) {
      const known = current(filter, session, at);
      // Most lines of a connection are of one second, and tell nothing new.
      if (known?.address?.text === address.text && known.until >= until) return;
      note({ filter, session, address, waiting: known?.waiting, until }, at);
    },
    find(filter, session, at) {
      return current(filter, session, at)?.address;
    },
    has: (filter, session) => open.has(keyOf(filter, session)),
    wait(filter, session, waiting, at, until) {
      const known = current(filter, session, at);
      const all = waitingTogether(known?.waiting, waiting);
      note({ filter, session, address: known?.address, waiting: all, until }, at);
    },
    close(filter, session, at) {
      const waiting = current(filter, session, at)?.waiting;
      forget(keyOf(filter, session));
      return waiting;
    },
    prune(at) {
      for (const [key, { until }] of open) if (until < at) forget(key);
    },
  };
}

/** A filter's name has no blank. */
export function sessionKey(filter: string, session: string): string {
  return `${filter} ${session}`;
}
