// Notices that a file from which the config is read has changed, come or gone. Here 24 ms don't matter, and chokidar
// knows what editors do to files.
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import type { Cancel, Clock } from '../../ports.ts';
import { tracesOf } from '../../setup/index.ts';
import type { ReadFrom } from '../../setup/index.ts';

/** An editor writes a file in several steps, and an administrator's script several files. */
const PATIENCE = 500;
/**
 * Some file systems announce nothing, the kernel has only so many watches to give, and chokidar doesn't see a folder go
 * that is replaced before it was watched. A look is a few dozen stats.
 */
const SAFETY_POLL = 10_000;
/** As many links lead on from one to the next for the kernel, path_resolution(7). */
const MAX_LINKS = 40;

export interface ConfigWatch {
  /** These were read, to whatever end: a change since then is news. Where they were faulty, it may mend them. */
  wasRead(read: ReadFrom): void;
  /** What is in force was read from these, now or earlier. */
  follow(read: ReadFrom): void;
  close(): Promise<void>;
}

/**
 * @param initial what is in force, read a moment ago.
 * @param onChange called once for changes that follow each other closely.
 */
export function watchConfig(clock: Clock, initial: ReadFrom, onChange: () => void): ConfigWatch {
  let watcher: FSWatcher | undefined;
  let inForce = initial.readFrom;
  let lastRead = initial;
  let watched = '';
  let cancel: Cancel = () => {};
  let cancelPoll = clock.schedule(SAFETY_POLL, poll);

  function changed(): void {
    cancel();
    cancel = clock.schedule(PATIENCE, onChange);
  }

  function compare(): void {
    if (tracesOf(lastRead.readFrom) !== lastRead.traces) changed();
  }

  function poll(): void {
    cancelPoll = clock.schedule(SAFETY_POLL, poll);
    compare();
  }

  function watchAll(): void {
    const places = [...new Set([...inForce, ...lastRead.readFrom].flatMap(wayTo))];
    if (places.join('\0') === watched) return;
    watched = places.join('\0');
    void watcher?.close();
    // The folders that hold them: a file that is replaced, and one that isn't there yet, are noticed there.
    const folders = [...new Set(places.map((path) => dirname(path)))];
    watcher = watch(folders, {
      ignoreInitial: true,
      depth: 1,
      followSymlinks: false,
      ignored: (path) =>
        !folders.includes(path) && !places.some((one) => path === one || path.startsWith(`${one}/`)),
    });
    // A folder that can't be watched: the poll, SIGHUP and `bailiff reload` still serve.
    watcher.on('all', changed).on('error', () => {});
    // What changed while nobody watched yet.
    watcher.on('ready', compare);
  }

  watchAll();
  return {
    wasRead(read) {
      lastRead = read;
      watchAll();
    },
    follow(read) {
      inForce = read.readFrom;
      watchAll();
    },
    async close() {
      cancel();
      cancelPoll();
      await watcher?.close();
    },
  };
}

/** The links that a path leads over, each by where it lies, and where it ends: whichever of them changes, it is another file. */
export function wayTo(path: string): string[] {
  const way: string[] = [];
  let left = resolve(path).split('/').slice(1);
  let here = '/';
  for (let links = 0; left.length > 0 && links < MAX_LINKS;) {
    const step = join(here, left.shift()!);
    const target = linkAt(step);
    if (target === undefined) {
      here = step;
      continue;
    }
    links++;
    way.push(step);
    left = [...resolve(here, target).split('/').slice(1), ...left];
    here = '/';
  }
  return [...way, here];
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined; // Not there, or not to be seen: nothing leads on from it.
  }
}
