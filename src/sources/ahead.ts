// A plain file as a stream that is read ahead: while one piece is worked on, a thread of Node's reads the next one.
import { closeSync, read } from 'node:fs';
import type { Stream } from './gzip.ts';

/** Bytes that are read at a time: so many that asking for them costs nothing against them. */
const PIECE = 1024 * 1024;
/** Bytes in front of a piece for what is left of the one before, mostly the beginning of a line. */
const FRONT = 256 * 1024;

/** A stream over an open regular file, from where it stands. Takes over the descriptor. */
export function streamAhead(fd: number): Stream {
  // What is handed out lies in one room, while the next piece comes into the other.
  let room = Buffer.allocUnsafe(FRONT + PIECE);
  let other = Buffer.allocUnsafe(FRONT + PIECE);
  let waiting = room.subarray(FRONT, FRONT);
  let coming = fill(fd, room);
  let isOpen = true;
  let ended = false;

  /** Puts what has come behind what is waiting. */
  async function feed(): Promise<void> {
    const length = await coming;
    if (length === 0) {
      ended = true;
      return;
    }
    const begin = FRONT - waiting.length;
    if (begin < 0) waiting = Buffer.concat([waiting, room.subarray(FRONT, FRONT + length)]);
    else {
      waiting.copy(room, begin);
      waiting = room.subarray(begin, FRONT + length);
    }
    [room, other] = [other, room];
    coming = fill(fd, room);
  }

  return {
    async peek(length) {
      while (waiting.length < length && !ended && isOpen) await feed();
      return waiting.subarray(0, length);
    },
    take(length) {
      waiting = waiting.subarray(length);
    },
    damage: () => undefined,
    close() {
      if (!isOpen) return;
      isOpen = false;
      // Closed sooner, its number could be another file's by the time that the thread reads.
      const close = (): void => closeSync(fd);
      coming.then(close, close);
    },
  };
}

/** Reads a piece behind the front of a room. @returns how many bytes came; 0: the file ends here. */
function fill(fd: number, room: Buffer): Promise<number> {
  const filled = new Promise<number>((resolve, reject) => {
    read(fd, room, FRONT, PIECE, null, (error, length) => (error ? reject(error) : resolve(length)));
  });
  // Whoever asks for the piece hears of it.
  filled.catch(() => {});
  return filled;
}
