// A long-lived child that is told line by line: `nft -i`, one transaction a line, 0.6 ms each, where starting nft takes 5;
// `ipset -`, one change a line, 0.05 ms each, where starting ipset takes 2.
import type { Cancel, Child, Clock, Exec } from '../ports.ts';

export type SessionAnswer =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly text: string }
  /** The child ended or fell silent: the transaction happened whole or not at all, and nobody knows which. */
  | { readonly outcome: 'unknown'; readonly why: string };

export interface Session {
  /** Runs one line as one transaction. One at a time: wait for the answer before the next. */
  run(line: string): Promise<SessionAnswer>;
  /** The child that runs lines now. */
  readonly pid: number | undefined;
  /** Ends the child; the next {@link run} starts another. */
  close(): void;
}

/** How one program is spoken with. */
export interface Dialect {
  readonly program: () => string;
  readonly args: readonly string[];
  /** It says nothing after a line that went well, so each is followed by a question whose answer is known. */
  readonly question: string;
  /** That answer, to its last line's end. What was said ahead of it is about the line. */
  readonly endMark: RegExp;
  /** Is told which process ends: what it did last may be announced later. */
  readonly ended?: (pid: number) => void;
  /** What it says and means nothing by. */
  readonly noise?: RegExp;
}

/** nft keeps every line that it was given, about 0.3 KB each: a new child now and then gives that back. */
const MAX_LINES = 10_000;
const PATIENCE = 10_000;
/** So long after its last line it goes: what it takes of memory is several times what its next start takes of time (5 ms). */
const IDLE = 10_000;

interface Pending {
  readonly resolve: (answer: SessionAnswer) => void;
  readonly cancel: Cancel;
}

export function createSession(exec: Exec, clock: Clock, dialect: Dialect): Session {
  const { program, args, question, endMark, noise, ended } = dialect;
  let child: Child | undefined;
  let lines = 0;
  let heard = '';
  let pending: Pending | undefined;
  let cancelRest: Cancel = () => {};

  function start(): Child | undefined {
    const started = exec.spawn(program(), args);
    heard = '';
    lines = 0;
    started?.onOutput((text) => {
      if (child === started) hear(text);
    });
    started?.onExit((why) => {
      if (child === started) lose(why);
    });
    return started;
  }

  function hear(text: string): void {
    heard += text;
    const mark = endMark.exec(heard);
    if (!mark) return;
    const before = heard.slice(0, mark.index);
    const said = (noise ? before.replace(noise, '') : before).trim();
    heard = heard.slice(mark.index + mark[0].length);
    settle(said === '' ? { outcome: 'done' } : { outcome: 'refused', text: said });
  }

  function settle(answer: SessionAnswer): void {
    const settled = pending;
    pending = undefined;
    settled?.cancel();
    cancelRest();
    if (child) cancelRest = clock.schedule(IDLE, () => lose('at rest'));
    settled?.resolve(answer);
  }

  /** Lets go of the child first, so that nothing it still says is taken for an answer to somebody else. */
  function lose(why: string): void {
    const last = child;
    child = undefined;
    if (last) ended?.(last.pid);
    last?.kill();
    settle({ outcome: 'unknown', why: heard.trim() || why });
  }

  return {
    run(line) {
      if (lines >= MAX_LINES) lose('given back');
      child ??= start();
      const current = child;
      if (!current) return Promise.resolve({ outcome: 'unknown', why: 'it could not be started' });
      lines++;
      cancelRest();
      return new Promise((resolve) => {
        pending = { resolve, cancel: clock.schedule(PATIENCE, () => lose('it did not answer')) };
        current.write(`${line}\n${question}\n`);
      });
    },
    get pid() {
      return child?.pid;
    },
    close: () => lose('closed'),
  };
}
