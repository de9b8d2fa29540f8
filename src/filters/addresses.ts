// The run of characters that a pattern or a layout took for an address → the address.
import { ipv4In } from '../address-text.ts';
import { ipv4, parseAddress } from '../address.ts';
import type { Network } from '../model.ts';
import { remembering } from './remembered.ts';

/** `[address]` with or without a port. */
const BRACKETED = /^\[([^[\]]+)\](?::\d{1,5})?$/;
/** `192.0.2.7:443`, also behind `::ffff:`. An IPv6 address without brackets has no port that could be told from it. */
const WITH_PORT = /^(.*\.\d{1,3}):\d{1,5}$/;
/** What a sentence goes on with behind an address. */
const WITH_MARK = /^(.*[^.:])[.:]$/;

/** A busy server hears from so many in an hour; they are there already where they are counted. */
const MOST_ADDRESSES = 16_384;
/** A table begins small, for there are many, and grows as it fills. */
const FIRST_SLOTS = 256;
/** Only so many places from where it belongs on is an address kept and looked for: no crowd makes that slower. */
const NEAR = 8;

const UNSPECIFIED = ipv4(0);

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
  const readOther = remembering(readAddress, (address) => address?.text, MOST_ADDRESSES);
  const known = createKnownIPv4();
  return (text, from, to) => {
    const number = ipv4In(text, from, to);
    return number < 0 ? readOther(text, from, to) : known(number);
  };
}

/** IPv4 addresses by their numbers: to compare two of them no text has to be fetched from memory. */
function createKnownIPv4(): (number: number) => Network {
  /** 0: nothing is kept there. So 0.0.0.0 is kept apart. */
  let numbers = new Int32Array(FIRST_SLOTS);
  let made: (Network | undefined)[] = Array.from({ length: FIRST_SLOTS });
  let last = FIRST_SLOTS - 1;
  let kept = 0;

  function homeOf(number: number): number {
    const hash = Math.imul(number, 0x9e3779b1);
    return (hash ^ (hash >>> 15)) & last;
  }

  /** Where there is no room near where it belongs, it drives out whoever is there. */
  function keep(address: Network): void {
    const home = homeOf(address.first);
    let slot = home;
    for (let looks = NEAR; looks > 1 && numbers[slot] !== 0; looks--) slot = (slot + 1) & last;
    if (numbers[slot] === 0) kept++;
    else slot = home;
    numbers[slot] = address.first;
    made[slot] = address;
  }

  function grow(): void {
    const old = made;
    last = old.length * 2 - 1;
    numbers = new Int32Array(last + 1);
    made = Array.from({ length: last + 1 });
    kept = 0;
    for (const address of old) if (address) keep(address);
  }

  return (number) => {
    const first = number | 0;
    let slot = homeOf(first);
    for (let looks = NEAR; looks > 0 && numbers[slot] !== 0; looks--) {
      if (numbers[slot] === first) return made[slot]!;
      slot = (slot + 1) & last;
    }
    if (first === 0) return UNSPECIFIED;
    const address = ipv4(number);
    keep(address);
    if (kept * 4 > made.length * 3 && made.length < MOST_ADDRESSES) grow();
    return address;
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
