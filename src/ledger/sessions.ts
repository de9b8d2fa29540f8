// Whose sessions are under way, as the ledger keeps them: what changed, one text after the other, and now and then all of it
// anew in their place. One connection of many opens and ends with each line, and most are over before anybody asks.
import type { Database } from 'better-sqlite3';
import type { Commit, KeptSession } from './contract.ts';
import { readSessionEntry, sessionEntry } from './rows.ts';

/** The version of the text that this Bailiff writes. */
const VERSION = 1;
/** So many entries may stand in the ledger beyond those that still say something. */
const MOST_OUTDATED = 40_000;
/** So many stand in one text. */
const MOST_ENTRIES = 500;

export interface SessionRows {
  /** Writes what changed, one entry a step. */
  write(commit: Pick<Commit, 'sessions' | 'forgottenSessions' | 'wholeSessions'>): Iterable<void>;
  /** In the order in which they were heard of last, log by log. */
  load(): { readonly sound: KeptSession[]; readonly damaged: number };
}

type Entry = readonly unknown[];
/** By log, then by filter and session, in the order in which they were heard of last. */
type Known = Map<string, Map<string, Entry>>;

export function createSessionRows(db: Database): SessionRows {
  const insert = db.prepare(
    'INSERT INTO session_changes (source, version, entries, state) VALUES (?, ?, ?, ?)',
  );
  const count = db.prepare<[], number>('SELECT coalesce(sum(entries), 0) FROM session_changes').pluck();
  const entriesIn = db.prepare<[string], { id: number; entries: number }>(
    'SELECT id, entries FROM session_changes WHERE source = ?',
  );
  const ids = db.prepare<[], number>('SELECT id FROM session_changes ORDER BY id').pluck();
  const one = db
    .prepare<[number], unknown[]>('SELECT source, version, state FROM session_changes WHERE id = ?')
    .raw();
  const forget = db.prepare('DELETE FROM session_changes WHERE id = ?');
  /** How many entries the ledger holds; undefined: to be asked. And how many of them were in force when they were counted. */
  let held: number | undefined;
  let inForce = 0;

  /** @returns how many were written, by and by. */
  function* append(source: string, entries: Iterable<Entry>): Generator<void, number> {
    let total = 0;
    let page: Entry[] = [];
    const put = (): void => {
      if (page.length > 0) insert.run(source, VERSION, page.length, JSON.stringify(page));
      page = [];
    };
    for (const entry of entries) {
      page.push(entry);
      total++;
      if (page.length === MOST_ENTRIES) put();
      yield;
    }
    put();
    return total;
  }

  /** @returns how much of the text makes no sense. */
  function* apply(row: unknown[], known: Known): Generator<void, number> {
    const [source, version, state] = row;
    const entries = version === VERSION ? entriesOf(state) : undefined;
    if (typeof source !== 'string' || !entries) return 1;
    let sessions = known.get(source);
    if (!sessions) known.set(source, (sessions = new Map()));
    let damaged = 0;
    for (const entry of entries) {
      if (isEntry(entry)) note(sessions, entry);
      else damaged++;
      yield;
    }
    return damaged;
  }

  /** @returns how many entries of a log are gone: all of them. */
  function* clear(source: string): Generator<void, number> {
    let total = 0;
    for (const { id, entries } of entriesIn.all(source)) {
      forget.run(id);
      total += entries;
      yield;
    }
    return total;
  }

  /** All that is in force in the place of all that was ever said. */
  function* rewrite(): Generator<void, number> {
    const known: Known = new Map();
    for (const id of ids.all()) {
      yield* apply(one.get(id)!, known);
      forget.run(id);
      yield;
    }
    let total = 0;
    for (const [source, sessions] of known) total += yield* append(source, sessions.values());
    return total;
  }

  return {
    *write({ sessions, forgottenSessions, wholeSessions }) {
      if (sessions.length + forgottenSessions.length === 0) return;
      let total = held ?? count.get()!;
      // Should this transaction come to nothing, it is asked again.
      held = undefined;
      const over = Map.groupBy(forgottenSessions, ({ source }) => source);
      const open = Map.groupBy(sessions, ({ source }) => source);
      for (const source of new Set([...over.keys(), ...open.keys()])) {
        const known = open.get(source) ?? [];
        // Where few are known it costs less to say who is over than to look for what was said of them.
        if (known.length >= MOST_ENTRIES && wholeSessions.includes(source)) total -= yield* clear(source);
        // Whoever was forgotten and has come back since is in both lists: he goes first and is then known anew.
        else
          total += yield* append(
            source,
            (over.get(source) ?? []).map(({ filter, session }) => [filter, session]),
          );
        total += yield* append(source, known.map(sessionEntry));
      }
      if (total > inForce + MOST_OUTDATED) total = inForce = yield* rewrite();
      held = total;
    },
    load() {
      const known: Known = new Map();
      let damaged = 0;
      for (const id of ids.all()) {
        const steps = apply(one.get(id)!, known);
        let step = steps.next();
        while (!step.done) step = steps.next();
        damaged += step.value;
      }
      const sound: KeptSession[] = [];
      for (const [source, sessions] of known)
        for (const entry of sessions.values()) {
          const session = readSessionEntry(source, entry);
          if (session) sound.push(session);
          else damaged++;
        }
      return { sound, damaged };
    },
  };
}

/** Last in order, whenever it was first heard of. */
function note(sessions: Map<string, Entry>, entry: Entry): void {
  // A filter's name has no blank.
  const key = `${String(entry[0])} ${String(entry[1])}`;
  sessions.delete(key);
  if (entry.length > 2) sessions.set(key, entry);
}

function isEntry(entry: unknown): entry is Entry {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string';
}

function entriesOf(state: unknown): readonly unknown[] | undefined {
  try {
    const entries: unknown = typeof state === 'string' ? JSON.parse(state) : undefined;
    return Array.isArray(entries) ? entries : undefined;
  } catch {
    return undefined;
  }
}
