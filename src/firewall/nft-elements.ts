// The elements of sets, cut out of what `nft -j list` prints while it comes, and kept as numbers: 100 000 of them are 8 MB of
// text, and 40 as objects. What remains of the listing is small JSON.
import { networkOf, parseAddress, widthOf } from '../address.ts';
import type { Block, Instant } from '../model.ts';
import { KERNEL_SLACK } from './nft-script.ts';
import type { SetSpec } from './sets.ts';

const BEGINNING = /"elem":\s*\[/;
/** So much of a text may be the first part of a beginning. */
const LONGEST_BEGINNING = 64;
const SEPARATORS = /^[\s,]+/;
const END = /[\s,]*\]/y;
/**
 * `"192.0.2.7"`, or `{"elem": {"val": "192.0.2.7", "timeout": 630, "expires": 629}}`, or that with `"limit": {…}`; the third
 * group is the rest of it.
 */
const ELEMENT =
  /[\s,]*(?:"([0-9a-f:.]+)"|\{"elem":\s*\{"val":\s*"([0-9a-f:.]+)"((?:[^"{}]|"(?:[^"\\]|\\.)*"|\{[^{}]*\})*)\}\})/y;
/** Whatever is longer and has no end yet is none of ours. */
const LONGEST_ELEMENT = 1_000;
const EXPIRES = /"expires":\s*(\d+)/;
const NEVER = -1;
/** Elements for which there is room at first. */
const ROOM = 64;

/** The elements of one set. */
export interface Elements {
  /** In the order of the listing. @param now when it was made. */
  blocks(set: SetSpec, now: Instant): Generator<Block>;
}

export interface ElementCutter {
  /** The next piece of the listing. */
  take(text: string): void;
  /** The listing is over. @returns the JSON without elements, and those of each set that has any, in order. */
  end(): { readonly skeleton: string; readonly elements: readonly Elements[] };
}

interface Growing extends Elements {
  /** @param expires seconds, rounded down; undefined for one that stays. */
  add(address: string, expires: number | undefined): void;
}

export function createElementCutter(): ElementCutter {
  const skeleton: string[] = [];
  const elements: Growing[] = [];
  let open: Growing | undefined;
  /** What is still to be read. */
  let rest = '';

  /** @returns whether elements begin. */
  function enter(isOver: boolean): boolean {
    const found = BEGINNING.exec(rest);
    const kept = isOver ? 0 : LONGEST_BEGINNING;
    const end = found ? found.index + found[0].length : Math.max(0, rest.length - kept);
    skeleton.push(rest.slice(0, end));
    rest = rest.slice(end);
    if (found) elements.push((open = createElements()));
    return found !== null;
  }

  /** @returns whether they have ended. */
  function read(into: Growing, isOver: boolean): boolean {
    let at = 0;
    for (;;) {
      ELEMENT.lastIndex = at;
      const element = ELEMENT.exec(rest);
      if (!element) break;
      at = ELEMENT.lastIndex;
      const [, alone, address, more] = element;
      const expires = more === undefined ? undefined : EXPIRES.exec(more)?.[1];
      into.add(alone ?? address!, expires === undefined ? undefined : Number(expires));
    }
    rest = rest.slice(at);
    END.lastIndex = 0;
    if (!isOver && !END.test(rest) && rest.length <= LONGEST_ELEMENT) return false;
    open = undefined;
    // What is left of the list, should it be none of ours, is JSON without what stood before it.
    rest = rest.replace(SEPARATORS, '');
    return true;
  }

  function goOn(isOver: boolean): void {
    while (open ? read(open, isOver) : enter(isOver));
  }

  return {
    take(text) {
      rest += text;
      goOn(false);
    },
    end() {
      goOn(true);
      return { skeleton: skeleton.join(''), elements };
    },
  };
}

/** A set is of one family: of another than its first element's there is none. */
function createElements(): Growing {
  let family: 4 | 6 | undefined;
  let width = 0;
  let size = 0;
  let bytes = Buffer.alloc(0);
  let expiries = new Float64Array(0);

  function makeRoom(): void {
    const room = Math.max(ROOM, 2 * size);
    bytes = Buffer.concat([bytes], room * width);
    const grown = new Float64Array(room);
    grown.set(expiries);
    expiries = grown;
  }

  return {
    add(text, expires) {
      const address = parseAddress(text);
      // An IPv4 address that is written as an IPv6 one stands among those, and is nobody that we block.
      if (!address || (address.family === 4 && text.includes(':'))) return;
      family ??= address.family;
      if (address.family !== family) return;
      width = widthOf(family) / 8;
      if (size === expiries.length) makeRoom();
      bytes.write(address.bytes, size * width, width, 'latin1');
      expiries[size++] = expires ?? NEVER;
    },
    *blocks({ scope, family: wanted, bits }, now) {
      if (family === undefined || wanted !== family) return;
      for (let row = 0; row < size; row++) {
        const expires = expiries[row]!;
        const network = networkOf(family, bytes.toString('latin1', row * width, (row + 1) * width), bits);
        const until = expires === NEVER ? undefined : now + expires * 1_000 - KERNEL_SLACK;
        yield { scope, network, until };
      }
    },
  };
}
