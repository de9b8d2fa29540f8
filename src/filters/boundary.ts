// Where an address in a message ends. The linear engine can't look ahead, so that is seen to after the match: what
// stands before the address is captured too, and its length tells the place.
import { ADDRESS } from './placeholders.ts';
import { captureNames } from './tree.ts';
import type { Node } from './tree.ts';

/** The name of the captures of what stands before an address; no pattern can write it. */
export const BEFORE = '<';

/**
 * The pattern with all that stands before its address captured as {@link BEFORE}: at the start of the message, the lengths
 * of those that were taken add up to where the address begins.
 */
export function withPlace(node: Node): Node {
  if (!captureNames(node).includes(ADDRESS)) return node;
  if (node.kind === 'alt') return { ...node, options: node.options.map(withPlace) };
  if (node.kind === 'cat') {
    const at = node.parts.findIndex((part) => captureNames(part).includes(ADDRESS));
    const before: Node = { kind: 'cat', parts: node.parts.slice(0, at) };
    return {
      kind: 'cat',
      parts: [
        { kind: 'capture', name: BEFORE, body: before },
        withPlace(node.parts[at]!),
        ...node.parts.slice(at + 1),
      ],
    };
  }
  const isAround = node.kind === 'repeat' || (node.kind === 'capture' && node.name !== ADDRESS);
  return isAround ? { ...node, body: withPlace(node.body) } : node;
}

/**
 * May an address end here? Not where a letter, a digit or an underscore goes on: `2001:db8::7auth` names nobody, nor does
 * `192.0.2.7.host.example`, whose full stop the run of address characters has taken.
 */
export function isEdge(message: string, at: number): boolean {
  return !isWord(message.charCodeAt(at));
}

/** ASCII only: where words aren't parted by blanks, `192.0.2.7` stands right before one. NaN, the end, is none. */
function isWord(code: number): boolean {
  return (
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
  );
}
