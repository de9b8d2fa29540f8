// Whose sessions are under way, by the lines of one log so far: bounded in number, and forgotten by the lines' own stamps,
// so that the same lines give the same verdicts whenever they are read.
import type { Instant, Network } from '../model.ts';
import { ownCopy } from '../text.ts';
import type { SessionMemory } from './contract.ts';

/** One session as it is remembered. */
export interface OpenSession {
  readonly filter: string;
  /** Distinct within the filter and the log. */
  readonly session: string;
  readonly address: Network;
  /** Lines stamped later are no longer joined with it. */
  readonly until: Instant;
}

/** Told of each change; undefined: the session is forgotten. */
type OnChange = (filter: string, session: string, open: OpenSession | undefined) => void;

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
  /** Forgets what no line stamped `at` or later is joined with. */
  prune(at: Instant): void;
}

/** Beyond it those that were silent for longest make room. */
const MOST_SESSIONS = 10_000;

/** Knows nobody, and stays so: for who looks at one line. */
export const NO_SESSIONS: SessionMemory = {
  open() {},
  find: () => undefined,
  close() {},
  lastLine: undefined,
  keepLast() {},
};

/** @param known sessions that were remembered, the one that was silent for longest first. */
export function createSessionMemory(
  known: readonly OpenSession[] = [],
  onChange: OnChange = () => {},
  last: LastLine = NO_LINE,
): KeptSessions {
  // In the order in which they were heard of last.
  const open = new Map(known.map((each) => [keyOf(each.filter, each.session), each]));
  let evicted = 0;
  let lastLine = last.line;

  const forget = (key: string): void => {
    const gone = open.get(key);
    if (!gone) return;
    open.delete(key);
    onChange(gone.filter, gone.session, undefined);
  };
  const oldest = (): [string, OpenSession] | undefined => open.entries().next().value;

  return {
    get evicted() {
      return evicted;
    },
    get size() {
      return open.size;
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
      const own = ownCopy(session);
      const key = keyOf(filter, own);
      const opened = { filter, session: own, address, until };
      open.delete(key);
      open.set(key, opened);
      onChange(filter, own, opened);
      for (let first = oldest(); first && first[1].until < at; first = oldest()) forget(first[0]);
      if (open.size <= MOST_SESSIONS) return;
      forget(oldest()![0]);
      evicted++;
    },
    find(filter, session, at) {
      const found = open.get(keyOf(filter, session));
      return found && at <= found.until ? found.address : undefined;
    },
    close(filter, session) {
      forget(keyOf(filter, session));
    },
    prune(at) {
      for (const [key, { until }] of open) if (until < at) forget(key);
    },
  };
}

/** A filter's name has no blank. */
function keyOf(filter: string, session: string): string {
  return `${filter} ${session}`;
}
