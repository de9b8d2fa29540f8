// A long-lived child that is told line by line: `nft -i`, one transaction a line, 0.6 ms each, where starting nft takes 5 and
// stops whoever starts it for as long; long ones as a file that it includes; nft-tell.pl, one transaction in bytes, 0.3 ms for
// one element; `ipset -`, one change a line, 0.05 ms each, where starting ipset takes 2.
import type { Cancel, Child, Clock, Exec } from '../ports.ts';

export type SessionAnswer =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly text: string }
  /** The child ended or fell silent: the transaction happened whole or not at all, and nobody knows which. */
  | { readonly outcome: 'unknown'; readonly why: string };

export interface Session {
  /** Runs one line, or what stands for one in bytes, as one transaction. One at a time: wait for the answer before the next. */
  run(line: string | Buffer): Promise<SessionAnswer>;
  /**
   * Runs a script of any length as one transaction, in its turn like {@link run}.
   * @returns undefined where the child can't be given one: then nothing has happened.
   */
  runScript(script: string): Promise<SessionAnswer> | undefined;
  /** A line may come soon: a child that is at rest is started ahead of it. */
  expect(): void;
  /** The child that runs lines now. */
  readonly pid: number | undefined;
  /** Ends the child; the next {@link run} starts another. */
  close(): void;
}

/** How one program is spoken with. */
export interface Dialect {
  readonly program: () => string;
  readonly args: readonly string[];
  /** One that is told lines says nothing after one that went well: each is followed by a question whose answer is known. */
  readonly question?: string;
  /** The line by which it reads a file as if that had been said to it, where it knows how to. */
  readonly include?: (path: string) => string;
  /** That answer, to its last line's end, or the end of any. What was said ahead of it is about the line. */
  readonly endMark: RegExp;
  /** Is told which process ends: what it did last may be announced later. */
  readonly ended?: (pid: number) => void;
  /** What it says and means nothing by. */
  readonly noise?: RegExp;
}

/** nft keeps every line that it was given, about 0.3 KB each: a new child now and then gives that back. */
const MAX_LINES = 10_000;
const PATIENCE = 10_000;
const PATIENCE_WITH_SCRIPTS = 60_000;
/** Characters, or bytes, of what is told as many as a script has. */
const LONG = 50_000;
/** So long after its last line it goes, with the memory that it needed; {@link Session.expect} starts another in time. */
const IDLE = 10_000;

interface Pending {
  readonly resolve: (answer: SessionAnswer) => void;
  readonly cancel: Cancel;
}

export function createSession(exec: Exec, clock: Clock, dialect: Dialect): Session {
  const { program, args, question, endMark, noise, include, ended } = dialect;
  let child: Child | undefined;
  let lines = 0;
  let heard = '';
  let pending: Pending | undefined;
  let cancelRest: Cancel = () => {};

  function start(): Child | undefined {
    const started = exec.spawn(program(), args, include !== undefined);
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
    if (child) restLater();
    settled?.resolve(answer);
  }

  function restLater(): void {
    cancelRest = clock.schedule(IDLE, () => lose('at rest'));
  }

  /** Lets go of the child first, so that nothing it still says is taken for an answer to somebody else. */
  function lose(why: string): void {
    const last = child;
    child = undefined;
    if (last) ended?.(last.pid);
    last?.kill();
    settle({ outcome: 'unknown', why: heard.trim() || why });
  }

  /** The child, started where there is none. */
  function current(): Child | undefined {
    if (lines >= MAX_LINES) lose('given back');
    return (child ??= start());
  }

  function tell(to: Child, line: string | Buffer, patience: number): Promise<SessionAnswer> {
    lines++;
    cancelRest();
    return new Promise((resolve) => {
      pending = { resolve, cancel: clock.schedule(patience, () => lose('it did not answer')) };
      to.write(typeof line === 'string' ? `${line}\n${question}\n` : line);
    });
  }

  return {
    run(line) {
      const to = current();
      if (!to) return Promise.resolve({ outcome: 'unknown', why: 'it could not be started' });
      return tell(to, line, line.length > LONG ? PATIENCE_WITH_SCRIPTS : PATIENCE);
    },
    runScript(script) {
      const to = include && current();
      const path = to?.lay?.(script);
      return path === undefined ? undefined : tell(to!, include!(path), PATIENCE_WITH_SCRIPTS);
    },
    expect() {
      try {
        if (pending || !current()) return;
      } catch {
        // Where the program is missing, the line that needs it says so.
        return;
      }
      cancelRest();
      restLater();
    },
    get pid() {
      return child?.pid;
    },
    close: () => lose('closed'),
  };
}
