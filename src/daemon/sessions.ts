// The sessions of every log that is followed, as lines have told them, and which of them the ledger doesn't know yet.
import type { SessionMemory } from '../filters/contract.ts';
import { createSessionMemory } from '../filters/index.ts';
import type { KeptSessions } from '../filters/index.ts';
import type { KeptSession, SessionKey } from '../ledger/contract.ts';
import type { Instant } from '../model.ts';

export interface Sessions {
  /** What the lines of a log have told; `source` is the path that is watched, whatever its file is called by now. */
  of(source: string): SessionMemory;
  /** How many changes the ledger doesn't know. */
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
}

/** @param remembered in the order in which they were heard of last, as the ledger keeps it. */
export function createSessions(remembered: readonly KeptSession[]): Sessions {
  const bySource = new Map<string, KeptSessions>();
  let opened = new Map<string, KeptSession>();
  let forgotten = new Map<string, SessionKey>();

  const remember = (source: string, known: readonly KeptSession[]): KeptSessions => {
    const sessions = createSessionMemory(known, (filter, session, open) => {
      const key = keyOf({ source, filter, session });
      // Last in order, whenever it was first heard of.
      opened.delete(key);
      forgotten.delete(key);
      if (open) opened.set(key, { source, ...open });
      else forgotten.set(key, { source, filter, session });
    });
    bySource.set(source, sessions);
    return sessions;
  };
  for (const [source, known] of Map.groupBy(remembered, (each) => each.source)) remember(source, known);

  return {
    of: (source) => bySource.get(source) ?? remember(source, []),
    get dirty() {
      return opened.size + forgotten.size;
    },
    get evicted() {
      return [...bySource.values()].reduce((sum, { evicted }) => sum + evicted, 0);
    },
    takeDirty() {
      const changes = { sessions: [...opened.values()], forgottenSessions: [...forgotten.values()] };
      opened = new Map();
      forgotten = new Map();
      return changes;
    },
    restore({ sessions, forgottenSessions }) {
      const newer = (key: SessionKey): boolean => opened.has(keyOf(key)) || forgotten.has(keyOf(key));
      const older = sessions.filter((each) => !newer(each)).map((each) => [keyOf(each), each] as const);
      const gone = forgottenSessions
        .filter((each) => !newer(each))
        .map((each) => [keyOf(each), each] as const);
      opened = new Map([...older, ...opened]);
      forgotten = new Map([...gone, ...forgotten]);
    },
    prune(at) {
      for (const [source, sessions] of bySource) {
        sessions.prune(at);
        if (sessions.size === 0 && sessions.evicted === 0) bySource.delete(source);
      }
    },
  };
}

function keyOf({ source, filter, session }: SessionKey): string {
  return JSON.stringify([source, filter, session]);
}
