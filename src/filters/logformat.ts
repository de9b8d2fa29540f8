// An nginx log_format string → how to take its lines apart, or why a client could shift one field into another.
import { nearest } from '../text.ts';
import { NUMERIC_VARIABLES, charactersOf, fixedLengthOf, isFixed } from './variables.ts';

/** Formats that have a name. Apache's `common` and `combined` are the same lines. */
const NAMED: Readonly<Record<string, string>> = {
  combined:
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
  common: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent',
};

/** The stretch of a line between two characters that nginx writes in no value, so that no client can move its ends. */
export interface Section {
  /** Read from its start: literals and fields whose extent is known. */
  readonly left: readonly Step[];
  /** What is left between both: fields that a client may fill with anything. undefined: there must be nothing. */
  readonly free: readonly number[] | undefined;
  /** Read from its end, backwards. */
  readonly right: readonly Step[];
  /** The code of the character that ends it, and itself; -1: the end of the line. */
  readonly guard: number;
  readonly mark: string;
}

export type Step =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fixed'; readonly slot: number; readonly length: number }
  /** A run of these characters; `until` where the text behind it begins with one of them: then up to its last place. */
  | { readonly kind: 'run'; readonly slot: number; readonly characters: Uint8Array; readonly until: string };

export interface LogFormat {
  readonly written: string;
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
}

export type ParsedFormat =
  | { readonly ok: true; readonly format: LogFormat }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

type Token = { readonly text: string } | { readonly slot: number };

/** Variables that hold the address of the client. */
export const ADDRESS_VARIABLE = 'remote_addr';
/** Variables that hold the stamp, the most exact first. */
export const TIME_VARIABLES = ['msec', 'time_iso8601', 'time_local'];

/**
 * Parses `combined`, `common`, or the text of a log_format directive.
 * @returns why not, where the format names no client or a client could shift the address or the stamp.
 */
export function parseLogFormat(written: string): ParsedFormat {
  const text = NAMED[written] ?? written.trim();
  const escape = /^escape=(\w+)\s/.exec(text);
  if (escape && escape[1] !== 'default')
    return refuse(ESCAPES[escape[1]!] ?? 'the escape= is not one of nginx');
  if (!text.includes('$')) {
    const near = nearest(text, Object.keys(NAMED));
    const hint = near === undefined ? undefined : `did you mean "${near}"?`;
    return refuse(`${JSON.stringify(text)} is neither combined, common, nor the text of a log_format`, hint);
  }
  const { tokens, variables } = tokenise(escape ? text.slice(escape[0].length) : text);
  const twice = variables.find((name, index) => variables.indexOf(name) !== index);
  if (twice !== undefined) return refuse(`$${twice} stands in it twice`);
  const stretches = splitAtGuards(tokens);
  const blurred = new Set<number>();
  const sections = stretches.map((stretch) =>
    compileSection(stretch.tokens, stretch.guard, variables, blurred),
  );
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
    variables,
    sections,
    sectionOf,
    around,
    blurred,
    hasEscapes: !text.includes('\\'),
  };
  const message = faultOf(format, variables.indexOf(ADDRESS_VARIABLE)) ?? faultOfTime(format);
  return message === undefined
    ? { ok: true, format }
    : refuse(message, 'quote what clients choose: "$http_referer"');
}

/** Why a field can't be read from this format; undefined where it can. */
export function faultOf(format: LogFormat, slot: number): string | undefined {
  if (slot < 0) return `the log format has no $${ADDRESS_VARIABLE}, so that no line names a client`;
  if (!format.blurred.has(slot)) return undefined;
  const others = [...format.blurred]
    .filter((other) => other !== slot && format.sectionOf[other] === format.sectionOf[slot])
    .map((other) => `$${format.variables[other]}`);
  return `in the log format $${format.variables[slot]} can't be told from ${others.join(' and ')}: nothing stands between them that a value couldn't hold`;
}

function faultOfTime(format: LogFormat): string | undefined {
  const slots = TIME_VARIABLES.map((name) => format.variables.indexOf(name)).filter((slot) => slot >= 0);
  return slots.length > 0 ? faultOf(format, slots[0]!) : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  none: 'with escape=none a client can write quotes and whole fields into the line: use the default escaping',
  json: 'JSON lines are not in this version: use the default escaping and a format in quotes',
};

function refuse(message: string, hint?: string): ParsedFormat {
  return { ok: false, message, ...(hint === undefined ? {} : { hint }) };
}

function tokenise(text: string): { tokens: Token[]; variables: string[] } {
  const tokens: Token[] = [];
  const variables: string[] = [];
  for (const part of text.split(/(\$\{\w+\}|\$\w+)/)) {
    if (part === '') continue;
    const name = /^\$\{?(\w+)\}?$/.exec(part)?.[1];
    if (name === undefined) tokens.push({ text: Buffer.from(part, 'utf8').toString('latin1') });
    else tokens.push({ slot: variables.push(name) - 1 });
  }
  return { tokens, variables };
}

/** Quotes, control characters and bytes over 126: nginx writes them in no value, but as `\x22`. */
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

function compileSection(
  tokens: readonly Token[],
  guard: string,
  variables: readonly string[],
  blurred: Set<number>,
): Section {
  const left: Step[] = [];
  const right: Step[] = [];
  let from = 0;
  let to = tokens.length;
  for (; from < to; from++) {
    const step = stepFromLeft(tokens, from, variables);
    if (!step) break;
    left.push(step);
  }
  for (; to > from; to--) {
    const step = stepFromRight(tokens, to - 1, variables);
    if (!step) break;
    right.push(step);
  }
  const free = tokens.slice(from, to).flatMap((token) => ('slot' in token ? [token.slot] : []));
  if (free.length > 1) for (const slot of free) blurred.add(slot);
  return {
    left,
    right,
    free: from < to ? free : undefined,
    guard: guard === '' ? -1 : guard.charCodeAt(0),
    mark: guard,
  };
}

/** @returns undefined where the extent of the token is not known from its left end. */
function stepFromLeft(tokens: readonly Token[], at: number, variables: readonly string[]): Step | undefined {
  const token = tokens[at]!;
  if ('text' in token) return { kind: 'text', text: token.text };
  const name = variables[token.slot]!;
  const length = fixedLengthOf(name);
  if (length > 0) return { kind: 'fixed', slot: token.slot, length };
  if (!isFixed(name)) return undefined;
  const characters = charactersOf(name);
  const next = tokens[at + 1];
  if (!next) return { kind: 'run', slot: token.slot, characters, until: '' };
  if ('slot' in next) return undefined;
  if (!characters[next.text.charCodeAt(0)]) return { kind: 'run', slot: token.slot, characters, until: '' };
  return endsAtLast(tokens, at, characters, variables)
    ? { kind: 'run', slot: token.slot, characters, until: next.text }
    : undefined;
}

/** `$remote_addr:$remote_port `: the field's own run ends with the port, so that the last colon is the right one. */
function endsAtLast(
  tokens: readonly Token[],
  at: number,
  characters: Uint8Array,
  variables: readonly string[],
): boolean {
  const separator = tokens[at + 1];
  const next = tokens[at + 2];
  const behind = tokens[at + 3];
  if (!separator || !('text' in separator) || !next || !('slot' in next)) return false;
  const name = variables[next.slot]!;
  if (!isFixed(name) || fixedLengthOf(name) > 0) return false;
  if (charactersOf(name)[separator.text.charCodeAt(0)]) return false;
  return !behind || ('text' in behind && !characters[behind.text.charCodeAt(0)]);
}

function stepFromRight(tokens: readonly Token[], at: number, variables: readonly string[]): Step | undefined {
  const token = tokens[at]!;
  if ('text' in token) return { kind: 'text', text: token.text };
  const name = variables[token.slot]!;
  const length = fixedLengthOf(name);
  if (length > 0) return { kind: 'fixed', slot: token.slot, length };
  const before = tokens[at - 1];
  if (!isFixed(name) || !before || 'slot' in before) return undefined;
  const characters = charactersOf(name);
  if (characters[before.text.charCodeAt(before.text.length - 1)]) return undefined;
  return { kind: 'run', slot: token.slot, characters, until: '' };
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
