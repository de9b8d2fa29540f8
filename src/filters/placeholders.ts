// What may stand in a pattern as <name>, and how far each extends. Placeholders are plain runs of bytes, never a grammar,
// so that every pattern stays linear; what an address run holds is parsed after the match.
import { ANY, byteSet } from './bytes.ts';
import { FORWARDING_FIELDS } from './forwarded.ts';
import type { Node } from './tree.ts';

/** The field under which every pattern keeps the address. */
export const ADDRESS = 'ip';
/** The field under which a pattern keeps whose session its line is of. */
export const SESSION = 'session';
/** Longer ones are none: what is remembered of a session is small. */
export const LONGEST_SESSION = 64;

interface Placeholder {
  /** One sentence for the reference. */
  readonly extent: string;
  readonly body: Node;
}

const run = (set: Uint8Array, min: number, lazy: boolean): Node => ({
  kind: 'repeat',
  body: { kind: 'set', set },
  min,
  max: Infinity,
  lazy,
});

/** As much as possible, up to the last place where the rest of the pattern fits; any bytes, or none. */
const GREEDY: Node = run(ANY, 0, false);

/** A forwarding header; who it names is read from it after the match, from its right. */
const FORWARDED: Placeholder = {
  extent:
    'As much as possible, up to the last place where the rest of the pattern fits; any bytes, or none. What stands there is ' +
    'read from the right, up to the first address that is no trusted proxy.',
  body: GREEDY,
};

/** Everything else in lower case is a {@link FREE_TEXT}. */
export const PLACEHOLDERS: Readonly<Record<string, Placeholder>> = {
  ip: {
    extent:
      'The longest run of address characters (hex digits, dots, colons, square brackets). It must then parse as an ' +
      'IPv4 or IPv6 address, in brackets or not, with or without a port, and no letter, digit or underscore may follow ' +
      'it; else the line is no match.',
    body: run(
      byteSet([
        [48, 58],
        [65, 70],
        [97, 102],
        [46, 46],
        [91, 91],
        [93, 93],
      ]),
      1,
      false,
    ),
  },
  session: {
    extent:
      'The longest run of letters, digits, underscores, dots and dashes, at most 64 of them; else the line is no match. ' +
      'It is an id that the service makes up and that no client may choose: by it a line is joined with an earlier one.',
    body: run(
      byteSet([
        [48, 57],
        [65, 90],
        [95, 95],
        [97, 122],
        [45, 46],
      ]),
      1,
      false,
    ),
  },
  user: {
    extent:
      'As much as possible, up to the last place where the rest of the pattern fits; any bytes, or none.',
    body: GREEDY,
  },
  ...Object.fromEntries(FORWARDING_FIELDS.map((name) => [name, FORWARDED])),
};

export const FREE_TEXT: Placeholder = {
  extent:
    'As little as possible, up to the first place where the rest of the pattern fits; any bytes, or none.',
  body: run(ANY, 0, true),
};

/** fail2ban's names for the same things. */
const ALIASES: Readonly<Record<string, string>> = { HOST: ADDRESS, ADDR: ADDRESS };

/**
 * The tree for `<name>`, or for `<name>…</name>` around `body`.
 * @returns a sentence where the name is none that we know.
 */
export function expandPlaceholder(written: string, body: Node | undefined): Node | string {
  const name = ALIASES[written] ?? (written.startsWith('F-') ? written.slice(2).toLowerCase() : written);
  if (!/^[a-z][a-z0-9_]*$/.test(name))
    return `<${written}> is no placeholder; write <ip>, <user>, a name in lower case, or \\< for the character itself`;
  // Whatever surrounds an address, it stays a run of address characters.
  if ((name === ADDRESS || name === SESSION) && body)
    return `<${written}> takes no pattern of its own: write <${name}>`;
  return { kind: 'capture', name, body: body ?? (PLACEHOLDERS[name] ?? FREE_TEXT).body };
}
