// Whose lines hardly ever match: addresses with a record of good behaviour in the logs in which every line is somebody's
// (access logs, JSON). Asked when a jail bans one of them. It is a hint and no proof, so a sample of the lines is enough.
import { mask } from '../../address.ts';
import type { Scanner } from '../../filters/contract.ts';
import type { KeptRegular } from '../../ledger/contract.ts';
import { endOfLine, lengthOf, sliceOf, startOfLine, withoutReturn } from '../../lines.ts';
import type { Chunk, Duration, Instant, Network } from '../../model.ts';
import { createOldest } from '../../oldest.ts';

/** Behaviour is told by periods of this length: one with lines and without a match is a clean one. */
const PERIOD: Duration = 5 * 60_000;
/** So many clean periods and so many lines make a regular … */
const CLEAN_PERIODS = 3;
const LINES = 20;
/** … until fewer than so many clean ones are there for each that a match spoiled, the one of the present offence aside … */
const CLEAN_PER_SPOILED = 2;
/** … or nothing was seen of him for so long. */
const REMEMBERED: Duration = 7 * 86_400_000;
/** Newcomers can drive out newcomers only: a crowd of strangers doesn't make us forget who is a regular. */
const MOST_REGULARS = 50_000;
const MOST_NEWCOMERS = 20_000;
/** After a start so many lines are looked at one by one, then the first of each chunk and one in so many. */
const LINES_AT_FIRST = 10_000;
const SAMPLE = 256;
/** So many are written in one commit at most. */
const MOST_WRITTEN = 1_000;

interface Record {
  period: number;
  /** Of the period that runs. */
  isSpoiled: boolean;
  clean: number;
  spoiled: number;
  /** Without a match; counted for newcomers only. */
  lines: number;
}

/** The lines of one chunk as they are read, behind the scan of it. */
export interface Watching {
  /**
   * A filter matched the line that begins there, and may say whose it is and of when; else that is read from the line. Told in
   * the order of lines.
   */
  matched(start: number, address?: Network, at?: Instant): void;
  /** All lines did that begin from `first` to `last`. */
  matchedAll(first: number, last: number): void;
  /** The chunk is over. */
  finish(): void;
}

export interface Regulars {
  /** @returns undefined where lines without a match are nobody's. The last one must be finished before. */
  watch(chunk: Chunk, scanner: Pick<Scanner, 'whose'>): Watching | undefined;
  /** Had the address, or the IPv6 prefix, behaved before that instant, as far as lines were read? */
  isRegular(network: Network, at: Instant): boolean;
  readonly size: number;
  takeDirty(): { readonly regulars: KeptRegular[]; readonly forgottenRegulars: string[] };
  /** After a commit that failed: these are still to be written. */
  restore(taken: {
    readonly regulars: readonly KeptRegular[];
    readonly forgottenRegulars: readonly string[];
  }): void;
  /** The ledger is a new one: all of them are to be written again. */
  rewrite(): void;
}

/** @param remembered in the order in which they were seen last. */
export function createRegulars(remembered: Iterable<KeptRegular> = []): Regulars {
  /** In the order in which they were seen last, to the period. */
  const regulars = new Map<string, Record>();
  const newcomers = new Map<string, Record>();
  const [oldestRegular, oldestNewcomer] = [createOldest(regulars), createOldest(newcomers)];
  const changed = new Set<string>();
  const forgotten = new Set<string>();
  let left = LINES_AT_FIRST;
  let advance: () => void = () => {};
  for (const { address, clean, spoiled, period } of remembered)
    regulars.set(address, { period, isSpoiled: false, clean, spoiled, lines: LINES });

  function note(key: string, at: Instant, isMatch: boolean, weight: number): void {
    const record = regulars.get(key) ?? newcomers.get(key) ?? welcome(key, periodOf(at));
    if (periodOf(at) > record.period) close(key, record, periodOf(at));
    if (isMatch) record.isSpoiled = true;
    else record.lines += weight;
  }

  function welcome(key: string, period: number): Record {
    const record = { period, isSpoiled: false, clean: 0, spoiled: 0, lines: 0 };
    newcomers.set(key, record);
    if (newcomers.size > MOST_NEWCOMERS) newcomers.delete(oldestNewcomer()!);
    return record;
  }

  /** A period is over: it counts, and whoever was seen in it is the last to be forgotten. */
  function close(key: string, record: Record, next: number): void {
    if (record.isSpoiled) record.spoiled++;
    else record.clean++;
    record.period = next;
    record.isSpoiled = false;
    const isRegular = regulars.delete(key);
    newcomers.delete(key);
    if (!isRegular && (record.clean < CLEAN_PERIODS || record.lines < LINES)) {
      newcomers.set(key, record);
      return;
    }
    regulars.set(key, record);
    changed.add(key);
    forgotten.delete(key);
    if (regulars.size > MOST_REGULARS) forget(oldestRegular()!);
  }

  function forget(key: string): void {
    regulars.delete(key);
    changed.delete(key);
    forgotten.add(key);
  }

  return {
    watch(chunk, { whose }) {
      if (!whose || chunk.lines === 0) return undefined;
      const { lines, arrivedAt } = chunk;
      const length = lengthOf(chunk);
      const isWhole = left >= lines;
      if (isWhole) left -= lines;
      // Between two lines of a sample so many bytes are passed over; each stands for those that were.
      const stride = isWhole ? 0 : Math.floor((length / lines) * SAMPLE);
      const weight = isWhole ? 1 : Math.min(SAMPLE, lines);
      // Where lines begin that matched: of many that follow each other the first one and the last.
      const firsts: number[] = [];
      const lasts: number[] = [];
      const told = new Map<number, { readonly address: Network; readonly at: Instant }>();
      let start = 0;
      let match = 0;

      /** Whoever matched is known; whose another line is must be read. */
      function noteLine(after: number): void {
        while (match < lasts.length && lasts[match]! < start) match++;
        const isMatch = match < lasts.length && firsts[match]! <= start;
        const known = isMatch ? told.get(start) : undefined;
        if (known) return note(keyOf(known.address), Math.min(known.at, arrivedAt), true, weight);
        // With the line before, for whether a line begins there may hang on it.
        const from = start === 0 ? 0 : startOfLine(chunk, start - 1);
        const end = withoutReturn(chunk, start, after) - from;
        const line = whose!(sliceOf(chunk, from, from + end), start - from, end, arrivedAt);
        if (line) note(keyOf(line.address), Math.min(line.at ?? arrivedAt, arrivedAt), isMatch, weight);
      }

      function look(before: number): void {
        while (start < before) {
          const after = endOfLine(chunk, start);
          noteLine(after);
          start = after + 1;
          if (stride > 0) start = endOfLine(chunk, start + stride) + 1;
        }
      }
      advance = () => look(lasts.at(-1) ?? 0);
      return {
        matched(at, address, stamp = arrivedAt) {
          firsts.push(at);
          lasts.push(at);
          if (address) told.set(at, { address, at: stamp });
        },
        matchedAll(first, last) {
          firsts.push(first);
          lasts.push(last);
        },
        finish() {
          look(length);
          advance = () => {};
        },
      };
    },
    isRegular(network, at) {
      advance();
      const record = regulars.get(keyOf(network));
      if (!record || (record.period + 1) * PERIOD < at - REMEMBERED) return false;
      return record.clean >= CLEAN_PER_SPOILED * (record.spoiled + Number(record.isSpoiled) - 1);
    },
    get size() {
      return regulars.size + newcomers.size;
    },
    takeDirty() {
      const some = [...changed].slice(0, MOST_WRITTEN);
      for (const key of some) changed.delete(key);
      const taken = some.map((address): KeptRegular => {
        const { clean, spoiled, period } = regulars.get(address)!;
        return { address, clean, spoiled, period };
      });
      const gone = [...forgotten];
      forgotten.clear();
      return { regulars: taken, forgottenRegulars: gone };
    },
    restore(taken) {
      for (const { address } of taken.regulars) if (regulars.has(address)) changed.add(address);
      for (const address of taken.forgottenRegulars) if (!regulars.has(address)) forgotten.add(address);
    },
    rewrite() {
      for (const address of regulars.keys()) changed.add(address);
    },
  };
}

function periodOf(at: Instant): number {
  return Math.max(0, Math.floor(at / PERIOD));
}

/** IPv6 is known by its /64, for whoever has one of its addresses has all of them. */
function keyOf(network: Network): string {
  return network.family === 6 && network.bits > 64 ? mask(network, 64).text : network.text;
}
