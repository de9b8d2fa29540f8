// The tree of a pattern, and its spelling as a JavaScript regex over latin1 text. Pure.
import { writeByte, writeSet } from './bytes.ts';
import type { ByteSet } from './bytes.ts';

/** A pattern over the bytes of a line. */
export type Node =
  | { readonly kind: 'byte'; readonly byte: number; readonly fold: boolean }
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'cat'; readonly parts: readonly Node[] }
  | { readonly kind: 'alt'; readonly options: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly body: Node;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  /** A placeholder or a named group. Unnamed groups capture nothing and leave no node. */
  | { readonly kind: 'capture'; readonly name: string; readonly body: Node }
  | { readonly kind: 'start' | 'end' | 'boundary' | 'inside' }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negated: boolean; readonly body: Node }
  | { readonly kind: 'backreference'; readonly text: string };

/** A sequence; sequences inside it are spliced, and one of one part is that part. */
export function cat(parts: readonly Node[]): Node {
  const flat = parts.flatMap((part) => (part.kind === 'cat' ? part.parts : [part]));
  return flat.length === 1 ? flat[0]! : { kind: 'cat', parts: flat };
}

/** The bytes of a text, in UTF-8 as a log holds them. */
export function bytesOf(text: string, fold = false): Node {
  return cat(
    [...Buffer.from(text, 'utf8')].map((byte) => ({ kind: 'byte', byte, fold: fold && isLetter(byte) })),
  );
}

/** The names of all captures, in the order of their groups in the written regex. */
export function captureNames(node: Node): string[] {
  const own = node.kind === 'capture' ? [node.name] : [];
  return [...own, ...childrenOf(node).flatMap(captureNames)];
}

/** The nodes right below. */
export function childrenOf(node: Node): readonly Node[] {
  if (node.kind === 'cat') return node.parts;
  if (node.kind === 'alt') return node.options;
  return 'body' in node ? [node.body] : [];
}

/** The regex; captures are its only groups that capture. It needs no flags. */
export function writeRegex(node: Node): string {
  switch (node.kind) {
    case 'byte':
      return node.fold ? foldedByte(node.byte) : writeByte(node.byte);
    case 'set':
      return writeSet(node.set);
    case 'cat':
      return node.parts.map((part) => (part.kind === 'alt' ? atomic(part) : writeRegex(part))).join('');
    case 'alt':
      return node.options.map(writeRegex).join('|');
    case 'repeat':
      return atomic(node.body) + quantifier(node.min, node.max) + (node.lazy ? '?' : '');
    case 'capture':
      return `(${writeRegex(node.body)})`;
    case 'look':
      return `(?${node.ahead ? '' : '<'}${node.negated ? '!' : '='}${writeRegex(node.body)})`;
    case 'backreference':
      return '(?!)'; // never run: refused before
    case 'start':
      return '^';
    case 'end':
      return '$';
    case 'boundary':
      return '\\b';
    case 'inside':
      return '\\B';
  }
}

function atomic(node: Node): string {
  const text = writeRegex(node);
  return node.kind === 'byte' || node.kind === 'set' || node.kind === 'capture' ? text : `(?:${text})`;
}

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

/** Both cases of a letter, as a class: the linear engine refuses the flag i. */
export function foldedByte(byte: number): string {
  if (!isLetter(byte)) return writeByte(byte);
  return `[${String.fromCharCode(byte & ~32)}${String.fromCharCode(byte | 32)}]`;
}

function isLetter(byte: number): boolean {
  return (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
}
