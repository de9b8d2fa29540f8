// One file that is followed: its place, its proof of identity, and one read at a time.
import { closeSync, fstatSync } from 'node:fs';
import type { Duration, FilePosition } from '../model.ts';
import { cutStream, streamOf, type Stream } from './gzip.ts';
import { digest, HEAD, headHashOf, isSameHead, TAIL } from './identity.ts';
import { CHUNK, cutLines, hasWholeLine, largerThan, READ, type Cut } from './lines.ts';
import { fileHasTail, readAt, readHead, readInto, type FileKey, type FileLife, type Opened } from './open.ts';

export type Content =
  | { readonly kind: 'plain'; readonly fd: number; readonly key: FileKey }
  | {
      readonly kind: 'gzip';
      readonly stream: Stream;
      readonly key: FileKey;
      readonly life: FileLife;
      at: number;
    };

/** The fields are {@link FilePosition}'s, but they move. */
export interface Follower {
  readonly id: string;
  path: string;
  inode: string;
  headLength: number;
  headHash: string;
  offset: number;
  tailHash: string;
  lines: number;
  skipping: boolean;
  finished: boolean;
  /** undefined: known, but without a descriptor. */
  content: Content | undefined;
  /** The bytes that the hashes stand for; known once the file was opened. */
  head: Buffer;
  tail: Buffer;
  /** The file's time of last write when it was first seen: whatever was rotated away before is older. */
  readonly firstSeen: number;
  size: number;
  /** Since when a file that was rotated away has not grown. */
  quietSince: Duration;
  /** The size at which a shrunk file was looked at without being able to tell what it is. */
  undecidedAt: number | undefined;
}

/** The key of a row in the ledger: which path it belongs to, and when the file was first seen there. */
export function idFor(source: string, file: Opened, taken: (id: string) => boolean): string {
  const id = `${source}@${Math.floor(file.mtime).toString(36)}-${file.inode}`;
  if (!taken(id)) return id;
  for (let n = 2; ; n++) if (!taken(`${id}-${n}`)) return `${id}-${n}`;
}

export function sourceOfId(id: string): string {
  return id.slice(0, id.lastIndexOf('@'));
}

/** A file nobody knows yet, at its beginning. */
export function freshFollower(id: string): Follower {
  return fromPosition({
    kind: 'file',
    id,
    path: '',
    inode: '0',
    headLength: 0,
    headHash: headHashOf(Buffer.alloc(0)),
    offset: 0,
    tailHash: digest(Buffer.alloc(0)),
    lines: 0,
    skipping: false,
    finished: false,
  });
}

export function fromPosition(position: FilePosition): Follower {
  const stamp = position.id.slice(position.id.lastIndexOf('@') + 1).split('-')[0]!;
  return {
    ...position,
    content: undefined,
    head: Buffer.alloc(0),
    tail: Buffer.alloc(0),
    firstSeen: Number.parseInt(stamp, 36) || 0,
    size: position.offset,
    quietSince: 0,
    undecidedAt: undefined,
  };
}

export function positionOf(follower: Follower): FilePosition {
  const { id, path, inode, headLength, headHash, offset, tailHash, lines, skipping, finished } = follower;
  const identity = { id, path, inode, headLength, headHash, offset, tailHash };
  return { kind: 'file', ...identity, lines, skipping, finished };
}

/** Puts a follower on an open file at its offset, which must lie within the file. Takes over the descriptor. */
export function attach(follower: Follower, file: Opened, compressed: boolean): void {
  follower.path = file.path;
  follower.inode = file.inode;
  follower.finished = false;
  follower.undecidedAt = undefined;
  follower.size = file.size;
  if (compressed) {
    const { key, life } = file;
    follower.content = { kind: 'gzip', stream: streamOf(file.fd, true), key, life, at: 0 };
    return;
  }
  follower.content = { kind: 'plain', fd: file.fd, key: file.key };
  setHead(follower, telling(file.head));
  moveTo(follower, follower.offset);
}

/** Moves a plain file's place, with the proof of it. */
export function moveTo(follower: Follower, offset: number): void {
  if (follower.content?.kind !== 'plain') return;
  const start = Math.max(0, offset - TAIL);
  follower.tail = readAt(follower.content.fd, start, offset - start);
  follower.tailHash = digest(follower.tail);
  follower.offset = offset;
}

export function detach(follower: Follower): void {
  if (follower.content?.kind === 'plain') closeSync(follower.content.fd);
  else follower.content?.stream.close();
  follower.content = undefined;
}

/** Whether an open file has no name any more. */
export function isUnlinked(follower: Follower): boolean {
  return follower.content?.kind === 'plain' && fstatSync(follower.content.fd).nlink === 0;
}

/** Whether `size` bytes are the beginning of a file: same head, and the same bytes before `size`. */
export function isBeginning(
  file: { readonly fd: number; readonly head: Buffer },
  head: Buffer,
  size: number,
  tailOf: (from: number) => Buffer,
): boolean {
  if (size === 0) return false;
  const common = Math.min(head.length, file.head.length);
  if (!file.head.subarray(0, common).equals(head.subarray(0, common))) return false;
  const start = Math.max(0, size - TAIL);
  return readAt(file.fd, start, size - start).equals(tailOf(start));
}

/** The same for a file that is followed, where it is open and plain. */
export function isBeginningOf(
  { content, head: own }: Follower,
  ...bytes: [head: Buffer, size: number, tailOf: (from: number) => Buffer]
): boolean {
  return content?.kind === 'plain' && isBeginning({ fd: content.fd, head: own }, ...bytes);
}

export type Reading =
  | { readonly kind: 'lines'; readonly cut: Cut; readonly bytes: Buffer; readonly atEnd: boolean }
  | { readonly kind: 'nothing' }
  /** A file without a line has got its first one: its head must be noted, and its folder looked at, before it is read. */
  | { readonly kind: 'unmet' }
  /** The bytes before the place are not those that were read: the file was truncated or written anew. */
  | { readonly kind: 'changed' }
  /** A compressed file was read to its end. */
  | { readonly kind: 'ended' };

/**
 * Reads on from the follower's place and moves it past the whole lines that it found.
 * @param buffer room for TAIL + READ bytes; its content is good until the next read.
 * @param portion bytes to read, and more only where no line ends within them.
 */
export async function readOn(follower: Follower, buffer: Buffer, portion = CHUNK): Promise<Reading> {
  const { content } = follower;
  if (content?.kind === 'gzip') return readStream(follower, content, portion);
  return content ? readPlain(follower, content.fd, buffer, portion) : { kind: 'nothing' };
}

function readPlain(follower: Follower, fd: number, buffer: Buffer, portion: number): Reading {
  for (let want = portion; ; want = largerThan(want)) {
    const bytes = readChecked(follower, fd, buffer, want);
    if (typeof bytes === 'string') return { kind: bytes === 'changed' ? 'changed' : 'nothing' };
    const cut = cutLines(bytes, follower.skipping);
    const atEnd = bytes.length < want;
    if (cut.used === 0 && atEnd) return { kind: 'nothing' };
    if (cut.used === 0) continue;
    if (follower.headLength === 0) return { kind: 'unmet' };
    advance(follower, buffer.subarray(0, follower.tail.length + cut.used), cut);
    return { kind: 'lines', cut, bytes: bytes.subarray(0, cut.used), atEnd };
  }
}

/**
 * Whether an open file is the known one: this very inode, head and tail. Inodes are given again, so the inode alone
 * proves nothing; of a file that was empty when it was last seen it is all there is, if it was not given again since.
 */
export function isSameFile(follower: Follower, file: Opened): boolean {
  if (follower.inode !== file.inode) return false;
  if (follower.headLength === 0) return file.born <= follower.firstSeen;
  return isSameHead(follower, file.head) && fileHasTail(file.fd, follower.offset, follower.tailHash);
}

/** A file's first bytes as far as they tell it from others: half a line may be the beginning of any. */
function telling(head: Buffer): Buffer {
  return head.length === HEAD || head.includes(10) ? head : Buffer.alloc(0);
}

/** Takes note of an open file's first bytes as they are now, so that a copy of it is recognised. */
export function refreshHead(follower: Follower): void {
  if (follower.content?.kind !== 'plain' || follower.headLength === HEAD || isReplaced(follower)) return;
  setHead(follower, telling(readHead(follower.content.fd)));
}

/** Whether an open file is not any more what was read of it. */
export function isReplaced(follower: Follower): boolean {
  const { content, offset, tail, head, undecidedAt } = follower;
  if (content?.kind !== 'plain') return false;
  const { size } = fstatSync(content.fd);
  if (size === undecidedAt) return false;
  if (size < offset || !readAt(content.fd, offset - tail.length, tail.length).equals(tail)) return true;
  return !readAt(content.fd, 0, head.length).equals(head);
}

/** The bytes from the place on, after a proof that the place is still what it was. */
function readChecked(
  follower: Follower,
  fd: number,
  buffer: Buffer,
  want: number,
): Buffer | 'changed' | 'undecided' {
  const { tail, offset } = follower;
  follower.size = fstatSync(fd).size;
  if (follower.undecidedAt === follower.size) return 'undecided';
  if (follower.size < offset) return 'changed';
  // The proof and the new bytes come from one read, so nothing can happen between them.
  const length = readInto(fd, buffer, tail.length + want, offset - tail.length);
  if (length < tail.length || buffer.compare(tail, 0, tail.length, 0, tail.length) !== 0) return 'changed';
  const head = readHead(fd);
  if (!head.subarray(0, follower.head.length).equals(follower.head)) return 'changed';
  follower.undecidedAt = undefined;
  // The first head is taken when the folder is looked at, not here.
  if (follower.headLength > 0 && head.length !== follower.head.length) setHead(follower, head);
  return buffer.subarray(tail.length, length);
}

async function readStream(
  follower: Follower,
  content: Content & { kind: 'gzip' },
  portion: number,
): Promise<Reading> {
  const { stream } = content;
  while (content.at < follower.offset) {
    const left = follower.offset - content.at;
    const want = Math.min(READ, left);
    const bytes = await stream.peek(want);
    if (bytes.length < want) return { kind: 'changed' };
    if (content.at === 0) setHead(follower, Buffer.from(bytes.subarray(0, HEAD)), true);
    if (want === left) {
      follower.tail = Buffer.from(bytes.subarray(Math.max(0, left - TAIL)));
      if (digest(follower.tail) !== follower.tailHash) return { kind: 'changed' };
    }
    // The last TAIL bytes stay for the last round: they are the proof.
    const step = want === left ? left : Math.min(want, left - TAIL);
    stream.take(step);
    content.at += step;
  }
  const { bytes, cut } = await cutStream(stream, follower.skipping, false, portion);
  if (content.at === 0) setHead(follower, Buffer.from(bytes.subarray(0, HEAD)), true);
  if (cut.used === 0) return { kind: 'ended' };
  stream.take(cut.used);
  content.at += cut.used;
  advance(follower, Buffer.concat([follower.tail, bytes]), cut);
  return { kind: 'lines', cut, bytes, atEnd: false };
}

/** @param read the old tail and the bytes that are done with. */
function advance(follower: Follower, read: Buffer, cut: Cut): void {
  follower.offset += cut.used;
  follower.lines += cut.lines;
  follower.skipping = cut.skipping;
  follower.tail = Buffer.from(read.subarray(Math.max(0, read.length - TAIL)));
  follower.tailHash = digest(follower.tail);
}

/** @param keepLonger for a stream's first bytes, which may be fewer than what is known. */
export function setHead(follower: Follower, head: Buffer, keepLonger = false): void {
  if (keepLonger && head.length < follower.headLength) return;
  follower.head = head;
  follower.headLength = head.length;
  follower.headHash = headHashOf(head);
}

/** Whether a read would give something; looks without moving. A changed file counts: the read will tell. */
export function hasMore(follower: Follower, buffer: Buffer): boolean {
  const { content } = follower;
  if (!content) return false;
  if (content.kind === 'gzip') return true;
  for (const want of [CHUNK, READ]) {
    const bytes = readChecked(follower, content.fd, buffer, want);
    if (typeof bytes === 'string') return bytes === 'changed';
    if (hasWholeLine(bytes, follower.skipping)) return true;
    if (bytes.length < want) break;
  }
  return false;
}

/** Bytes not read yet; a compressed file's are guessed from its size. */
export function lagOf(follower: Follower): number {
  const { content } = follower;
  if (!content) return 0;
  if (content.kind === 'gzip') return Math.max(0, follower.size);
  return Math.max(0, fstatSync(content.fd).size - follower.offset);
}
