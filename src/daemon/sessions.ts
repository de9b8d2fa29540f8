// What the lines of every log that is followed have told, for those that come: the sessions under way, and the last line
// itself where it may come again; and which of that the ledger doesn't know yet.
import type { SessionMemory } from '../filters/contract.ts';
import { createSessionMemory } from '../filters/index.ts';
import type { KeptSessions, OpenSession } from '../filters/index.ts';
import type { KeptSession, LastLine, SessionKey } from '../ledger/contract.ts';
import type { Instant } from '../model.ts';

export interface Sessions {
  /** What the lines of a log have told; `source` is the path that is watched, whatever its file is called by now. */
  of(source: string): SessionMemory;
  /** How many changes of sessions the ledger doesn't know. */
  readonly dirty: number;
  /** How many sessions were forgotten before their time, to make room. */
  readonly evicted: number;
  /** What changed since the last commit, for the ledger. */
  takeDirty(): SessionChanges;
  /** What couldn't be written is dirty again. */
  restore(changes: SessionChanges): void;
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

/** @param remembered in the order in which they were heard of last, as the ledger keeps it. */
export function createSessions(
  remembered: readonly KeptSession[],
  lastLines: readonly LastLine[] = [],
): Sessions {
  const bySource = new Map<string, KeptSessions>();
  /** By log; when it was read tells whether it may still come again. */
  const lastOf = new Map(lastLines.map((each) => [each.source, each]));
  let changedLines = new Set<string>();
  let opened = new Map<string, KeptSession>();
  let forgotten = new Map<string, SessionKey>();

  const remember = (source: string, known: readonly KeptSession[]): KeptSessions => {
    const onChange = (filter: string, session: string, open: OpenSession | undefined): void => {
      const key = keyOf({ source, filter, session });
      // Last in order, whenever it was first heard of.
      opened.delete(key);
      forgotten.delete(key);
      if (open) opened.set(key, { source, ...open });
      else forgotten.set(key, { source, filter, session });
    };
    const onLastLine = (line: string | undefined, at: Instant): void => {
      if (line === undefined) lastOf.delete(source);
      else lastOf.set(source, { source, line, at });
      changedLines.add(source);
    };
    const last = { line: lastOf.get(source)?.line, onChange: onLastLine };
    const sessions = createSessionMemory(known, onChange, last);
    bySource.set(source, sessions);
    return sessions;
  };
  for (const [source, known] of Map.groupBy(remembered, (each) => each.source)) remember(source, known);
  for (const source of lastOf.keys()) if (!bySource.has(source)) remember(source, []);

  return {
    of: (source) => bySource.get(source) ?? remember(source, []),
    get dirty() {
      return opened.size + forgotten.size;
    },
    get evicted() {
      return [...bySource.values()].reduce((sum, { evicted }) => sum + evicted, 0);
    },
    takeDirty() {
      const sources = [...changedLines];
      const changes = {
        sessions: [...opened.values()],
        forgottenSessions: [...forgotten.values()],
        lastLines: sources.flatMap((source) => lastOf.get(source) ?? []),
        forgottenLastLines: sources.filter((source) => !lastOf.has(source)),
      };
      changedLines = new Set();
      opened = new Map();
      forgotten = new Map();
      return changes;
    },
    restore({ sessions, forgottenSessions, lastLines: lines, forgottenLastLines: gone }) {
      for (const source of [...lines.map((each) => each.source), ...gone]) changedLines.add(source);
      const newer = (key: SessionKey): boolean => opened.has(keyOf(key)) || forgotten.has(keyOf(key));
      const older = sessions.filter((each) => !newer(each)).map((each) => [keyOf(each), each] as const);
      const over = forgottenSessions
        .filter((each) => !newer(each))
        .map((each) => [keyOf(each), each] as const);
      opened = new Map([...older, ...opened]);
      forgotten = new Map([...over, ...forgotten]);
    },
    prune(at) {
      for (const [source, sessions] of bySource) {
        sessions.prune(at);
        const last = lastOf.get(source);
        if (last && last.at < at) sessions.keepLast(undefined, at);
        if (sessions.size === 0 && sessions.evicted === 0 && !lastOf.has(source)) bySource.delete(source);
      }
    },
  };
}

function keyOf({ source, filter, session }: SessionKey): string {
  return JSON.stringify([source, filter, session]);
}
