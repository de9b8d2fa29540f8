// Places in the journal, as journalctl names them: `s=…;i=…;b=…;m=…;t=…;x=…`. Their order is the journal's own.
import type { Instant } from '../model.ts';

interface Parts {
  /** Within one sequence, entries are numbered. */
  readonly sequence: string;
  readonly number: bigint;
  readonly boot: string;
  readonly monotonic: bigint;
  /** Microseconds since the epoch. */
  readonly realtime: bigint;
  readonly hash: bigint;
}

const CURSOR =
  /^s=([\da-f]{32});i=([\da-f]{1,16});b=([\da-f]{32});m=([\da-f]{1,16});t=([\da-f]{1,16});x=([\da-f]{1,16})$/;

/** Do both name the same entry? */
export function isSameEntry(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parse(one), parse(other)];
  return a !== undefined && b !== undefined && a.sequence === b.sequence && a.number === b.number;
}

/** Does the entry at `cursor` come after `other`, or is it the same? Unknown forms come after nothing. */
export function isAtOrPast(cursor: string, other: string): boolean {
  if (cursor === other) return true;
  const [a, b] = [parse(cursor), parse(other)];
  return a !== undefined && b !== undefined && order(a, b) >= 0n;
}

/** When the journal received the entry; undefined for an unknown form. */
export function instantOf(cursor: string): Instant | undefined {
  const parts = parse(cursor);
  return parts && Number(parts.realtime / 1_000n);
}

/** How many entries lie between two, of all programs; undefined where they were not numbered together. */
export function entriesBetween(earlier: string, later: string): number | undefined {
  const [a, b] = [parse(earlier), parse(later)];
  if (!a || !b || a.sequence !== b.sequence || b.number <= a.number) return undefined;
  return Number(b.number - a.number - 1n);
}

/** As sd-journal compares locations: by number, by the time since boot, by the wall clock, whichever both have in common. */
function order(a: Parts, b: Parts): bigint {
  const differences = [
    a.sequence === b.sequence ? a.number - b.number : 0n,
    a.boot === b.boot ? a.monotonic - b.monotonic : 0n,
    a.realtime - b.realtime,
  ];
  return differences.find((difference) => difference !== 0n) ?? a.hash - b.hash;
}

function parse(cursor: string): Parts | undefined {
  const [, sequence, number, boot, monotonic, realtime, hash] = CURSOR.exec(cursor) ?? [];
  if (!sequence || !number || !boot || !monotonic || !realtime || !hash) return undefined;
  const hex = (digits: string): bigint => BigInt(`0x${digits}`);
  return {
    sequence,
    number: hex(number),
    boot,
    monotonic: hex(monotonic),
    realtime: hex(realtime),
    hash: hex(hash),
  };
}
