// Compressed files as a forward stream: rotated siblings after a downtime, and whatever `replay` is given.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { constants, createGunzip, gunzipSync, type Gunzip } from 'node:zlib';
import { HEAD } from './identity.ts';
import { CHUNK, cutLines, largerThan, type Cut } from './lines.ts';
import { readAt } from './open.ts';

/** So many compressed bytes always yield a head, and never more than a few megabytes. */
const COMPRESSED_HEAD = 4096;

/** How much is read of a file at a time; decompressed it is rarely more than a megabyte. */
const PIECE = 64 * 1024;
/** Of a plain file it is read into the same room again and again, which the processor's cache holds. */
const PLAIN_PIECE = 128 * 1024;

/** Bytes that can be looked at before they are taken. */
export interface Stream {
  /** At least `length` bytes unless the stream ends before, or is damaged. They are good until it is asked again. */
  peek(length: number): Promise<Buffer>;
  take(length: number): void;
  /** What is wrong with it, once its good bytes are read. */
  damage(): unknown;
  close(): void;
}

export function isGzip(fd: number): boolean {
  try {
    const magic = readAt(fd, 0, 2);
    return magic.length === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } catch {
    return false; // A pipe can't be looked at ahead.
  }
}

/** The first bytes of what a compressed file holds; empty where it is damaged. */
export function gunzipHead(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    // SYNC_FLUSH: the input is cut off on purpose.
    const head = gunzipSync(readAt(fd, 0, COMPRESSED_HEAD), { finishFlush: constants.Z_SYNC_FLUSH });
    return head.subarray(0, HEAD);
  } catch {
    return Buffer.alloc(0);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** How many bytes a compressed file holds, modulo 2^32, as its last four bytes say; NaN where it can't be read. */
export function gunzippedSize(path: string): number {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return readAt(fd, fstatSync(fd).size - 4, 4).readUInt32LE();
  } catch {
    return Number.NaN;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** A stream over an open file, decompressed where asked. Takes over the descriptor. */
export function streamOf(fd: number, compressed: boolean): Stream {
  const gunzip = compressed ? createGunzip({ chunkSize: 256 * 1024 }) : undefined;
  // Node drops what it has buffered when the input turns out to be damaged. So the output always flows into a list of
  // our own, and the input is fed one piece at a time: that is what bounds the list.
  const waiting: Buffer[] = [];
  let have = 0;
  let ended = false;
  let isOpen = true;
  let damage: unknown;
  let room = Buffer.alloc(0);
  const accept = (bytes: Buffer): void => {
    waiting.push(bytes);
    have += bytes.length;
  };
  gunzip?.on('data', accept);
  // Rubbish after the last member ends the stream before its input does.
  gunzip?.on('end', () => (ended = true));
  gunzip?.on('error', (error) => {
    damage = error;
    ended = true;
  });

  async function feed(): Promise<void> {
    if (!gunzip) return feedPlain();
    const piece = Buffer.allocUnsafe(PIECE);
    const length = readSync(fd, piece, 0, PIECE, null);
    await new Promise<void>((resolve) => push(gunzip, piece.subarray(0, length), resolve));
  }

  /** Reads behind what is waiting, which is moved to the front of the room. */
  function feedPlain(): void {
    const rest = waiting.pop() ?? Buffer.alloc(0);
    if (room.length < rest.length + PLAIN_PIECE) room = Buffer.allocUnsafe(rest.length + PLAIN_PIECE);
    rest.copy(room);
    const length = readSync(fd, room, rest.length, PLAIN_PIECE, null);
    if (length === 0) ended = true;
    have = rest.length + length;
    waiting.push(room.subarray(0, have));
  }

  return {
    async peek(length) {
      while (have < length && !ended && isOpen) await feed();
      if (waiting.length > 1) waiting.splice(0, waiting.length, Buffer.concat(waiting));
      return (waiting[0] ?? Buffer.alloc(0)).subarray(0, length);
    },
    take(length) {
      if (waiting[0]) waiting[0] = waiting[0].subarray(length);
      have -= length;
    },
    damage: () => damage,
    close() {
      if (!isOpen) return;
      isOpen = false;
      gunzip?.destroy();
      closeSync(fd);
    },
  };
}

/** Feeds one piece, or the end where it is empty. `done` is called once, when the piece is used up or never will be. */
function push(gunzip: Gunzip, piece: Buffer, done: () => void): void {
  const settle = (): void => {
    for (const event of ['end', 'error', 'close']) gunzip.off(event, settle);
    // Output of the piece may still be on its way to its listener.
    setImmediate(done);
  };
  for (const event of ['end', 'error', 'close']) gunzip.once(event, settle);
  if (piece.length > 0) gunzip.write(piece, settle);
  else gunzip.end();
}

/**
 * Cuts the next lines off a stream; `used` is 0 at its end only. Nothing is taken from it.
 * @throws what damaged it, after its good bytes.
 */
export async function cutStream(
  stream: Stream,
  skipping: boolean,
  final: boolean,
  portion = CHUNK,
): Promise<{ readonly bytes: Buffer; readonly cut: Cut }> {
  for (let want = portion; ; want = largerThan(want)) {
    const bytes = await stream.peek(want);
    const isEnd = bytes.length < want;
    const cut = cutLines(bytes, skipping, final && isEnd);
    // What came before the damage is good and was handed out first.
    if (cut.used === 0 && isEnd && stream.damage() !== undefined) throw stream.damage();
    if (cut.used > 0 || isEnd) return { bytes: bytes.subarray(0, cut.used), cut };
  }
}
