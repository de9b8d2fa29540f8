// A transaction about elements as the kernel reads it, so that it need not go through nft, which takes ten times as long to
// read it as the kernel to do it: netlink messages between two that say where it begins and ends. Pure.
// Source of the layout and the numbers: netlink(7), linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h.
import { ATTRIBUTE, NESTED, writeAttribute } from './nft-element-bytes.ts';
import { type ElementStatement, TABLE } from './nft-script.ts';

const [FAMILY, NAME] = TABLE.split(' ') as ['inet', string];
const FAMILIES = { inet: 1 };
const SUBSYSTEM = 10;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const MESSAGES = { add: 12, delete: 14 };
const REQUEST = 0x1;
const ACKNOWLEDGE = 0x4;
const CREATE = 0x400;
/** Attributes of a message about elements. */
const [OF_TABLE, OF_SET, ELEMENTS] = [1, 2, 3];
/** Of a message, with what every message of netfilter says behind it. */
const HEADER = 20;

/** @param statements about elements of {@link TABLE}, each with up to 64 KB of them: a list's length has 16 bits. */
export function batchOf(statements: readonly ElementStatement[]): Buffer {
  const about = { size: HEADER, flags: REQUEST, about: SUBSYSTEM };
  const last = statements.length - 1;
  const messages = statements.flatMap((statement, index) => {
    const start = startOf(statement, index === last ? ACKNOWLEDGE : 0);
    return [start, statement.elements];
  });
  return Buffer.concat([
    header({ ...about, type: BATCH_BEGIN }),
    ...messages,
    header({ ...about, type: BATCH_END }),
  ]);
}

/** What stands in front of the elements. */
function startOf({ what, set, elements }: ElementStatement, flags: number): Buffer {
  const names = HEADER + nameSize(NAME) + nameSize(set);
  const size = names + ATTRIBUTE + elements.length;
  const start = header(
    {
      size,
      type: (SUBSYSTEM << 8) | MESSAGES[what],
      flags: REQUEST | flags | (what === 'add' ? CREATE : 0),
      family: FAMILIES[FAMILY],
    },
    names + ATTRIBUTE,
  );
  const at = writeName(start, HEADER, OF_TABLE, NAME);
  writeAttribute(start, writeName(start, at, OF_SET, set), ATTRIBUTE + elements.length, NESTED | ELEMENTS);
  return start;
}

interface Header {
  readonly size: number;
  readonly type: number;
  readonly flags: number;
  readonly family?: number;
  /** Which part of netfilter a batch is about. */
  readonly about?: number;
}

/** @param room bytes, of which these are the first. */
function header({ size, type, flags, family = 0, about = 0 }: Header, room = HEADER): Buffer {
  const to = Buffer.alloc(room);
  to.writeUInt32LE(size, 0);
  to.writeUInt16LE(type, 4);
  to.writeUInt16LE(flags, 6);
  to.writeUInt8(family, 16);
  to.writeUInt16BE(about, 18);
  return to;
}

/** @returns where the next attribute begins. */
function writeName(to: Buffer, at: number, type: number, name: string): number {
  to.write(name, writeAttribute(to, at, ATTRIBUTE + name.length + 1, type), 'latin1');
  return at + nameSize(name);
}

/** It ends with a zero; attributes begin at multiples of four. */
const nameSize = (name: string): number => ATTRIBUTE + ((name.length + 4) & ~3);
