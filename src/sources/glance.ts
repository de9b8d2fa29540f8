// What stands at a path, by one look at its inode; and whether an empty file can be told to have stayed as it was.
import { statSync } from 'node:fs';
import type { Duration } from '../model.ts';
import { keyOf, refusal, type FileKey } from './open.ts';

export type Glance =
  | {
      readonly outcome: 'file';
      readonly key: FileKey;
      /** When the inode was changed last, in nanoseconds since the epoch, as the kernel stamped it. */
      readonly changed: bigint;
    }
  | ReturnType<typeof refusal>;

export function glance(path: string): Glance {
  try {
    const stat = statSync(path, { bigint: true });
    return stat.isFile()
      ? { outcome: 'file', key: keyOf(stat), changed: stat.ctimeNs }
      : { outcome: 'refused', code: 'E_SOURCE_NOT_A_FILE' };
  } catch (error) {
    return refusal(error);
  }
}

/** Two changes within some milliseconds may bear one stamp: a look so long after the first one with it has seen both. */
const SETTLED: Duration = 100;

/** An empty file at a path, as it was at the looks before. */
export interface Blank {
  readonly key: FileKey;
  readonly changed: bigint;
  /** When the stamp was seen first, and at the last look that went on to the folder. */
  readonly since: Duration;
  readonly looked: Duration;
}

/**
 * What was written to an empty file, copied away and truncated again left no trace but the copy and a newer stamp.
 * @returns the file as it is known from now on, and whether the folder need not be looked at for such copies.
 */
export function noteBlank(
  known: Blank | undefined,
  { key, changed }: { readonly key: FileKey; readonly changed: bigint },
  now: Duration,
): { readonly blank: Blank; readonly isUntouched: boolean } {
  if (known?.key !== key || known.changed !== changed)
    return { blank: { key, changed, since: now, looked: now }, isUntouched: false };
  if (known.looked - known.since >= SETTLED) return { blank: known, isUntouched: true };
  return { blank: { ...known, looked: now }, isUntouched: false };
}
