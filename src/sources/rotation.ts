// Names that rotation gives, and the files that bear them: which siblings a log has.
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipHead } from './gzip.ts';
import { fileHasTail, keyOf, readAt, readHead, type FileKey, lifeOf, type FileLife } from './open.ts';

const COMPRESSED = /\.(?:gz|xz|bz2|zst|lz4|Z)$/;
// access.log.1; app.1.log; access.log-20250131, .2025-01-31, -20250131-13, -1738281600; app-20250131.log
const NUMBERED = /^(.+)\.(\d{1,4})$/;
const NUMBERED_INSIDE = /^(.+)\.(\d{1,4})(\.[A-Za-z]+)$/;
const DATED =
  /^(.+?)[-._](\d{4}-\d{2}-\d{2}(?:[-_T.]\d{2}(?:[-:.]?\d{2}){0,2})?|\d{8}(?:[-_T.]?\d{2,6})?|\d{10})(\.\d{1,3})?$/;
const DATED_INSIDE =
  /^(.+?)[-._](\d{4}-\d{2}-\d{2}(?:[-_T.]\d{2}(?:[-:.]?\d{2}){0,2})?|\d{8}(?:[-_T.]?\d{2,6})?|\d{10})(\.[A-Za-z]+)$/;

export interface RotatedName {
  /** The name without what rotation added; the name itself where it added nothing. */
  readonly family: string;
  /** How the age stands in the name; undefined for a name that no rotation gave. */
  readonly order:
    | { readonly by: 'number'; readonly value: number }
    | { readonly by: 'date'; readonly value: string }
    | undefined;
  readonly compressed: boolean;
}

export function parseName(name: string): RotatedName {
  const compressed = COMPRESSED.test(name);
  const plain = uncompressedName(name);
  const dated = DATED_INSIDE.exec(plain) ?? DATED.exec(plain);
  if (dated) {
    const inside = DATED_INSIDE.test(plain);
    const digits = dated[2]!.replace(/\D/g, '');
    const family = inside ? dated[1]! + dated[3]! : dated[1]!;
    return { family, order: { by: 'date', value: digits + (inside ? '' : (dated[3] ?? '')) }, compressed };
  }
  const inside = NUMBERED_INSIDE.exec(plain);
  const numbered = NUMBERED.exec(plain) ?? inside;
  if (numbered) {
    const family = numbered[1]! + (numbered[3] ?? '');
    return { family, order: { by: 'number', value: Number(numbered[2]) }, compressed };
  }
  if (plain.endsWith('.old'))
    return { family: plain.slice(0, -4), order: { by: 'number', value: 1 }, compressed };
  return { family: plain, order: undefined, compressed };
}

/** A name as it was before its file was compressed. */
export function uncompressedName(name: string): string {
  return name.replace(COMPRESSED, '');
}

/** Whether rotation could have made `name` out of `base` (or both out of a common name, by date). */
export function isRotationOf(name: string, base: string): boolean {
  const rotated = parseName(name);
  if (!rotated.order) return false;
  if (rotated.family === base) return true;
  const own = parseName(base);
  return own.order?.by === 'date' && rotated.order.by === 'date' && own.family === rotated.family;
}

export interface Sibling {
  readonly path: string;
  readonly key: FileKey;
  readonly life: FileLife;
  readonly inode: string;
  readonly size: number;
  readonly mtime: number;
  /** When the inode was given to it, in milliseconds since the epoch. */
  readonly born: number;
  readonly compressed: boolean;
  /** False for a file that only looks related: it may hold lines that are missed, but is never read as a missed rotation. */
  readonly rotated: boolean;
}

/**
 * Regular files beside a log that may hold its earlier lines, in no order.
 * @returns undefined where the folder can't be read: then nobody knows what is gone.
 */
export function siblingsOf(path: string): Sibling[] | undefined {
  const base = basename(path);
  const stem = base.replace(/\..*$/s, '') || base;
  const family = parseName(base).family;
  const found: Sibling[] = [];
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return undefined;
  }
  for (const name of names) {
    if (name === base || !(name.startsWith(stem) || name.startsWith(family))) continue;
    const sibling = siblingAt(join(dirname(path), name), isRotationOf(name, base));
    if (sibling) found.push(sibling);
  }
  return found;
}

/** @returns undefined where no regular file is. */
export function siblingAt(path: string, rotated: boolean): Sibling | undefined {
  try {
    const stat = statSync(path, { bigint: true });
    if (!stat.isFile()) return undefined;
    const { compressed } = parseName(basename(path));
    const size = Number(stat.size);
    return {
      path,
      key: keyOf(stat),
      life: lifeOf(stat),
      inode: String(stat.ino),
      size,
      mtime: Number(stat.mtimeMs),
      born: Number(stat.birthtimeMs),
      compressed,
      rotated,
    };
  } catch {
    return undefined; // Renamed or removed since the folder was read; the next look sees it.
  }
}

/** The first bytes of what a sibling holds, decompressed; empty where it can't be read. */
export function headOfSibling(sibling: Sibling): Buffer {
  if (sibling.compressed) return sibling.path.endsWith('.gz') ? gunzipHead(sibling.path) : Buffer.alloc(0);
  return withFile(sibling.path, readHead) ?? Buffer.alloc(0);
}

/** A plain sibling's bytes from an offset up to the size that it was seen with; empty where it can't be read. */
export function bytesOf(sibling: Sibling, from: number): Buffer {
  return withFile(sibling.path, (fd) => readAt(fd, from, sibling.size - from)) ?? Buffer.alloc(0);
}

/** Whether the bytes before `offset` are the ones that were read. Compressed files are checked while they are read. */
export function hasTail(sibling: Sibling, offset: number, tailHash: string): boolean {
  if (sibling.compressed) return true;
  return withFile(sibling.path, (fd) => fileHasTail(fd, offset, tailHash)) ?? false;
}

function withFile<T>(path: string, use: (fd: number) => T): T | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return use(fd);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
