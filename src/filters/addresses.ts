// The run of characters that a pattern or a layout took for an address → the address.
import { parseAddress } from '../address.ts';
import type { Network } from '../model.ts';
import { remembering } from './remembered.ts';

/** `[address]` with or without a port. */
const BRACKETED = /^\[([^[\]]+)\](?::\d{1,5})?$/;
/** `192.0.2.7:443`, also behind `::ffff:`. An IPv6 address without brackets has no port that could be told from it. */
const WITH_PORT = /^(.*\.\d{1,3}):\d{1,5}$/;
/** What a sentence goes on with behind an address. */
const WITH_MARK = /^(.*[^.:])[.:]$/;

/** A busy server hears from so many in an hour; they are there already where they are counted. */
const MOST_ADDRESSES = 65_536;

/** Reads a text that is an address as a whole. */
export type ReadAddress = (written: string) => Network | undefined;
/** Reads the part [from, to) of a text. */
export type ReadAddressAt = (text: string, from: number, to: number) => Network | undefined;

/**
 * Reads addresses as logs write them: bare, in brackets, with a port, with a full stop or colon behind.
 * It remembers what it read. Nothing that it returns holds on to the text it was given.
 */
export function createAddressReader(): ReadAddress {
  const at = createAddressReaderAt();
  return (written) => at(written, 0, written.length);
}

/** The same, in place: what it has read before costs no slice. */
export function createAddressReaderAt(): ReadAddressAt {
  return remembering(readAddress, (address) => address?.text, MOST_ADDRESSES);
}

function readAddress(written: string): Network | undefined {
  return (
    parseAddress(written) ?? read(BRACKETED, written) ?? read(WITH_PORT, written) ?? read(WITH_MARK, written)
  );
}

function read(form: RegExp, written: string): Network | undefined {
  const inner = form.exec(written)?.[1];
  return inner === undefined ? undefined : (parseAddress(inner) ?? read(BRACKETED, inner));
}

/** Bytes that were read as latin1, decoded as UTF-8, in a string that doesn't hold on to them. */
export function decoded(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
