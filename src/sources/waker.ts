// Says when to look: the kernel's events on folders, and a slow poll behind them. Watching the file itself would go
// blind at its first rename.
import { statSync, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { Cancel, Clock } from '../ports.ts';

const POLL = 1_000;

export interface WakerListener {
  /** Bytes were written to this path. */
  onChange(path: string): void;
  /** A name came, went or was moved in this folder. */
  onMove(folder: string): void;
  /** Every second, whatever the events say. */
  onPoll(): void;
  /** The folder can't be watched; the poll alone serves it. */
  onBlind(folder: string): void;
}

/** What of `fs.watch` is used. It throws where the system's watches are used up (ENOSPC, EMFILE). */
export type WatchFolder = (
  folder: string,
  options: { readonly persistent: false },
  listener: (event: string, name: string | null) => void,
) => Pick<FSWatcher, 'on' | 'close'>;

export interface Waker {
  /** Watches exactly these folders. Those that don't exist yet are tried again at each call. */
  watch(folders: ReadonlySet<string>): void;
  close(): void;
}

export function createWaker(clock: Clock, watch: WatchFolder, listener: WakerListener): Waker {
  const watchers = new Map<string, { watcher: ReturnType<WatchFolder>; inode: bigint }>();
  const blind = new Set<string>();
  let closed = false;
  let cancel: Cancel = schedule(POLL);

  function schedule(after: number): Cancel {
    return clock.schedule(after, () => {
      const begun = clock.monotonic();
      listener.onPoll();
      // Looking must not become the main work, however much there is to look at.
      if (!closed) cancel = schedule(Math.max(POLL, 20 * (clock.monotonic() - begun)));
    });
  }

  function drop(folder: string): void {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  }

  function add(folder: string, inode: bigint): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        if (event === 'change' && name !== null) listener.onChange(join(folder, name));
        else listener.onMove(folder);
      });
      watcher.on('error', () => {
        drop(folder);
        listener.onMove(folder);
      });
      watchers.set(folder, { watcher, inode });
      blind.delete(folder);
      // What happened between the last look and this moment has no event.
      listener.onMove(folder);
    } catch {
      // The poll goes on.
      if (!blind.has(folder)) listener.onBlind(folder);
      blind.add(folder);
    }
  }

  return {
    watch(folders) {
      if (closed) return;
      for (const folder of watchers.keys()) if (!folders.has(folder)) drop(folder);
      for (const folder of folders) {
        const inode = inodeOf(folder);
        const watched = watchers.get(folder);
        // A folder that was removed and made anew has another inode, and the old watch sees nothing.
        if (watched && watched.inode !== inode) drop(folder);
        if (inode !== undefined && !watchers.has(folder)) add(folder, inode);
      }
    },
    close() {
      closed = true;
      cancel();
      for (const folder of [...watchers.keys()]) drop(folder);
    },
  };
}

function inodeOf(folder: string): bigint | undefined {
  try {
    return statSync(folder, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
