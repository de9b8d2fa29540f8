// Which of two rotated files is the older. Names tell it as long as the times on the files agree: some programs count
// upwards (.1 is the oldest), and some give names in no order at all.
import { basename } from 'node:path';
import { parseName, type RotatedName, type Sibling } from './rotation.ts';

/**
 * The oldest first. By name where all rotated names tell their age in the same way and the times don't contradict it;
 * by name the other way round where all times do; else by the time of the last write.
 * Files that only look related come first.
 */
export function sortByAge(siblings: readonly Sibling[]): Sibling[] {
  const orders = new Map(siblings.map((sibling) => [sibling, orderOf(sibling)]));
  const rotated = siblings.filter((sibling) => sibling.rotated);
  const alike = new Set(rotated.map((sibling) => orders.get(sibling)?.by)).size <= 1;
  if (!alike) return siblings.toSorted(byTime);
  const byName = (a: Sibling, b: Sibling): number => compareNames(orders.get(a), orders.get(b));
  const named = rotated.toSorted((a, b) => byName(a, b) || byTime(a, b));
  const others = siblings.filter((sibling) => !sibling.rotated).toSorted(byTime);
  const { agreeing, contrary } = compareNeighbours(named);
  if (contrary === 0) return [...others, ...named];
  if (agreeing === 0) return [...others, ...rotated.toSorted((a, b) => byName(b, a) || byTime(a, b))];
  return [...others, ...named.toSorted(byTime)];
}

/**
 * Whether the times on a rotated file say that it is newer or older than a known one. Late writes, copies, restored
 * backups and compressors bend either time, so both must agree; undefined where they say nothing, and the name decides.
 * @param known the sibling in which the known file stands.
 * @param since the known file's time of last write when it was first seen: at its rotation or before it.
 */
export function ageBeside(sibling: Sibling, known: Sibling, since: number): 'newer' | 'older' | undefined {
  const { compressed, mtime, born } = sibling;
  if (compressed) {
    // A compressor that kept no times left only the time of its own work.
    if (mtime >= born || mtime === since) return undefined;
    return mtime > since ? 'newer' : 'older';
  }
  const isBornLater = born > since;
  if (mtime < since) return isBornLater ? undefined : 'older';
  // Between the two times of last write lies what was written late to the known file.
  if (isBornLater || ((born === since || born === 0) && mtime > known.mtime)) return 'newer';
  return undefined;
}

/** Among neighbours in the order of their names: how many pairs have times that agree with it, and how many contradict. */
function compareNeighbours(named: readonly Sibling[]): { agreeing: number; contrary: number } {
  const plain = named.filter((sibling) => !sibling.compressed);
  let agreeing = 0;
  let contrary = 0;
  for (const [at, newer] of plain.entries()) {
    const older = plain[at - 1];
    if (!older) continue;
    const [written, born] = [newer.mtime - older.mtime, newer.born - older.born];
    // A file that is written to after its rotation is young in the one time only, a truncated one old in the other.
    if (written < 0 && born < 0) contrary++;
    if (written >= 0 && born >= 0 && written + born > 0) agreeing++;
  }
  return { agreeing, contrary };
}

function byTime(a: Sibling, b: Sibling): number {
  return a.mtime - b.mtime || Number(b.compressed) - Number(a.compressed) || a.born - b.born;
}

/** logrotate counts downwards to the newest; dates go up. */
function compareNames(x: RotatedName['order'], y: RotatedName['order']): number {
  if (x?.by === 'number' && y?.by === 'number') return y.value - x.value;
  if (x?.by === 'date' && y?.by === 'date') return x.value < y.value ? -1 : Number(x.value > y.value);
  return 0;
}

function orderOf(sibling: Sibling): RotatedName['order'] {
  return parseName(basename(sibling.path)).order;
}
