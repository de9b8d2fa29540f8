// One pattern, from its text in a filter's file to something that reads messages.
import type { Fault } from '../errors.ts';
import type { Network } from '../model.ts';
import { nearest, utf8 } from '../text.ts';
import type { ReadAddressAt } from './addresses.ts';
import type { PatternDefinition } from './contract.ts';
import { BEFORE, isEdge, withPlace } from './boundary.ts';
import { FORWARDING_FIELDS } from './forwarded.ts';
import type { ReadOrigin } from './forwarded.ts';
import { requiredLiterals } from './literals.ts';
import type { Literal } from './literal.ts';
import { ADDRESS, LONGEST_SESSION, SESSION } from './placeholders.ts';
import { makeLinear } from './regex.ts';
import { holdsOneOf, literalsOf } from './stated-literals.ts';
import { parsePattern } from './syntax.ts';
import type { TextFrame } from './text-frame.ts';
import { Captured } from './text-match.ts';
import type { Group, Taking } from './text-match.ts';
import { captureNames, cat, childrenOf } from './tree.ts';
import type { Node } from './tree.ts';

export interface Pattern {
  readonly definition: PatternDefinition;
  /** As it is run, from the start of the message. */
  readonly node: Node;
  /** The fields that it keeps besides the address. */
  readonly fields: readonly string[];
  /** Does it say whom its lines are about? */
  readonly namesAddress: boolean;
  /** Any message that it matches holds one of these. */
  readonly literals: readonly Literal[] | undefined;
  /** May a message that begins with that code fit? Quicker than to try. */
  mayBegin(code: number): boolean;
  /** Does it fit, whatever the address? */
  test(message: string): boolean;
  /** @returns undefined where it doesn't fit, or what stands in the address's place is no address. */
  match(frame: TextFrame): Captured | undefined;
  /**
   * The same of a message that it is known to fit.
   * @param begin where in the frame's text the address stands, up to `end`; -1: nowhere.
   */
  take(frame: TextFrame, begin: number, end: number): Captured | undefined;
}

/** Which placeholders a pattern can't do without. Where lines bear a pid, it is the session of those that name no other. */
export type Needs = 'nothing' | 'address' | 'session' | 'address and session' | 'address or session';

/** How what stands in a pattern's places is read. */
export interface Readers {
  readonly address: ReadAddressAt;
  readonly origin: ReadOrigin;
}

/**
 * Compiles a pattern, anchored at the start of the message.
 * @param needs what it must have, so that it says whom its lines are about.
 * @returns the faults instead: E_FILTER_PATTERN, E_FILTER_PLACEHOLDER, E_FILTER_NOT_LINEAR, E_FILTER_LITERALS.
 */
export function compilePattern(
  definition: PatternDefinition,
  file: string,
  read: Readers,
  needs: Needs,
): Pattern | Fault {
  const fault = (code: string, message: string, hint?: string): Fault => ({
    code,
    file,
    line: definition.line,
    column: definition.column,
    message: `the pattern ${JSON.stringify(definition.regex)}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });
  const parsed = parsePattern(definition.regex);
  if (!parsed.ok) return fault('E_FILTER_PATTERN', `${parsed.message} (at character ${parsed.at + 1})`);
  const misused = misusedCapture(parsed.node, needs);
  if (misused !== undefined) return fault('E_FILTER_PLACEHOLDER', misused);
  const node = cat([{ kind: 'start' }, greedyAtEnd(parsed.node)]);
  const linear = makeLinear(withPlace(node));
  if (!linear.ok) return fault('E_FILTER_NOT_LINEAR', linear.message, linear.hint);
  const stated = definition.literals && literalsOf(definition.literals);
  const held = stated && holdsOneOf(node, stated);
  if (held?.by === 'some') return fault('E_FILTER_LITERALS', ...unheld(held.except));
  const { regex, groups } = linear;
  const codes = leadingCodes(node);
  const begins = beginningTest(codes);
  const namesAddress = groups.some(isNaming);
  const roles = groups.map(roleOf);
  const numbered = groups.map((name, index): Group => ({ name, number: index + 1 }));
  const kept = numbered.filter(({ name }) => name !== ADDRESS && name !== BEFORE);
  const headers = kept.filter(({ name }) => FORWARDING_FIELDS.includes(name));
  const taking: Taking = { regex, kept };
  /** All that a match needs is where its address stands. */
  const isPlain = headers.length === 0 && !groups.includes(SESSION);

  return {
    definition,
    node,
    fields: [...new Set(kept.map(({ name }) => name))],
    namesAddress,
    literals: stated ?? requiredLiterals(node),
    mayBegin: (code) => codes.length === 0 || codes[0]!.includes(code),
    test: (message) => begins(message) && regex.test(message),
    match,
    take(frame, begin, end) {
      if (!isPlain) return match(frame);
      const isPlaced = begin >= 0 && (end >= frame.to || isEdge(frame.text, end));
      const address = isPlaced ? read.address(frame.text, begin, end) : undefined;
      if (namesAddress && !address) return undefined;
      return new Captured(address, undefined, undefined, taking, frame);
    },
  };

  function match(frame: TextFrame): Captured | undefined {
    const { message } = frame;
    const found = begins(message) ? regex.exec(message) : null;
    if (!found) return undefined;
    let isTold = false;
    let connecting: Network | undefined;
    let session: string | undefined;
    let before = 0;
    for (let i = 0; i < roles.length; i++) {
      const role = roles[i];
      if (role === 'field') continue;
      const value = found[i + 1];
      if (value === undefined) continue; // of an alternative that was not taken
      if (role === 'before') before += value.length;
      else if (role === 'session') session = value;
      else {
        isTold = true;
        connecting = isEdge(message, before + value.length)
          ? read.address(value, 0, value.length)
          : undefined;
      }
    }
    if (session !== undefined && !isSession(session)) return undefined;
    if (headers.length === 0) {
      if (namesAddress && !connecting) return undefined;
      return new Captured(connecting, undefined, session, taking, frame);
    }
    const origin = isTold && !connecting ? undefined : read.origin(connecting, takenOf(headers, found));
    return origin && new Captured(origin.address, origin.via, session, taking, frame);
  }
}

function unheld(except: string | undefined): [message: string, hint: string] {
  if (except === undefined)
    return ['whether each line holds one of its "literals" can’t be told', 'leave "literals" out'];
  return [
    `it takes lines that hold none of its "literals", such as ${JSON.stringify(utf8(except))}: they would be passed over`,
    'write what stands in every line into the pattern itself',
  ];
}

/** What a group of a pattern is to the reader of its matches. */
type Role = 'before' | 'address' | 'session' | 'field';

function roleOf(name: string): Role {
  if (name === BEFORE) return 'before';
  if (name === ADDRESS) return 'address';
  return name === SESSION ? 'session' : 'field';
}

/** What those groups took, where they are of an alternative that was taken. */
function takenOf(groups: readonly Group[], found: RegExpExecArray): string[] {
  return groups.flatMap(({ number }) => found[number] ?? []);
}

/** What a regex in a condition takes: any part of a value; `^` and `$` bind it. */
export function compileSearch(
  source: string,
): { node: Node; test: (value: string) => boolean } | { message: string; hint?: string } {
  const parsed = parsePattern(source);
  if (!parsed.ok) return { message: `${parsed.message} (at character ${parsed.at + 1})` };
  const linear = makeLinear(parsed.node);
  if (!linear.ok) return linear;
  const begins = beginningTest(leadingCodes(parsed.node));
  return { node: parsed.node, test: (value) => begins(value) && linear.regex.test(value) };
}

/** Does a text begin with the bytes that follow the pattern's `^`? Most lines are told off by that, without the regex. */
function beginningTest(codes: readonly (readonly [number, number])[]): (text: string) => boolean {
  const uppers = codes.map(([upper]) => upper);
  const lowers = codes.map(([, lower]) => lower);
  if (uppers.every((upper, index) => upper === lowers[index])) {
    const prefix = String.fromCharCode(...uppers);
    return (text) => text.startsWith(prefix);
  }
  return (text) => {
    for (let i = 0; i < uppers.length; i++) {
      const code = text.charCodeAt(i);
      if (code !== uppers[i] && code !== lowers[i]) return false;
    }
    return true;
  };
}

function leadingCodes(node: Node): (readonly [number, number])[] {
  if (node.kind !== 'cat' || node.parts[0]?.kind !== 'start') return [];
  const codes: (readonly [number, number])[] = [];
  for (const part of node.parts) {
    if (part.kind === 'start') continue;
    if (part.kind !== 'byte') break;
    codes.push(part.fold ? [part.byte & ~32, part.byte | 32] : [part.byte, part.byte]);
  }
  return codes;
}

/** Which placeholder is missing, or stands where it is not clear which of several it would be. */
function misusedCapture(node: Node, needs: Needs): string | undefined {
  const twice = capturedTwice(node);
  if (twice !== undefined)
    return `<${twice}> stands in it twice, or inside a repeat: give the second another name`;
  for (const name of [ADDRESS, SESSION])
    if (isLookedFor(node, name))
      return `<${name}> stands inside a look-behind, so that it is not clear where it ends: write it as part of the pattern`;
  const names = captureNames(node);
  const [hasAddress, hasSession] = [names.some(isNaming), names.includes(SESSION)];
  if ((needs === 'session' || (needs === 'address and session' && hasAddress)) && !hasSession)
    return 'it has no <session>, and lines of layout plain bear no pid that could stand for it';
  if (needs === 'nothing' || needs === 'session' || hasAddress) return undefined;
  if (needs === 'address or session' && hasSession) return undefined;
  const near = names.find((name) => nearest(name, NAMES_OF_ADDRESS) !== undefined);
  const guess = near === undefined ? '' : ` (<${near}> is free text; did you mean <ip>?)`;
  const missing = needs === 'address or session' ? 'neither <ip> nor <session>' : 'no <ip>';
  return `it has ${missing}, so that it names nobody${guess}`;
}

/** What is written for <ip> by mistake, or by who knows it under another name. */
const NAMES_OF_ADDRESS = [ADDRESS, 'host', 'addr', 'address'];

/** Does what stands there say whom the line is about? */
function isNaming(name: string): boolean {
  return name === ADDRESS || FORWARDING_FIELDS.includes(name);
}

/** Does it stand where the pattern only looks? */
function isLookedFor(node: Node, name: string): boolean {
  if (node.kind === 'look') return captureNames(node).includes(name);
  return childrenOf(node).some((child) => isLookedFor(child, name));
}

/** A named group may take anything. */
function isSession(id: string): boolean {
  return id.length <= LONGEST_SESSION && /^[\w.-]+$/.test(id);
}

/** Alternatives may share a name: only one of them is taken. */
function capturedTwice(node: Node): string | undefined {
  if (node.kind === 'repeat' && node.max > 1) return captureNames(node)[0];
  if (node.kind !== 'alt') {
    const below = childrenOf(node).flatMap((child) => [...new Set(captureNames(child))]);
    const names = node.kind === 'capture' ? [node.name, ...below] : below;
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) return twice;
  }
  for (const child of childrenOf(node)) {
    const twice = capturedTwice(child);
    if (twice !== undefined) return twice;
  }
  return undefined;
}

/** Free text takes as little as it can; with nothing behind it that would be nothing. There it takes the rest. */
function greedyAtEnd(node: Node): Node {
  if (node.kind === 'alt') return { kind: 'alt', options: node.options.map(greedyAtEnd) };
  if (node.kind === 'cat') {
    const last = node.parts.at(-1);
    return last ? { kind: 'cat', parts: [...node.parts.slice(0, -1), greedyAtEnd(last)] } : node;
  }
  if (node.kind !== 'capture' || node.body.kind !== 'repeat') return node;
  return { ...node, body: { ...node.body, lazy: false } };
}
