// Lines to a file descriptor. Whoever reads a pipe may be slow, and in a flood of bans is: then the lines wait, and we don't.
import { writeSync } from 'node:fs';
import type { Clock } from '../../ports.ts';
import type { Duration } from '../../model.ts';

/** Characters that are written together, where there is more than one line to say. */
const TOGETHER = 60_000;
/** Bytes in one call: as much as a pipe holds. */
const MOST_WRITTEN = 65_536;
/** A full pipe is tried again after so long. */
const RETRY: Duration = 20;
/**
 * Characters that wait for a slow reader, some 40 000 bans. Then lines are left out: who doesn't read must not keep anybody from
 * being banned, and what a line says of a ban stands in the ledger.
 */
const MOST_WAITING = 8_000_000;
/** Who ends waits so long for the pipe to take the rest. */
const LAST_WAIT: Duration = 5_000;

export interface Outlet {
  /** @param line with its end. Written by {@link flush}, or when there are many; left out where too many wait. */
  write(line: string): void;
  /** Writes what has been said. What the pipe doesn't take is tried again by itself. */
  flush(): void;
  /** The same for who is about to end: all of it is written, or nobody takes it for five seconds. */
  end(): void;
}

/**
 * A reader that has gone, or a disk that is full, stops nobody: then lines are lost.
 * @param onLeftOut so many lines were left out because nobody read; told when there is room again.
 */
export function createOutlet(
  fd: number,
  { monotonic, schedule }: Clock,
  onLeftOut: (lines: number) => void,
): Outlet {
  let lines: string[] = [];
  let size = 0;
  let part = Buffer.alloc(0);
  let written = 0;
  let isFull = false;
  let isGone = false;
  let leftOut = 0;

  const waiting = (): number => size + part.length - written;

  /** @returns false where the pipe is full. */
  function drain(): boolean {
    for (;;) {
      if (written === part.length) {
        if (lines.length === 0) return true;
        part = Buffer.from(lines.join(''), 'utf8');
        written = 0;
        lines = [];
        size = 0;
      }
      try {
        written += writeSync(fd, part, written, Math.min(MOST_WRITTEN, part.length - written));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN' || code === 'EBUSY') return false;
        isGone ||= code === 'EPIPE';
        written = part.length;
      }
    }
  }

  function tellLeftOut(): void {
    if (leftOut === 0) return;
    const lines = leftOut;
    leftOut = 0;
    onLeftOut(lines);
  }

  function flush(): void {
    if (isFull) return;
    isFull = !drain();
    if (waiting() < MOST_WAITING / 2) tellLeftOut();
    if (!isFull) return;
    schedule(RETRY, () => {
      isFull = false;
      flush();
    });
  }

  /** Nothing else is done meanwhile. */
  function waitFor(isOver: () => boolean): void {
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (!isOver()) Atomics.wait(never, 0, 0, RETRY);
  }

  return {
    flush,
    write(line) {
      if (isGone) return;
      if (waiting() > MOST_WAITING) {
        leftOut++;
        return;
      }
      lines.push(line);
      size += line.length;
      if (size >= TOGETHER) flush();
    },
    end() {
      const until = monotonic() + LAST_WAIT;
      waitFor(() => drain() || monotonic() > until);
      tellLeftOut();
      drain();
    },
  };
}
