// The one place where a log is opened: regular files only, and no link that leads where its owner could not.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  type BigIntStats,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { SourceFaultCode } from './faults.ts';
import { digest, HEAD, TAIL } from './identity.ts';

/** Device and inode: one file among those that exist now. Not for the ledger; a reboot changes device numbers. */
export type FileKey = string;

/**
 * The same with the instant at which the inode was given to it: an inode that is free is given again at once, and then is
 * another file.
 */
export type FileLife = string;

export interface Opened {
  readonly fd: number;
  /** Free of links. */
  readonly path: string;
  readonly key: FileKey;
  readonly life: FileLife;
  readonly inode: string;
  readonly size: number;
  /** Its first bytes as they were then; everything that is asked about the file is answered from these. */
  readonly head: Buffer;
  /** Milliseconds since the epoch, as the kernel stamped it. */
  readonly mtime: number;
  /** When the inode was given to it, in milliseconds since the epoch. */
  readonly born: number;
}

export type OpenResult =
  | { readonly outcome: 'opened'; readonly file: Opened }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'refused'; readonly code: SourceFaultCode };

export function keyOf(stat: BigIntStats): FileKey {
  return `${stat.dev}:${stat.ino}`;
}

export function lifeOf(stat: BigIntStats): FileLife {
  return `${keyOf(stat)} since ${stat.birthtimeNs}`;
}

/** Opens a log for reading. The descriptor is the caller's to close. Never blocks on a FIFO, never touches a device. */
export function openLog(path: string): OpenResult {
  let fd: number | undefined;
  try {
    const owners = ownersOfLinks(path);
    const real = realpathSync.native(path);
    // Looked at before it is opened: opening alone can do things to a device.
    if (!lstatSync(real).isFile()) return { outcome: 'refused', code: 'E_SOURCE_NOT_A_FILE' };
    fd = openSync(
      real,
      constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY,
    );
    // Looked at again: between the two looks the name may have been given to something else.
    const stat = fstatSync(fd, { bigint: true });
    const refused = !stat.isFile()
      ? 'E_SOURCE_NOT_A_FILE'
      : owners.every((owner) => stat.uid === owner || stat.uid === 0n)
        ? undefined
        : 'E_SOURCE_SYMLINK';
    if (refused) {
      closeSync(fd);
      return { outcome: 'refused', code: refused };
    }
    const whose = { key: keyOf(stat), life: lifeOf(stat), inode: String(stat.ino) };
    const file = { fd, path: real, ...whose, size: Number(stat.size) };
    const times = { mtime: Number(stat.mtimeMs), born: Number(stat.birthtimeMs) };
    return { outcome: 'opened', file: { ...file, ...times, head: readHead(fd) } };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    return refusal(error);
  }
}

/** What an error of a look at a path means for the source. */
export function refusal(error: unknown): Exclude<OpenResult, { outcome: 'opened' }> {
  const reason = reasonOf(error);
  if (reason === 'ENOENT' || reason === 'ENOTDIR') return { outcome: 'missing' };
  if (reason === 'EACCES' || reason === 'EPERM') return { outcome: 'refused', code: 'E_SOURCE_PERMISSION' };
  return { outcome: 'refused', code: 'E_SOURCE_READ' };
}

/** Who owns each symbolic link on the way from a path to its file. */
function ownersOfLinks(path: string): bigint[] {
  const owners: bigint[] = [];
  for (let at = path; owners.length < 40;) {
    const stat = lstatSync(at, { bigint: true });
    if (!stat.isSymbolicLink()) break;
    owners.push(stat.uid);
    at = resolve(dirname(at), readlinkSync(at));
  }
  return owners;
}

/** Reads up to `length` bytes at `offset`; fewer only at the file's end. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readInto(fd, bytes, length, offset));
}

/** The same into a buffer that is at hand. @returns how many bytes there were. */
export function readInto(fd: number, buffer: Buffer, length: number, offset: number): number {
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, buffer, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** A file's first bytes, all of one content: what comes from two reads may be the halves of two. */
export function readHead(fd: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD);
  for (let tries = 0; tries < 10; tries++) {
    const length = readSync(fd, head, 0, HEAD, 0);
    const isWhole = length === HEAD || readSync(fd, head, length, HEAD - length, length) === 0;
    if (isWhole) return head.subarray(0, length);
  }
  // No writer is that fast; there are file systems that give little at a time.
  return readAt(fd, 0, HEAD);
}

/** How many lines end before `offset`. Reads the file up to there: about a second for a gigabyte or two. */
export async function countLines(fd: number, offset: number, breathe: () => Promise<void>): Promise<number> {
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  let lines = 0;
  for (let at = 0; at < offset;) {
    const length = readInto(fd, buffer, Math.min(buffer.length, offset - at), at);
    if (length === 0) break;
    const text = buffer.toString('latin1', 0, length);
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) lines++;
    at += length;
    await breathe();
  }
  return lines;
}

/** Whether the bytes before `offset` are the ones that were read. False also where the file is shorter. */
export function fileHasTail(fd: number, offset: number, tailHash: string): boolean {
  const start = Math.max(0, offset - TAIL);
  const tail = readAt(fd, start, offset - start);
  return tail.length === offset - start && digest(tail) === tailHash;
}
