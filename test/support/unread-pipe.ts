// A pipe that is open, and that nobody reads but who asks for it.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

export interface UnreadPipe {
  readonly path: string;
  readonly fd: number;
  /** What stands in it, up to a mebibyte; empty where nothing does. */
  read(): string;
  close(): void;
}

export function createUnreadPipe(folder: string): UnreadPipe {
  const path = join(folder, 'pipe');
  execFileSync('/usr/bin/mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return {
    path,
    fd,
    read() {
      const buffer = Buffer.alloc(1 << 20);
      try {
        return buffer.toString('utf8', 0, readSync(fd, buffer));
      } catch {
        return '';
      }
    },
    close: () => closeSync(fd),
  };
}
