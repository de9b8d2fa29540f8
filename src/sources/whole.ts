// A whole file from its first line to its end, for `replay`. Nothing is remembered.
import { BailiffError, reasonOf } from '../errors.ts';
import type { Chunk } from '../model.ts';
import type { Clock } from '../ports.ts';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { streamAhead } from './ahead.ts';
import { cutStream, isGzip, streamOf } from './gzip.ts';
import { INPUT } from './input.ts';

/**
 * Reads a file, compressed by gzip or not, from its first line to its last; a last line without \n counts too.
 * @param path an absolute one, or `-`: standard input, which is closed then.
 * @param source whose lines they are.
 * @throws BailiffError E_NOT_PERMITTED or E_USAGE where it can't be read to its end.
 */
export async function* readWhole(path: string, clock: Clock, source = path): AsyncGenerator<Chunk> {
  const stream = open(path);
  let lines = 0;
  let skipping = false;
  try {
    for (;;) {
      const next = cutStream(stream, skipping, true);
      const { cut } = await next.catch((error: unknown) => refuse(path, error));
      if (cut.used === 0) return;
      const firstLine = lines + 1;
      stream.take(cut.used);
      lines += cut.lines;
      skipping = cut.skipping;
      yield {
        source,
        patterns: [],
        file: path,
        bytes: cut.bytes,
        get text() {
          return cut.text;
        },
        firstLine,
        lines: cut.lines,
        arrivedAt: clock.now(),
        live: false,
        commitFirst: false,
        position: undefined,
      };
    }
  } finally {
    stream.close();
  }
}

function open(path: string) {
  let fd: number | undefined;
  try {
    // Unlike a log that is followed, this is a file that the user named himself: any kind will do.
    // By its number: a socket, which may stand there, can't be opened by a name.
    fd = path === INPUT ? 0 : openSync(path, 'r');
    // Of a pipe one can't say when a read comes back: a thread that waits for it would keep the process from ending.
    return !isGzip(fd) && fstatSync(fd).isFile() ? streamAhead(fd) : streamOf(fd, isGzip(fd));
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    return refuse(path, error);
  }
}

function refuse(path: string, error: unknown): never {
  const reason = reasonOf(error);
  const code = reason === 'EACCES' || reason === 'EPERM' ? 'E_NOT_PERMITTED' : 'E_USAGE';
  throw new BailiffError(code, `${path} can't be read: ${reason}.`, { path }, error);
}
