// An nginx log_format string → how to take its lines apart, or why a client could shift one field into another.
import { nearest } from '../text.ts';
import { NUMERIC_VARIABLES, beginsWithSlash, charactersOf, fixedLengthOf, isFixed } from './variables.ts';

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
  if (escape?.[1] === 'json') return refuse(NO_JSON, JSON_HINT);
  if (escape?.[1] === 'none')
    return refuse(
      'with escape=none a client can write quotes and whole fields into the line',
      'use the default escaping',
    );
  if (escape && escape[1] !== 'default')
    return refuse(`escape=${escape[1]} is not one of nginx's`, 'use the default escaping');
  if (text === 'json') return refuse(NO_JSON, JSON_HINT);
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
  const slots = [ADDRESS_VARIABLE, ...TIME_VARIABLES].map((name) => variables.indexOf(name));
  const needed = [
    slots[0]!,
    ...slots
      .slice(1)
      .filter((slot) => slot >= 0)
      .slice(0, 1),
  ];
  const fault = needed.map((slot) => faultOf(format, slot)).find((each) => each !== undefined);
  return fault ? refuse(fault.message, fault.hint) : { ok: true, format };
}

/** Why a field can't be read from this format, and what to write instead; undefined where it can be read. */
export function faultOf(
  format: LogFormat,
  slot: number,
): { readonly message: string; readonly hint: string } | undefined {
  if (slot < 0)
    return {
      message: `the log format has no $${ADDRESS_VARIABLE}, so that no line names a client`,
      hint: `put $${ADDRESS_VARIABLE} into it`,
    };
  if (!format.blurred.has(slot)) return undefined;
  const together = [...format.blurred].filter((other) => format.sectionOf[other] === format.sectionOf[slot]);
  const chosen = together
    .map((other) => format.variables[other]!)
    .filter((name) => !isFixed(name) && fixedLengthOf(name) === 0);
  const name = format.variables[slot]!;
  if (chosen.length === 0)
    return {
      message: `in the log format nothing stands between ${listed(together.map((other) => format.variables[other]!))} that ends a value`,
      hint: 'put a blank between them',
    };
  // $remote_user stands unquoted by custom, and may where nothing else that a client chooses stands beside it.
  const loose = chosen.length > 1 ? chosen.filter((each) => each !== 'remote_user') : chosen;
  const quotes = new Set(loose.map((each) => quoted(format.written, each, name)));
  return {
    message: `in the log format it can't be told where $${name} begins or ends: a client chooses ${listed(chosen)} and may write there what stands around $${name}`,
    hint: `put quotes around what clients choose: ${[...quotes].join(' ')}`,
  };
}

function listed(names: readonly string[]): string {
  return names.map((name) => `$${name}`).join(' and ');
}

/** `"$scheme://$host$request_uri"`: what stands around a variable without a blank, in quotes; without the field `apart`. */
function quoted(written: string, variable: string, apart: string): string {
  const words = (NAMED[written] ?? written).split(/[\s"]+/);
  const namesIn = (word: string): string[] => [...word.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
  const word = words.find((each) => namesIn(each).includes(variable));
  return word === undefined || namesIn(word).includes(apart) ? `"$${variable}"` : `"${word}"`;
}

const NO_JSON = 'JSON lines are not in this version';
const JSON_HINT =
  'use combined, or a log_format with the default escaping and in quotes what clients choose: \'$remote_addr - $remote_user [$time_local] "$request" $status\'';

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
  if ('slot' in next)
    return isEndedBySlash(characters, variables[next.slot]!)
      ? { kind: 'run', slot: token.slot, characters, until: '' }
      : undefined;
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
  if (!behind) return true;
  if ('slot' in behind) return isEndedBySlash(characters, variables[behind.slot]!);
  return !characters[behind.text.charCodeAt(0)];
}

/** `$host$request_uri`: the first slash is the second one's. */
function isEndedBySlash(characters: Uint8Array, next: string): boolean {
  return beginsWithSlash(next) && !characters['/'.charCodeAt(0)];
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
