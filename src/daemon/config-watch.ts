// Notices that a file from which the config is read has changed, come or gone. Here 24 ms don't matter, and chokidar
// knows what editors do to files.
import { dirname } from 'node:path';
import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import type { Cancel, Clock } from '../ports.ts';
import { tracesOf } from '../setup/index.ts';

/** An editor writes a file in several steps, and an administrator's script several files. */
const PATIENCE = 500;

export interface ConfigWatch {
  /** The config was read from these files and folders, which looked so. */
  follow(paths: readonly string[], traces: string): void;
  close(): Promise<void>;
}

/** @param onChange called once for changes that follow each other closely. */
export function watchConfig(clock: Clock, onChange: () => void): ConfigWatch {
  let watcher: FSWatcher | undefined;
  let followed = '';
  let cancel: Cancel = () => {};

  function changed(): void {
    cancel();
    cancel = clock.schedule(PATIENCE, onChange);
  }

  return {
    follow(paths, traces) {
      if (paths.join('\0') === followed) return;
      followed = paths.join('\0');
      void watcher?.close();
      // The folders that hold them: a file that is replaced, and one that isn't there yet, are noticed there.
      const folders = [...new Set(paths.map((path) => dirname(path)))];
      watcher = watch(folders, {
        ignoreInitial: true,
        depth: 1,
        ignored: (path) =>
          !folders.includes(path) && !paths.some((one) => path === one || path.startsWith(`${one}/`)),
      });
      // A folder that can't be watched: SIGHUP and `bailiff reload` still serve.
      watcher.on('all', changed).on('error', () => {});
      // What changed while nobody watched yet.
      watcher.on('ready', () => {
        if (tracesOf(paths) !== traces) changed();
      });
    },
    async close() {
      cancel();
      await watcher?.close();
    },
  };
}
