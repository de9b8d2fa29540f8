// The run of characters that a pattern or a layout took for an address → the address.
import { parseAddress } from '../address.ts';
import type { Network } from '../model.ts';
import { ownCopy } from '../text.ts';

/** So many distinct texts are remembered, and those before them until as many have come again. */
const MOST_REMEMBERED = 10_000;
/** `[address]` with or without a port. */
const BRACKETED = /^\[([^[\]]+)\](?::\d{1,5})?$/;
/** `192.0.2.7:443`, also behind `::ffff:`. An IPv6 address without brackets has no port that could be told from it. */
const WITH_PORT = /^(.*\.\d{1,3}):\d{1,5}$/;
/** What a sentence goes on with behind an address. */
const WITH_MARK = /^(.*[^.:])[.:]$/;

export type ReadAddress = (written: string) => Network | undefined;

/**
 * Reads addresses as logs write them: bare, in brackets, with a port, with a full stop or colon behind.
 * It remembers what it read. Nothing that it returns holds on to the text it was given.
 */
export function createAddressReader(): ReadAddress {
  let known = new Map<string, Network | undefined>();
  let older: typeof known = new Map();
  return (written) => {
    const address = known.get(written);
    if (address) return address;
    if (known.has(written)) return undefined;
    if (known.size >= MOST_REMEMBERED) {
      older = known;
      known = new Map();
    }
    const read = older.get(written) ?? readAddress(written);
    // A copy: the text may be a view of a whole chunk of a log, which it would keep in memory.
    known.set(read?.text === written ? read.text : ownCopy(written), read);
    return read;
  };
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
