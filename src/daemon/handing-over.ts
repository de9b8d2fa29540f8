// When what the lines led to is told to the kernel, committed, and told in the log: the kernel at once; the ledger and the log
// when the kernel has it and nothing more waits to be read, for they would take the processor from both. Who dies in between
// reads the lines again, and decides the same.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Chunk, Duration } from '../model.ts';
import type { Cancel, Clock } from '../ports.ts';
import type { Bans } from './bans.ts';
import type { Committer } from './committer.ts';

/** So long a commit waits for the kernel's answer: longer than one takes in a flood. */
const PATIENCE: Duration = 200;
/** So long it waits while there is more to read. */
const LONGEST_WAIT: Duration = 1_000;
/** Milliseconds of one turn in which bans are told in the log. */
const AT_ONCE: Duration = 5;

export interface HandingOver {
  /**
   * After a chunk was applied. Resolves when what had to be committed before the next one is.
   * @param tell tells of what was decided in the log; called by and by.
   */
  after(chunk: Pick<Chunk, 'commitFirst' | 'live' | 'position'>, tell?: () => void): Promise<void>;
  /** A decided ban is enforced and committed; without the disk it is enforced all the same. Resolves when both is done. */
  settle(): Promise<void>;
  /** The same for who only wants to know that it is committed. @returns whether it is. */
  commit(): Promise<boolean>;
  /** A commit will come by itself, when there is no more to read or within a second: it isn't due before. */
  readonly isSet: boolean;
  /** Nothing is committed any more but by who asks for it; what was to be told is told. */
  stop(): void;
}

export function createHandingOver(
  { committer, bans }: { readonly committer: Committer; readonly bans: Pick<Bans, 'hasDirty'> },
  enforce: (isLast: boolean) => Promise<void>,
  clock: Clock,
  fail: (error: unknown) => void,
): HandingOver {
  let waiting: { readonly at: Duration; readonly cancel: Cancel } | undefined;
  let isSoon = false;
  let isStopped = false;
  let untold: (() => void)[] = [];

  /** Not waited for: a firewall may hang. */
  function tellKernel(isLast = false): Promise<void> {
    const told = enforce(isLast);
    told.catch(fail);
    return told;
  }

  async function tellLog(): Promise<void> {
    const all = untold;
    untold = [];
    let began = clock.monotonic();
    for (const tell of all) {
      tell();
      if (clock.monotonic() - began < AT_ONCE) continue;
      await breathe();
      began = clock.monotonic();
    }
  }

  async function write(): Promise<boolean> {
    waiting?.cancel();
    waiting = undefined;
    const isCommitted = await committer.commit(false);
    await tellLog();
    return isCommitted;
  }

  async function commit(): Promise<boolean> {
    void tellKernel();
    // What was written to the firewall's program is on its way before the ledger takes its milliseconds.
    if (bans.hasDirty) await breathe();
    return write();
  }

  async function settle(): Promise<void> {
    await commit();
    await enforce(false);
  }

  async function writeOnce(told: Promise<void>): Promise<void> {
    if (isSoon) return;
    isSoon = true;
    const late = Promise.withResolvers<void>();
    const cancel = clock.schedule(PATIENCE, late.resolve);
    // Who breaks has been heard of.
    await Promise.race([told.catch(() => {}), late.promise]);
    cancel();
    isSoon = false;
    // Whoever stops commits the rest himself, and closes the ledger.
    if (!isStopped) await write();
  }

  /** No chunk may come for a long while: then nobody else would ask whether it is time by now. */
  function commitIn(delay: Duration): void {
    const at = clock.monotonic() + delay;
    if (waiting && waiting.at <= at) return;
    waiting?.cancel();
    const cancel = clock.schedule(delay, () => {
      waiting = undefined;
      void commit().catch(fail);
    });
    waiting = { at, cancel };
  }

  return {
    settle,
    commit,
    get isSet() {
      return waiting !== undefined;
    },
    async after({ commitFirst, live, position }, tell) {
      if (tell) untold.push(tell);
      // The sources may not go on reading from a first sight's cutoff that a crash would forget.
      if (commitFirst || (!bans.hasDirty && committer.isDue())) return void (await commit());
      const told = tellKernel(live);
      // Where the ledger can't be written, blocking goes on from memory.
      if (!bans.hasDirty || committer.isResting) return tellLog();
      const pause = committer.pauseOfBans;
      // What can't be read twice is lost if we die before it is committed.
      const isMore = !live && position !== undefined;
      if (isMore || pause > 0) commitIn(isMore ? Math.max(pause, LONGEST_WAIT) : pause);
      else void writeOnce(told).catch(fail);
    },
    stop() {
      isStopped = true;
      waiting?.cancel();
      for (const tell of untold.splice(0)) tell();
    },
  };
}
