// Lines that a client could bring a service to write, made to have somebody else counted. Deterministic: a table.
import type { Piece, Skeleton } from './skeletons.ts';

/** Who really sent it, and who is to be framed; of either family. Documentation addresses (RFC 5737, RFC 3849). */
export const CLIENTS = [
  { honest: '192.0.2.7', framed: '203.0.113.66' },
  { honest: '2001:db8::7', framed: '2001:db8:bad::66' },
] as const;

/** Each has a session: its id, or the pid of the process that serves it. */
const SESSIONS = { honest: '812', framed: '966' } as const;

export interface Forgery {
  /** latin1, without a line end. */
  readonly line: string;
  /** The address that it may yield. */
  readonly honest: string;
  /** It holds what a class of the pattern leaves out. */
  readonly isBeyond?: true;
}

/** What stands around a skeleton's text to make it a line of a session: the stamp, the host, the program with its pid. */
export type Frame = (message: string, session: string) => string;

/** The line that an honest client leaves. */
export function honestLine(skeleton: Skeleton, frame: Frame, address: string): string {
  return frame(fill(skeleton, address), sessionOf(address));
}

function sessionOf(address: string): string {
  return CLIENTS.some(({ framed }) => framed === address) ? SESSIONS.framed : SESSIONS.honest;
}

/**
 * Every place that a client may fill, filled with everything that might bend the filter: other addresses in the words of
 * the skeleton itself, whole records of it and of `others`, ends of fields, marks, control characters, bytes that are no
 * text, nothing, and far too much.
 * @param others further skeletons of the same filter, whose messages are tried as text inside this one; undefined for a
 *   quick trial of one more way to write what was tried in full: only the forgeries that speak the skeleton's own words.
 */
export function* forge(
  skeleton: Skeleton,
  others: readonly Skeleton[] | undefined,
  frame: Frame,
): Generator<Forgery> {
  const places = skeleton.flatMap((piece, index) => (piece.kind === 'free' ? [index] : []));
  for (const { honest, framed } of CLIENTS) {
    const inFull = others !== undefined && honest === CLIENTS[0].honest;
    const everywhere = new Map<number, string>();
    for (const place of places) {
      const texts = [
        ownWords(skeleton, place, frame, framed, inFull ? GAPS : FEW_GAPS),
        inFull ? strangeTexts(skeleton, framed) : [],
        inFull && places.length <= FEW_PLACES ? markedWords(skeleton, framed) : [],
        ...(inFull ? others.map((other) => wordsOf(other, framed)) : []),
      ];
      for (const text of texts.flatMap((some) => [...some])) {
        const line = withText(skeleton, new Map([[place, text]]), honest);
        if (line === undefined) continue;
        yield { line: frame(line, SESSIONS.honest), honest };
        // The same in all places up to this one: one field begins what another one ends.
        const all = withText(skeleton, everywhere.set(place, text), honest);
        if (all !== undefined && everywhere.size > 1) yield { line: frame(all, SESSIONS.honest), honest };
      }
    }
    if (honest === CLIENTS[0].honest) yield* beyondClasses(skeleton, others ?? [], frame, framed, honest);
  }
}

/**
 * Blanks, and whatever else a class leaves out, in the fields that it holds together. A pattern says that such a field ends
 * at its first blank; where a service writes more than that, it ends where a client likes.
 */
function* beyondClasses(
  skeleton: Skeleton,
  others: readonly Skeleton[],
  frame: Frame,
  framed: string,
  honest: string,
): Generator<Forgery> {
  for (const [place, piece] of skeleton.entries()) {
    if (piece.kind !== 'free' || !piece.beyond) continue;
    const before = fill(skeleton.slice(0, place), honest);
    const behind = fill(skeleton.slice(place + 1), honest);
    for (const text of [
      ownWords(skeleton, place, frame, framed, LEAST_GAPS),
      ...others.map((other) => wordsOf(other, framed)),
    ])
      for (const words of text)
        if (piece.write(words) === undefined)
          yield {
            line: frame(before + piece.beyond(words) + behind, SESSIONS.honest),
            honest,
            isBeyond: true,
          };
  }
}

/** The framed address in the words of the skeleton itself. */
function* ownWords(
  skeleton: Skeleton,
  place: number,
  frame: Frame,
  framed: string,
  gaps: readonly string[],
): Generator<string> {
  yield* namesIn(skeleton, framed);
  const before = fill(skeleton.slice(0, place), framed);
  const behind = fill(skeleton.slice(place + 1), framed);
  const own = fill(skeleton, framed);
  for (const gap of gaps) {
    // The address in the pattern's own words, alone and with all that follows it; so too the id of a session.
    for (const { lead, told, rest } of aroundNames(skeleton, framed)) {
      yield `x${gap}${lead}${told}`;
      yield `x${gap}${lead}${told}${rest}`;
      yield `${lead}${told}${rest}${gap}x`;
    }
    // This field ended as it ends, the record after it, and the field begun anew.
    yield `x${behind}${gap}`;
    yield `x${behind}${gap}${before}y`;
    yield `${gap}${before}y${behind}`;
    // A whole second record, with its stamp or without.
    yield `x${gap}${own}`;
    yield `x${gap}${frame(own, SESSIONS.framed)}${gap}`;
    yield `${own}${gap}x`;
  }
}

/** The words of another pattern, and this field ended as that pattern would end it, so that it takes the line. */
function* wordsOf(other: Skeleton, framed: string): Generator<string> {
  const record = fill(other, framed);
  yield `x ${record}`;
  yield `${record} x`;
  for (const { lead, told, rest } of aroundNames(other, framed)) yield `x${lead}${told}${rest}`;
  for (const [index, piece] of other.entries())
    if (piece.kind === 'free') yield `x${fill(other.slice(index + 1), framed)}`;
}

function* strangeTexts(skeleton: Skeleton, framed: string): Generator<string> {
  yield* MARKS;
  for (const name of namesIn(skeleton, framed)) for (const mark of MARKS) yield `x${mark}${name}${mark}`;
  for (const words of WORDS) yield `x${words}${framed} port 1`;
  for (const length of LENGTHS) {
    yield 'x'.repeat(length);
    for (const { lead, told, rest } of aroundNames(skeleton, framed)) {
      yield `${'x'.repeat(length)}${lead}${told}${rest}`;
      yield `x${lead}${told}${rest}${' '.repeat(length)}`;
    }
  }
}

/** The skeleton's own words and record, behind each mark and before it. */
function* markedWords(skeleton: Skeleton, framed: string): Generator<string> {
  const own = fill(skeleton, framed);
  const words = aroundNames(skeleton, framed).map(({ lead, told, rest }) => `${lead}${told}${rest}`);
  for (const mark of MARKS)
    for (const text of [...words, own]) {
      yield `x${mark}${text}`;
      yield `x ${mark} ${text}`;
      yield `${text}${mark}x`;
      yield `x${mark}${text}${mark}`;
    }
}

/** Where a client can write in so few places only, more is tried in each. */
const FEW_PLACES = 8;

/** What a service usually writes before an address. */
const WORDS = [
  ' from ',
  ' by ',
  ' user x ',
  ': ',
  ', client: ',
  ' rhost=',
  ' ip=',
  ' host ',
  '=',
  ' [',
  ' ("',
  " '",
];
/** Between what a client means and what he forges. */
const GAPS = [
  '',
  ' ',
  '"',
  '" ',
  '\\"',
  "' ",
  '] ',
  ') ',
  ': ',
  ', ',
  '\t',
  '\r',
  '\0',
  '\x1b[2K',
  '\xa0',
  '\xc2\xa0',
  '\xe2\x80\xa8',
];
const FEW_GAPS = ['', ' ', '"'];
const LEAST_GAPS = ['', ' '];
const MARKS = [
  '',
  ' ',
  '   ',
  '-',
  '"',
  '""',
  "'",
  '\\',
  '\\"',
  '\\x22',
  '[',
  ']',
  '] "',
  '(',
  ')',
  '<ip>',
  '{}',
  ':',
  ',',
  ';',
  '=',
  '%s',
  '$1',
  '\t',
  '\v',
  '\f',
  '\r',
  '\0',
  '\x1b[31m',
  '\x7f',
  '\x85',
  '\xa0',
  '\xe0',
  '\xff\xfe',
  '\xc3\xa0',
  '\xe2\x80\xae',
  '\xf0\x9f\x92\xa9',
  ' [preauth]',
  'invalid user ',
  '05/Jan/2027:10:11:12 +0000',
  '[05/Jan/2027:10:11:12 +0000] "GET / HTTP/1.1" 401 1 "-" "-"',
  '2027-01-05T10:11:12Z ',
  'kernel: [  970.699396] ',
  'Jan  6 10:11:12 web sshd[1]: ',
];
/** Beyond what services cut names at, what nginx cuts records at, and what a pattern sees of a line. */
const LENGTHS = [101, 2_100, 8_300];

interface AroundName {
  /** The words right before it, back to the place that a client may fill. */
  readonly lead: string;
  readonly told: string;
  /** All behind it. */
  readonly rest: string;
}

/** What says whom a line is about: the address, and the id of a session. One of a line that has neither, for its other words. */
function aroundNames(skeleton: Skeleton, framed: string): AroundName[] {
  const names = skeleton.flatMap((piece, index): AroundName[] => {
    if (piece.kind !== 'address' && piece.kind !== 'session') return [];
    const before = skeleton[index - 1];
    return [
      {
        lead: before?.kind === 'text' ? before.text : '',
        told: fill([piece], framed),
        rest: fill(skeleton.slice(index + 1), framed),
      },
    ];
  });
  return names.length > 0 ? names : [{ lead: '', told: framed, rest: '' }];
}

/** The address, and the id of his session where the skeleton has one. */
function namesIn(skeleton: Skeleton, framed: string): string[] {
  return skeleton.some(({ kind }) => kind === 'session') ? [framed, sessionOf(framed)] : [framed];
}

function fill(pieces: readonly Piece[], address: string): string {
  return pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      if (piece.kind === 'address') return address;
      return piece.kind === 'session' ? sessionOf(address) : piece.benign;
    })
    .join('');
}

/** @returns undefined where the service couldn't write one of the texts in its place. */
function withText(
  skeleton: Skeleton,
  texts: ReadonlyMap<number, string>,
  address: string,
): string | undefined {
  let line = '';
  for (const [index, piece] of skeleton.entries()) {
    const text = texts.get(index);
    if (piece.kind !== 'free' || text === undefined) line += fill([piece], address);
    else {
      const written = piece.write(text);
      if (written === undefined) return undefined;
      line += written;
    }
  }
  return line;
}
