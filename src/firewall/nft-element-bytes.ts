// Elements of a set as the kernel reads them in a netlink message, which is also how they are kept: of many thousands that are
// to be told nothing else is there. Pure.
// Source of the layout and the numbers: linux/netfilter/nf_tables.h, netlink(7).
import { networkOf } from '../address.ts';
import type { Network } from '../model.ts';

/** In a list of elements, of an element, of its key. */
const [ONE, KEY, TIMEOUT, VALUE] = [1, 1, 4, 1];
/** The value is attributes itself. */
export const NESTED = 0x8000;
/** Size and type, which stand in front of each attribute's value. */
export const ATTRIBUTE = 4;
const BEFORE_ADDRESS = 3 * ATTRIBUTE;
const TIMEOUT_SIZE = ATTRIBUTE + 8;
const LARGEST = BEFORE_ADDRESS + 16 + TIMEOUT_SIZE;

export interface ElementWriter {
  /** @param timeout seconds that it stays; undefined: until it is deleted. */
  add(network: Pick<Network, 'bytes'>, timeout?: number): void;
  readonly count: number;
  /** All that were added. */
  readonly bytes: Buffer;
}

/** @param room bytes that it will take, where that is known: else it grows from room for one, as it mostly is. */
export function createElementWriter(room = 0): ElementWriter {
  let buffer = Buffer.allocUnsafe(room + LARGEST);
  let end = 0;
  let count = 0;

  return {
    add({ bytes: address }, timeout) {
      if (end + LARGEST > buffer.length) buffer = Buffer.concat([buffer], 2 * buffer.length);
      const width = address.length;
      const size = BEFORE_ADDRESS + width + (timeout === undefined ? 0 : TIMEOUT_SIZE);
      end = writeAttribute(buffer, end, size, NESTED | ONE);
      end = writeAttribute(buffer, end, 2 * ATTRIBUTE + width, NESTED | KEY);
      end = writeAttribute(buffer, end, ATTRIBUTE + width, VALUE);
      for (let at = 0; at < width; at++) buffer[end++] = address.charCodeAt(at);
      count++;
      if (timeout === undefined) return;
      const milliseconds = timeout * 1_000;
      end = writeAttribute(buffer, end, TIMEOUT_SIZE, TIMEOUT);
      end = writeWord(buffer, end, Math.floor(milliseconds / 2 ** 32));
      end = writeWord(buffer, end, milliseconds % 2 ** 32);
    },
    get count() {
      return count;
    },
    get bytes() {
      return buffer.subarray(0, end);
    },
  };
}

/** What {@link ElementWriter} wrote. */
export function* elementsIn(
  bytes: Buffer,
): Generator<{ readonly address: string; readonly timeout: number | undefined }> {
  for (let at = 0, size; at < bytes.length; at += size) {
    size = bytes.readUInt16LE(at);
    const width = bytes.readUInt16LE(at + 2 * ATTRIBUTE) - ATTRIBUTE;
    const start = at + BEFORE_ADDRESS;
    const address = bytes.toString('latin1', start, start + width);
    const isTimed = size > BEFORE_ADDRESS + width;
    const milliseconds = isTimed ? Number(bytes.readBigUInt64BE(start + width + ATTRIBUTE)) : 0;
    yield {
      address: networkOf(width === 4 ? 4 : 6, address, 8 * width).text,
      timeout: isTimed ? milliseconds / 1_000 : undefined,
    };
  }
}

/**
 * In the order of the processor's bytes, as all of netlink; those that Node comes for here have the low one first.
 * @param size with its own four bytes. @returns where its value begins.
 */
export function writeAttribute(to: Buffer, at: number, size: number, type: number): number {
  to[at] = size;
  to[at + 1] = size >> 8;
  to[at + 2] = type;
  to[at + 3] = type >> 8;
  return at + ATTRIBUTE;
}

/** Four bytes, the high one first: what Node has for it looks at everything that could be wrong. @returns where it ends. */
function writeWord(to: Buffer, at: number, word: number): number {
  for (let shift = 24, place = at; shift >= 0; shift -= 8) to[place++] = word >>> shift;
  return at + 4;
}
