// Where the daemon can be killed besides its own fault points: within a transaction of its ledger, and at each exchange with
// a child of its own.
import Database from 'better-sqlite3';
import type { FaultPoint } from '../../src/daemon/index.ts';
import type { FeedExec } from '../../src/ports.ts';

type Own = Parameters<FaultPoint>[0];

/** Points of the harness's own. */
type Beside =
  /** In a transaction, after a row was written. */
  | 'between-rows'
  /** A child runs: one that is asked once, one that stays, or one that is listened to. */
  | 'child-started'
  /** A child that stays was told something, and has not answered. */
  | 'child-told'
  /** A child has answered, and nobody heard it yet. */
  | 'child-answered'
  /** The journal has said something, and nobody read it yet. */
  | 'journal-heard';

export type Point = Own | Beside;

/**
 * How often each is passed at most before one dies there. A boot passes those of the children some six times, and a commit
 * writes some dozens of rows.
 */
export const POINTS: Readonly<Record<Point, number>> = {
  'before-commit': 4,
  'after-commit': 4,
  'before-enforce': 1,
  'after-enforce': 1,
  'after-boot-enforce': 1,
  'after-apply': 4,
  'after-reload': 1,
  'between-rows': 60,
  'child-started': 8,
  'child-told': 3,
  'child-answered': 8,
  'journal-heard': 2,
};

/** What the daemon says when it answers. */
export const READY = 'ready\n';
/** What it says where it dies at a point. */
export const DYING = 'dying\n';

/** Passes `task` after each row that is written in a transaction, by whatever connection of this process. */
export function betweenRows(task: () => void): void {
  const db = new Database(':memory:');
  const statement = Object.getPrototypeOf(db.prepare('SELECT 1')) as Database.Statement;
  db.close();
  const { run } = statement;
  statement.run = function (this: Database.Statement, ...args: unknown[]) {
    const result = run.apply(this, args);
    if (this.database.inTransaction) task();
    return result;
  };
}

/** The same programs; `at` is passed at each exchange with them. */
export function withPoints(exec: FeedExec, at: (point: Point) => void): FeedExec {
  return {
    ...exec,
    async run(request) {
      const running = exec.run(request);
      at('child-started');
      const result = await running;
      at('child-answered');
      return result;
    },
    spawn(file, args, reads) {
      const child = exec.spawn(file, args, reads);
      at('child-started');
      if (!child) return undefined;
      return {
        ...child,
        write(text) {
          child.write(text);
          at('child-told');
        },
        onOutput: (listener) =>
          child.onOutput((text) => {
            at('child-answered');
            listener(text);
          }),
      };
    },
    follow(file, args) {
      const feed = exec.follow(file, args);
      at('child-started');
      if (!feed) return undefined;
      return {
        ...feed,
        // Which of two events comes first in one turn of the event loop is nobody's to promise: here now and then the journal's
        // comes last, when a reload may have begun to wait for what is on its way.
        onReadable: (listener) =>
          feed.onReadable(() => {
            if (Math.random() < 0.5) listener();
            else setImmediate(listener);
          }),
        take() {
          const bytes = feed.take();
          if (bytes) at('journal-heard');
          return bytes;
        },
      };
    },
  };
}
