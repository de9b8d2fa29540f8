// What a daemon that ends in order leaves for its next start: a picture of the open bans as they stood in memory, in a file beside
// the ledger, which has its sum. The rows remain what counts: the ledger itself takes the sum out as soon as one of them is changed,
// by whatever program (migrations/011).
//
// The file is JSON, in which each array of numbers is its kind and length, and behind it their bytes, in that order.
import { closeSync, openSync, readSync, readvSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { createOpenBans } from '../open-bans.ts';
import type { BansImage, OpenBans } from '../open-bans.ts';

/** Of what the picture looks like, and of how a network finds its chain in it (src/network-rows.ts): another one's is let lie. */
export const PICTURE_VERSION = 1;
/** Fewer are read from their rows in no time. */
export const LEAST_LEFT = 1_000;
/** So many arrays are filled by one call of the system. */
const TOGETHER = 256;

const KINDS = { Float64Array, Int32Array, Uint8Array };
type Kind = keyof typeof KINDS;
type Numbers = InstanceType<(typeof KINDS)[Kind]>;
/** How an array stands in the JSON. */
type Written = readonly ['numbers', Kind, number];

/** What the ledger knows of the file. */
interface Mark {
  /** Bytes of the JSON. */
  readonly text: number;
  /** Of all bytes. */
  readonly sum: number;
}

export interface LeftBans {
  /** @param bans all that are open, as the ledger has them. @returns whether there are enough for it to be worth it. */
  leave(bans: OpenBans): boolean;
  /** @returns undefined where nothing is left, or nothing that can be relied on: then the rows have to be read. */
  take(): OpenBans | undefined;
}

export function createLeftBans(db: Database): LeftBans {
  const file = `${db.name}-bans`;
  const leave = db.prepare(
    'INSERT OR REPLACE INTO left_bans (id, version, text, sum) VALUES (1, ?, @text, @sum)',
  );
  const left = db.prepare<[number], Mark>('SELECT text, sum FROM left_bans WHERE version = ?');
  const last = db.prepare<[], number>('SELECT coalesce(max(id), 0) FROM bans').pluck();
  return {
    leave(bans) {
      if (bans.size < LEAST_LEFT) {
        rmSync(file, { force: true });
        return false;
      }
      try {
        // A crash before it is marked leaves a picture without a mark, or with that of another.
        leave.run(PICTURE_VERSION, write(file, bans.image()));
      } catch (error) {
        rmSync(file, { force: true });
        throw error;
      }
      return true;
    },
    take() {
      const mark = left.get(PICTURE_VERSION);
      const highest = last.get()!;
      try {
        const image = mark && read(file, mark);
        // Numbers are counted on from the ledger's: none of a ban that isn't there any more may be given out twice.
        return image && image.byId.highest <= highest ? createOpenBans(0, image) : undefined;
      } catch {
        // Whatever is wrong with it: the rows say the same.
        return undefined;
      }
    },
  };
}

function write(file: string, image: BansImage): Mark {
  const arrays: Uint8Array[] = [];
  const text = JSON.stringify(image, (_, value: unknown) => {
    const kind = kindOf(value);
    if (!kind) return value;
    const { buffer, byteOffset, byteLength, length } = value as Numbers;
    arrays.push(new Uint8Array(buffer, byteOffset, byteLength));
    return ['numbers', kind, length] satisfies Written;
  });
  const head = Buffer.from(text);
  const parts = [head, ...arrays];
  const to = openSync(file, 'w', 0o600);
  try {
    for (const part of parts) for (let at = 0; at < part.length;) at += writeSync(to, part, at);
  } finally {
    closeSync(to);
  }
  return { text: head.length, sum: sumOf(parts) };
}

/** @returns undefined where it is another one. @throws what keeps it from being read. */
function read(file: string, { text, sum }: Mark): BansImage | undefined {
  const from = openSync(file, 'r');
  try {
    const head = Buffer.alloc(text);
    readSync(from, head);
    const arrays: Uint8Array[] = [];
    const image = JSON.parse(head.toString(), (_, value: unknown) => {
      if (!isWritten(value)) return value;
      const numbers = new KINDS[value[1]](value[2]);
      arrays.push(new Uint8Array(numbers.buffer));
      return numbers;
    }) as BansImage;
    for (let first = 0, position = text; first < arrays.length; first += TOGETHER)
      position += readvSync(from, arrays.slice(first, first + TOGETHER), position);
    return sumOf([head, ...arrays]) === sum ? image : undefined;
  } finally {
    closeSync(from);
  }
}

const sumOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => crc32(part, sum), 0);

function kindOf(value: unknown): Kind | undefined {
  return (Object.keys(KINDS) as Kind[]).find((kind) => value instanceof KINDS[kind]);
}

function isWritten(value: unknown): value is Written {
  return Array.isArray(value) && value[0] === 'numbers' && value[1] in KINDS;
}
