// What the lines of every log that is followed have told, for those that come: the sessions under way, and the last line
// itself where it may come again; and which of that the ledger doesn't know yet.
import type { SessionMemory } from '../../filters/contract.ts';
import { createSessionMemory, MOST_SESSIONS } from '../../filters/index.ts';
import type { KeptSessions } from '../../filters/index.ts';
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
  /** The logs all of whose sessions are among them. */
  readonly wholeSessions: readonly string[];
  readonly lastLines: readonly LastLine[];
  readonly forgottenLastLines: readonly string[];
}

/** @param remembered in the order in which they were heard of last, as the ledger keeps it. */
export function createSessions(
  remembered: readonly KeptSession[],
  lastLines: readonly LastLine[] = [],
): Sessions {
  const logs = new Map<string, KeptSessions>();
  /** By log; when it was read tells whether it may still come again. */
  const lastOf = new Map(lastLines.map((each) => [each.source, each]));
  let changedLines = new Set<string>();

  const remember = (source: string, known: readonly KeptSession[]): KeptSessions => {
    const memory = createSessionMemory(known, {
      line: lastOf.get(source)?.line,
      onChange(line, at) {
        if (line === undefined) lastOf.delete(source);
        else lastOf.set(source, { source, line, at });
        changedLines.add(source);
      },
    });
    logs.set(source, memory);
    return memory;
  };
  const logOf = (source: string): KeptSessions => logs.get(source) ?? remember(source, []);
  for (const [source, known] of Map.groupBy(remembered, (each) => each.source)) remember(source, known);
  for (const source of lastOf.keys()) logOf(source);
  const sumOf = (count: (memory: KeptSessions) => number): number =>
    Array.from(logs.values(), count).reduce((sum, each) => sum + each, 0);

  return {
    of: logOf,
    get dirty() {
      return sumOf(({ unwritten }) => unwritten);
    },
    get evicted() {
      return sumOf(({ evicted }) => evicted);
    },
    get size() {
      return sumOf(({ size }) => size);
    },
    get most() {
      return logs.size * MOST_SESSIONS;
    },
    takeDirty() {
      const sources = [...changedLines];
      changedLines = new Set();
      const sessions: KeptSession[] = [];
      const forgottenSessions: SessionKey[] = [];
      const wholeSessions: string[] = [];
      for (const [source, memory] of logs) {
        const { open, forgotten, isWhole } = memory.takeUnwritten();
        if (isWhole) wholeSessions.push(source);
        for (const { filter, session, address, waiting, until } of open)
          sessions.push({ source, filter, session, address, waiting, until });
        for (const { filter, session } of forgotten) forgottenSessions.push({ source, filter, session });
      }
      return {
        sessions,
        forgottenSessions,
        wholeSessions,
        lastLines: sources.flatMap((source) => lastOf.get(source) ?? []),
        forgottenLastLines: sources.filter((source) => !lastOf.has(source)),
      };
    },
    restore({ sessions, forgottenSessions, lastLines: lines, forgottenLastLines: gone }) {
      for (const source of [...lines.map((each) => each.source), ...gone]) changedLines.add(source);
      const open = Map.groupBy(sessions, (each) => each.source);
      const forgotten = Map.groupBy(forgottenSessions, (each) => each.source);
      for (const source of new Set([...open.keys(), ...forgotten.keys()]))
        logOf(source).restore({
          open: open.get(source) ?? [],
          forgotten: forgotten.get(source) ?? [],
        });
    },
    rewrite() {
      for (const memory of logs.values()) memory.rewrite();
      for (const source of lastOf.keys()) changedLines.add(source);
    },
    prune(at) {
      for (const [source, memory] of logs) {
        memory.prune(at);
        const last = lastOf.get(source);
        if (last && last.at < at) memory.keepLast(undefined, at);
        const isUsed = memory.unwritten + memory.size + memory.evicted > 0;
        if (!isUsed && !lastOf.has(source)) logs.delete(source);
      }
    },
  };
}
