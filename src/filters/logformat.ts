// A log format → how to take its lines apart, or why a client could shift one field into another.
import { readFormat } from './dialects.ts';
import type { Escaping, Piece, Variable } from './dialects.ts';
import { NUMERIC_VARIABLES } from './variables.ts';

/** The stretch of a line between two characters that the server writes in no value, so that no client can move its ends. */
export interface Section {
  /** Read from its start: literals and fields whose extent is known. */
  readonly left: readonly Step[];
  /** What is left between both: fields that a client may fill with anything. undefined: there must be nothing. */
  readonly free: readonly number[] | undefined;
  /** Read from its end, backwards. */
  readonly right: readonly Step[];
  /** The code of the character that ends it; -1: the end of the line. */
  readonly guard: number;
  /** May what is free be Apache's `""`, a user's empty name outside of quotes? */
  readonly mayBePair: boolean;
}

export type Step =
  | { readonly kind: 'text'; readonly text: Uint8Array }
  | { readonly kind: 'fixed'; readonly slot: number; readonly length: number }
  /** A run of these characters; `until` where the text behind it begins with one of them: then up to its last place. */
  | {
      readonly kind: 'run';
      readonly slot: number;
      readonly characters: Uint8Array;
      readonly until: Uint8Array;
    };

export interface LogFormat {
  readonly written: string;
  readonly pieces: readonly Piece[];
  /** The variables, without their `$`, in the order of the line. A slot is an index in this list. */
  readonly variables: readonly string[];
  readonly sections: readonly Section[];
  /** By slot: in which section it stands. */
  readonly sectionOf: readonly number[];
  /** By slot: the text right before and right behind it. */
  readonly around: readonly (readonly [string, string])[];
  /** Slots that can't be told from their neighbours. */
  readonly blurred: ReadonlySet<number>;
  /** Does the format hold no backslash of its own? Then one before a quote is an escape (Apache's). */
  readonly hasEscapes: boolean;
  readonly escaping: Escaping;
}

export type ParsedFormat =
  | { readonly ok: true; readonly format: LogFormat }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

type Token = { readonly text: string } | { readonly slot: number; readonly variable: Variable };

/** Variables that hold the address of the client. */
export const ADDRESS_VARIABLE = 'remote_addr';
/** Variables that hold the stamp, the most exact first. */
export const TIME_VARIABLES = ['msec', 'time_iso8601', 'time_local', 'accept_date'];

/**
 * Parses a format's name, the text of nginx's log_format directive, or Apache's LogFormat.
 * @returns why not, where the format names no client or a client could shift the address or the stamp.
 */
export function parseLogFormat(written: string): ParsedFormat {
  const read = readFormat(written);
  if (!read.ok) return read;
  const { pieces, escaping } = read;
  const own = pieces.filter((piece) => typeof piece !== 'string');
  const variables = own.map(({ name }) => name);
  const twice = own.find(({ name }, index) => variables.indexOf(name) !== index);
  if (twice !== undefined) return refuse(`${twice.written} stands in it twice`);
  const tokens = pieces.map((piece): Token =>
    typeof piece === 'string' ? { text: piece } : { slot: variables.indexOf(piece.name), variable: piece },
  );
  const stretches = splitAtGuards(tokens);
  const blurred = new Set<number>();
  const sections = stretches.map((stretch) => compileSection(stretch.tokens, stretch.guard, blurred));
  const sectionOf: number[] = [];
  const around: [string, string][] = [];
  stretches.forEach((stretch, index) => {
    const before = index === 0 ? '' : stretches[index - 1]!.guard;
    stretch.tokens.forEach((token, place) => {
      if (!('slot' in token)) return;
      sectionOf[token.slot] = index;
      around[token.slot] = [
        textBefore(stretch.tokens, place, before),
        textBehind(stretch.tokens, place, stretch.guard),
      ];
    });
  });
  const format: LogFormat = {
    written,
    pieces,
    variables,
    sections,
    sectionOf,
    around,
    blurred,
    hasEscapes:
      escaping === 'backslash' && !pieces.some((each) => typeof each === 'string' && each.includes('\\')),
    escaping,
  };
  const slots = [ADDRESS_VARIABLE, ...TIME_VARIABLES].map((name) => variables.indexOf(name));
  const needed = [
    slots[0]!,
    ...slots
      .slice(1)
      .filter((slot) => slot >= 0)
      .slice(0, 1),
  ];
  const fault = needed.map((slot) => faultOf(format, slot)).find((each) => each !== undefined);
  return fault ? { ok: false, ...fault } : { ok: true, format };
}

/** Why a field can't be read from this format, and what to write instead; undefined where it can be read. */
export function faultOf(
  format: LogFormat,
  slot: number,
): { readonly message: string; readonly hint: string } | undefined {
  if (slot < 0)
    return {
      message: `the log format has no $${ADDRESS_VARIABLE}, so that no line names a client`,
      hint: `put $${ADDRESS_VARIABLE} into it (Apache: %h)`,
    };
  if (!format.blurred.has(slot)) return undefined;
  const variableOf = (each: number): Variable => variablesOf(format)[each]!;
  const together = [...format.blurred]
    .filter((other) => format.sectionOf[other] === format.sectionOf[slot])
    .map(variableOf);
  const chosen = together.filter(({ extent }) => extent.kind === 'free' || extent.kind === 'path');
  const own = variableOf(slot);
  if (chosen.length === 0)
    return {
      message: `in the log format nothing stands between ${listed(together)} that ends a value`,
      hint: 'put a blank between them',
    };
  // $remote_user stands unquoted by custom, and may where nothing else that a client chooses stands beside it.
  const loose = chosen.length > 1 ? chosen.filter(({ name }) => name !== 'remote_user') : chosen;
  const quotes = new Set(loose.map((each) => quoted(format, each, own)));
  return {
    message: `in the log format it can't be told where ${own.written} begins or ends: a client chooses ${listed(chosen)} and may write there what stands around ${own.written}`,
    hint: `put quotes around what clients choose: ${[...quotes].join(' ')}`,
  };
}

function variablesOf({ pieces }: LogFormat): Variable[] {
  return pieces.filter((piece) => typeof piece !== 'string');
}

function listed(variables: readonly Variable[]): string {
  return variables.map(({ written }) => written).join(' and ');
}

/** `"$scheme://$host$request_uri"`: what stands around a variable without a blank, in quotes; without the field `apart`. */
function quoted({ pieces }: LogFormat, variable: Variable, apart: Variable): string {
  const parts = pieces.flatMap((piece): Piece[] =>
    typeof piece === 'string' ? piece.split(/([\s"]+)/) : [piece],
  );
  let word: Piece[] = [];
  for (const part of parts) {
    if (typeof part !== 'string' || !/[\s"]/.test(part)) word.push(part);
    else if (word.includes(variable)) break;
    else word = [];
  }
  const text = word.map((piece) => (typeof piece === 'string' ? piece : piece.written)).join('');
  return word.includes(apart) ? `"${variable.written}"` : `"${text}"`;
}

function refuse(message: string): ParsedFormat {
  return { ok: false, message };
}

/** Quotes, control characters and bytes over 126: servers write them in no value, but as `\x22`. */
const GUARD = /["\0-\x1f\x7f-\xff]/;

function splitAtGuards(tokens: readonly Token[]): { tokens: Token[]; guard: string }[] {
  const stretches: { tokens: Token[]; guard: string }[] = [];
  let current: Token[] = [];
  for (const token of tokens) {
    if ('slot' in token) {
      current.push(token);
      continue;
    }
    let rest = token.text;
    for (let at = rest.search(GUARD); at >= 0; at = rest.search(GUARD)) {
      if (at > 0) current.push({ text: rest.slice(0, at) });
      stretches.push({ tokens: current, guard: rest[at]! });
      current = [];
      rest = rest.slice(at + 1);
    }
    if (rest !== '') current.push({ text: rest });
  }
  if (current.length > 0) stretches.push({ tokens: current, guard: '' });
  return stretches;
}

function compileSection(tokens: readonly Token[], guard: string, blurred: Set<number>): Section {
  const left: Step[] = [];
  const right: Step[] = [];
  let from = 0;
  let to = tokens.length;
  for (; from < to; from++) {
    const step = stepFromLeft(tokens, from);
    if (!step) break;
    left.push(step);
  }
  for (; to > from; to--) {
    const step = stepFromRight(tokens, to - 1);
    if (!step) break;
    right.push(step);
  }
  const own = tokens.slice(from, to).flatMap((token) => ('slot' in token ? [token] : []));
  const free = own.map(({ slot }) => slot);
  if (free.length > 1) for (const slot of free) blurred.add(slot);
  return {
    left,
    right,
    free: from < to ? free : undefined,
    guard: guard === '' ? -1 : guard.charCodeAt(0),
    mayBePair: own.length === 1 && own[0]!.variable.name === 'remote_user' && guard === '"',
  };
}

/** @returns undefined where the extent of the token is not known from its left end. */
function stepFromLeft(tokens: readonly Token[], at: number): Step | undefined {
  const token = tokens[at]!;
  if ('text' in token) return { kind: 'text', text: latin1(token.text) };
  const { slot, variable } = token;
  const { extent } = variable;
  if (extent.kind === 'fixed') return { kind: 'fixed', slot, length: extent.length };
  if (extent.kind !== 'run') return undefined;
  const { characters } = extent;
  const run = (until: string): Step => ({ kind: 'run', slot, characters, until: latin1(until) });
  const next = tokens[at + 1];
  if (!next) return run('');
  if ('slot' in next) return isEndedBySlash(characters, next.variable) ? run('') : undefined;
  if (!characters[next.text.charCodeAt(0)]) return run('');
  return endsAtLast(tokens, at, characters) ? run(next.text) : undefined;
}

/** `$remote_addr:$remote_port `: the field's own run ends with the port, so that the last colon is the right one. */
function endsAtLast(tokens: readonly Token[], at: number, characters: Uint8Array): boolean {
  const separator = tokens[at + 1];
  const next = tokens[at + 2];
  const behind = tokens[at + 3];
  if (!separator || !('text' in separator) || !next || !('slot' in next)) return false;
  const { extent } = next.variable;
  if (extent.kind !== 'run' || extent.characters[separator.text.charCodeAt(0)]) return false;
  if (!behind) return true;
  if ('slot' in behind) return isEndedBySlash(characters, behind.variable);
  return !characters[behind.text.charCodeAt(0)];
}

/** `$host$request_uri`: the first slash is the second one's. */
function isEndedBySlash(characters: Uint8Array, { extent }: Variable): boolean {
  return extent.kind === 'path' && !characters['/'.charCodeAt(0)];
}

function stepFromRight(tokens: readonly Token[], at: number): Step | undefined {
  const token = tokens[at]!;
  if ('text' in token) return { kind: 'text', text: latin1(token.text) };
  const { slot, variable } = token;
  const { extent } = variable;
  if (extent.kind === 'fixed') return { kind: 'fixed', slot, length: extent.length };
  const before = tokens[at - 1];
  if (extent.kind !== 'run' || !before || 'slot' in before) return undefined;
  if (extent.characters[before.text.charCodeAt(before.text.length - 1)]) return undefined;
  return { kind: 'run', slot, characters: extent.characters, until: NOTHING };
}

const NOTHING = new Uint8Array(0);

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function textBefore(tokens: readonly Token[], place: number, guard: string): string {
  const before = tokens[place - 1];
  if (!before) return guard;
  return 'slot' in before ? '' : `${place === 1 ? guard : ''}${before.text}`;
}

function textBehind(tokens: readonly Token[], place: number, guard: string): string {
  const behind = tokens[place + 1];
  if (!behind) return guard;
  return 'slot' in behind ? '' : behind.text;
}

export function isNumericVariable(name: string): boolean {
  return NUMERIC_VARIABLES.has(name);
}
