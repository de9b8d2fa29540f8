// What the lines of every log that is followed have told, for those that come: the sessions under way, and the last line
// itself where it may come again; and which of that the ledger doesn't know yet.
import type { SessionMemory } from '../../filters/contract.ts';
import { createSessionMemory, MOST_SESSIONS, sessionKey } from '../../filters/index.ts';
import type { KeptSessions, OpenSession } from '../../filters/index.ts';
import type { KeptSession, LastLine, SessionKey } from '../../ledger/contract.ts';
import type { Instant } from '../../model.ts';

export interface Sessions {
  /** What the lines of a log have told; `source` is the path that is watched, whatever its file is called by now. */
  of(source: string): SessionMemory;
  /** How many changes of sessions the ledger doesn't know. */
  readonly dirty: number;
  /** How many sessions were forgotten before their time, to make room. */
  readonly evicted: number;
  readonly size: number;
  readonly most: number;
  /** What changed since the last commit, for the ledger. */
  takeDirty(): SessionChanges;
  /** What couldn't be written is dirty again. */
  restore(changes: SessionChanges): void;
  /** The ledger is a new one: all of it is to be written again. */
  rewrite(): void;
  /** Forgets what no line stamped `at` or later is joined with. */
  prune(at: Instant): void;
}

export interface SessionChanges {
  /** In the order in which they were heard of last. */
  readonly sessions: readonly KeptSession[];
  readonly forgottenSessions: readonly SessionKey[];
  readonly lastLines: readonly LastLine[];
  readonly forgottenLastLines: readonly string[];
}

/** One log's sessions, and what of them the ledger doesn't know, by their keys. */
interface Log {
  readonly sessions: KeptSessions;
  /** In the order in which they were heard of last. */
  opened: Map<string, OpenSession>;
  forgotten: Map<string, SessionKey>;
}

/** @param remembered in the order in which they were heard of last, as the ledger keeps it. */
export function createSessions(
  remembered: readonly KeptSession[],
  lastLines: readonly LastLine[] = [],
): Sessions {
  const logs = new Map<string, Log>();
  /** By log; when it was read tells whether it may still come again. */
  const lastOf = new Map(lastLines.map((each) => [each.source, each]));
  let changedLines = new Set<string>();

  const remember = (source: string, known: readonly KeptSession[]): Log => {
    const log: Log = {
      opened: new Map(),
      forgotten: new Map(),
      sessions: createSessionMemory(
        known,
        (key, filter, session, open) => {
          // Last in order, whenever it was first heard of.
          log.opened.delete(key);
          if (open) {
            log.opened.set(key, open);
            log.forgotten.delete(key);
          } else log.forgotten.set(key, { source, filter, session });
        },
        {
          line: lastOf.get(source)?.line,
          onChange(line, at) {
            if (line === undefined) lastOf.delete(source);
            else lastOf.set(source, { source, line, at });
            changedLines.add(source);
          },
        },
      ),
    };
    logs.set(source, log);
    return log;
  };
  const logOf = (source: string): Log => logs.get(source) ?? remember(source, []);
  for (const [source, known] of Map.groupBy(remembered, (each) => each.source)) remember(source, known);
  for (const source of lastOf.keys()) logOf(source);

  return {
    of: (source) => logOf(source).sessions,
    get dirty() {
      let count = 0;
      for (const { opened, forgotten } of logs.values()) count += opened.size + forgotten.size;
      return count;
    },
    get evicted() {
      return [...logs.values()].reduce((sum, { sessions }) => sum + sessions.evicted, 0);
    },
    get size() {
      let count = 0;
      for (const { sessions } of logs.values()) count += sessions.size;
      return count;
    },
    get most() {
      return logs.size * MOST_SESSIONS;
    },
    takeDirty() {
      const sources = [...changedLines];
      const changes = {
        sessions: Array.from(logs, ([source, { opened }]) =>
          Array.from(opened.values(), (open) => ({ source, ...open })),
        ).flat(),
        forgottenSessions: Array.from(logs.values(), ({ forgotten }) => [...forgotten.values()]).flat(),
        lastLines: sources.flatMap((source) => lastOf.get(source) ?? []),
        forgottenLastLines: sources.filter((source) => !lastOf.has(source)),
      };
      changedLines = new Set();
      for (const log of logs.values()) {
        log.opened = new Map();
        log.forgotten = new Map();
      }
      return changes;
    },
    restore({ sessions, forgottenSessions, lastLines: lines, forgottenLastLines: gone }) {
      for (const source of [...lines.map((each) => each.source), ...gone]) changedLines.add(source);
      for (const [source, older] of Map.groupBy(sessions, (each) => each.source)) {
        const log = logOf(source);
        log.opened = new Map([...older.filter(isOlderIn(log)).map(keyed), ...log.opened]);
      }
      for (const [source, over] of Map.groupBy(forgottenSessions, (each) => each.source)) {
        const log = logOf(source);
        const all = [...over.filter(isOlderIn(log)).map(keyed), ...log.forgotten];
        // Those beyond are forgotten by their stamps once they are read again.
        log.forgotten = new Map(all.slice(-MOST_SESSIONS));
      }
    },
    rewrite() {
      for (const log of logs.values()) log.opened = new Map([...log.sessions.all()].map(keyed));
      for (const source of lastOf.keys()) changedLines.add(source);
    },
    prune(at) {
      for (const [source, { sessions, opened, forgotten }] of logs) {
        sessions.prune(at);
        const last = lastOf.get(source);
        if (last && last.at < at) sessions.keepLast(undefined, at);
        const isClean = opened.size + forgotten.size === 0;
        if (isClean && sessions.size === 0 && sessions.evicted === 0 && !lastOf.has(source))
          logs.delete(source);
      }
    },
  };
}

/** Nothing newer is known of the session. */
function isOlderIn({ opened, forgotten }: Log): (each: SessionKey) => boolean {
  return ({ filter, session }) => {
    const key = sessionKey(filter, session);
    return !opened.has(key) && !forgotten.has(key);
  };
}

function keyed<T extends Pick<SessionKey, 'filter' | 'session'>>(each: T): readonly [string, T] {
  return [sessionKey(each.filter, each.session), each];
}
