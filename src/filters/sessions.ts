// Whose sessions are under way, by the lines of one log so far: bounded in number, and forgotten by the lines' own stamps,
// so that the same lines give the same verdicts whenever they are read.
import type { Instant, Network, Waiting } from '../model.ts';
import type { SessionMemory } from './contract.ts';
import { idOf, sessionId, SessionIndex } from './session-index.ts';
import type { Indexed, SessionId } from './session-index.ts';

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

/** Which session of the log. */
type Key = Pick<OpenSession, 'filter' | 'session'>;

/** The last line of the log, and who is told when it is another one. */
interface LastLine {
  readonly line: string | undefined;
  onChange(line: string | undefined, at: Instant): void;
}
const NO_LINE: LastLine = { line: undefined, onChange() {} };

/** The sessions of one log, and which of them are to be written: most are over before anybody asks. */
export interface KeptSessions extends SessionMemory {
  /** How many were forgotten before their time, to make room. */
  readonly evicted: number;
  readonly size: number;
  /** How many changes {@link takeUnwritten} would take. */
  readonly unwritten: number;
  /** What changed since it was taken last, or all there is where that is less; what is forgotten may have been taken before. */
  takeUnwritten(): SessionsTaken;
  /** What was taken last couldn't be written: it is to be taken again, as it will be by then. */
  restore(taken: { readonly open: Iterable<Key>; readonly forgotten: readonly Key[] }): void;
  /** Nothing of it is written anywhere any more. */
  rewrite(): void;
  /** Forgets what no line stamped `at` or later is joined with. */
  prune(at: Instant): void;
}

interface SessionsTaken {
  /** In the order in which they were heard of last. The next line may change them: copy what you keep. */
  readonly open: readonly OpenSession[];
  readonly forgotten: readonly Key[];
  /** Is that all there is? */
  readonly isWhole: boolean;
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

/**
 * A session in its place: a list in the order in which they were heard of last costs no search for the oldest. Each is
 * used again once it is forgotten: one that outlives a few thousand lines is moved twice by the collector of garbage.
 */
class Known implements OpenSession, Indexed {
  filter = '';
  writer = '';
  number = -1;
  address: Network | undefined = undefined;
  waiting: Waiting | undefined = undefined;
  until: Instant = 0;
  /** The number of its latest note: ascending along the list. */
  noted = 0;
  /** Was it ever taken to be written? Only then may somebody have to hear that it is forgotten. */
  wasTaken = false;
  older: Known | undefined = undefined;
  newer: Known | undefined = undefined;

  get session(): string {
    return idOf(this);
  }
}

/** @param remembered sessions that are written, the one that was silent for longest first. */
export function createSessionMemory(
  remembered: readonly OpenSession[] = [],
  last: LastLine = NO_LINE,
): KeptSessions {
  const filters = new Map<string, SessionIndex<Known>>();
  /** Those of the filter that was asked for last. */
  let asked = '';
  let askedOf: SessionIndex<Known> | undefined;
  let oldest: Known | undefined;
  let newest: Known | undefined;
  /** Forgotten ones to be used again, by `newer`. */
  let spare: Known | undefined;
  let size = 0;
  let evicted = 0;
  /** Notes so far, and up to which of them all that is known was taken. Those behind it stand at the end of the list. */
  let notes = 0;
  let taken = 0;
  let fresh = 0;
  let forgotten: Key[] = [];
  let lastLine = last.line;

  const indexOf = (filter: string): SessionIndex<Known> | undefined => {
    if (filter !== asked) [asked, askedOf] = [filter, filters.get(filter)];
    return askedOf;
  };
  const known = (filter: string, session: SessionId): Known | undefined => indexOf(filter)?.get(session);
  const current = (filter: string, session: SessionId, at: Instant): Known | undefined => {
    const found = known(filter, session);
    return found && at <= found.until ? found : undefined;
  };

  function add(filter: string, session: SessionId): Known {
    let sessions = indexOf(filter);
    if (!sessions) filters.set(filter, (askedOf = sessions = new SessionIndex()));
    const one = spare ?? new Known();
    spare = one.newer;
    one.filter = filter;
    sessions.add(session, one);
    size++;
    return one;
  }

  function link(one: Known): void {
    one.older = newest;
    one.newer = undefined;
    if (newest) newest.newer = one;
    else oldest = one;
    newest = one;
  }

  function unlink(one: Known): void {
    if (one.older) one.older.newer = one.newer;
    else oldest = one.newer;
    if (one.newer) one.newer.older = one.older;
    else newest = one.older;
  }

  function forget(one: Known): void {
    unlink(one);
    indexOf(one.filter)!.remove(one);
    size--;
    if (one.noted > taken) fresh--;
    if (one.wasTaken) forgotten.push({ filter: one.filter, session: one.session });
    one.address = one.waiting = undefined;
    one.noted = 0;
    one.wasTaken = false;
    one.newer = spare;
    spare = one;
  }

  /** Notes what is known of a session now, and makes room. */
  function note(
    one: Known | undefined,
    filter: string,
    session: SessionId,
    address: Network | undefined,
    waiting: Waiting | undefined,
    at: Instant,
    until: Instant,
  ): void {
    if (one) unlink(one);
    const own = one ?? add(filter, session);
    if (own.noted <= taken) fresh++;
    own.address = address;
    own.waiting = waiting;
    own.until = until;
    own.noted = ++notes;
    link(own);
    while (oldest && oldest.until < at) forget(oldest);
    if (size <= MOST_SESSIONS) return;
    forget(oldest!);
    evicted++;
  }

  /** The oldest of those that were not taken as they are now. */
  function firstFresh(): Known | undefined {
    let first: Known | undefined;
    for (let one = newest; one && one.noted > taken; one = one.older) first = one;
    return first;
  }

  /** All that was noted after that note is to be taken again. */
  function untake(until: number): void {
    taken = until;
    fresh = 0;
    for (let one = newest; one && one.noted > taken; one = one.older) fresh++;
  }

  for (const { filter, session, address, waiting, until } of remembered) {
    const id = sessionId(session);
    note(known(filter, id), filter, id, address, waiting, -Infinity, until);
    newest!.wasTaken = true;
  }
  taken = notes;
  fresh = 0;

  return {
    get evicted() {
      return evicted;
    },
    get size() {
      return size;
    },
    get unwritten() {
      return fresh + forgotten.length;
    },
    takeUnwritten() {
      const isWhole = size <= fresh + forgotten.length;
      const open: OpenSession[] = [];
      for (let one = isWhole ? oldest : firstFresh(); one; one = one.newer) {
        one.wasTaken = true;
        open.push(one);
      }
      const changes = { open, forgotten, isWhole };
      [taken, fresh, forgotten] = [notes, 0, []];
      return changes;
    },
    restore(changes) {
      // Those beyond are forgotten by their stamps once they are read again.
      forgotten = [...changes.forgotten, ...forgotten].slice(-MOST_SESSIONS);
      // The first of them that nothing has happened to since: the others stand behind it.
      for (const { filter, session } of changes.open) {
        const one = known(filter, sessionId(session));
        if (one && one.noted <= taken) return untake(one.noted - 1);
      }
    },
    rewrite() {
      untake(0);
    },
    get lastLine() {
      return lastLine;
    },
    keepLast(line, at) {
      if (line === lastLine) return;
      lastLine = line;
      last.onChange(line, at);
    },
    open(filter, session, address, at, until) {
      note(known(filter, session), filter, session, address, undefined, at, until);
    },
    tell(filter, session, address, at, until) {
      const one = known(filter, session);
      const isCurrent = one !== undefined && at <= one.until;
      // Most lines of a connection are of one second, and tell nothing new.
      if (isCurrent && one.address?.text === address.text && one.until >= until) return;
      note(one, filter, session, address, isCurrent ? one.waiting : undefined, at, until);
    },
    find(filter, session, at) {
      return current(filter, session, at)?.address;
    },
    has: (filter, session) => known(filter, session) !== undefined,
    wait(filter, session, waiting, at, until) {
      const one = current(filter, session, at);
      const all = waitingTogether(one?.waiting, waiting);
      note(known(filter, session), filter, session, one?.address, all, at, until);
    },
    close(filter, session, at) {
      const one = known(filter, session);
      const waiting = one && at <= one.until ? one.waiting : undefined;
      if (one) forget(one);
      return waiting;
    },
    prune(at) {
      let next: Known | undefined;
      for (let one = oldest; one; one = next) {
        next = one.newer;
        if (one.until < at) forget(one);
      }
    },
  };
}
