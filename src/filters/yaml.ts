// Reading YAML with places and without surprises: no aliases, no tags, no second document, every fault at its line.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, visit } from 'yaml';
import type { Node } from 'yaml';
import type { Fault } from '../errors.ts';
import { nearest, printable } from '../text.ts';

/** Longer than any filter; duplicate keys are looked for in quadratic time. */
const LONGEST = 256 * 1024;

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One entry of a mapping: its key as text, where the key stands, and its value (a null scalar where none is written). */
export interface Entry {
  readonly key: string;
  readonly keyNode: Node;
  readonly value: Node;
}

/** A parsed document and the faults found in it so far. What it reads it checks: a wrong type becomes a fault and undefined. */
export interface YamlReader {
  readonly faults: readonly Fault[];
  /** undefined for an empty document, or one that is no YAML. */
  readonly root: Node | undefined;
  fault(code: string, at: Node | undefined, message: string, hint?: string): undefined;
  /** The place of a node; 0, 0 for none. */
  placeOf(node: Node | undefined): Place;
  /** The entries of a mapping, those with unknown keys reported and left out. */
  entries(node: Node | undefined, what: string, known?: readonly string[]): Entry[] | undefined;
  /** The members of a list. */
  list(node: Node | undefined, what: string): Node[] | undefined;
  /** A string that is not empty. */
  text(node: Node | undefined, what: string): string | undefined;
  /** One of a few words. */
  word<T extends string>(node: Node | undefined, what: string, words: readonly T[]): T | undefined;
}

/**
 * Parses one YAML document.
 * @param prefix of the codes of its faults: `${prefix}_YAML`, `${prefix}_TYPE`, `${prefix}_UNKNOWN_KEY`, …
 */
export function readYaml(text: string, file: string, prefix: string): YamlReader {
  const faults: Fault[] = [];
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const reader: YamlReader = {
    faults,
    root: undefined,
    fault(code, at, message, hint) {
      const place = reader.placeOf(at);
      faults.push({
        code: `${prefix}_${code}`,
        file,
        ...place,
        message,
        ...(hint === undefined ? {} : { hint }),
      });
      return undefined;
    },
    placeOf: (node) => (node?.range ? placeAt(node.range[0]) : { line: 0, column: 0 }),
    entries(node, what, known) {
      if (!isMap(node)) return reader.fault('TYPE', node, `${what} must be a mapping of keys to values`);
      const entries: Entry[] = [];
      for (const pair of node.items) {
        const keyNode = pair.key as Node;
        if (!isScalar(keyNode)) {
          reader.fault('TYPE', keyNode, `a key of ${what} must be a plain word`);
          continue;
        }
        const key = sourceOf(keyNode);
        if (known && !known.includes(key)) {
          const near = nearest(key, known);
          const hint = near === undefined ? `it takes ${known.join(', ')}` : `did you mean "${near}"?`;
          reader.fault('UNKNOWN_KEY', keyNode, `${what} takes no key "${printable(key, 60)}"`, hint);
        } else entries.push({ key, keyNode, value: (pair.value as Node | null) ?? nothingAt(keyNode) });
      }
      return entries;
    },
    list(node, what) {
      if (isSeq(node)) return node.items as Node[];
      return reader.fault('TYPE', node, `${what} must be a list`);
    },
    text(node, what) {
      if (isScalar(node) && typeof node.value === 'string' && node.value !== '') return node.value;
      return reader.fault('TYPE', node, `${what} must be a text that is not empty`);
    },
    word(node, what, words) {
      const value = isScalar(node) ? sourceOf(node) : '';
      const word = words.find((candidate) => candidate === value);
      if (word !== undefined) return word;
      const near = nearest(value, words);
      const hint = near === undefined ? undefined : `did you mean "${near}"?`;
      return reader.fault('VALUE', node, `${what} must be one of ${words.join(', ')}`, hint);
    },
  };
  const yamlFault = (offset: number, message: string, code = 'YAML'): void => {
    faults.push({ code: `${prefix}_${code}`, file, ...placeAt(offset), message });
  };

  if (text.length > LONGEST) {
    reader.fault(
      'YAML',
      undefined,
      `the file has ${text.length} characters, and at most ${LONGEST} are read`,
    );
    return reader;
  }
  try {
    const document = parseDocument(text, {
      schema: 'core',
      version: '1.2',
      lineCounter: lines,
      prettyErrors: false,
    });
    for (const { code, pos, message } of [...document.errors, ...document.warnings])
      if (code === 'DUPLICATE_KEY') yamlFault(pos[0], 'this key is there twice', code);
      else yamlFault(pos[0], `not the YAML that a filter is written in: ${printable(message)}`);
    if (document.directives?.yaml.version !== '1.2')
      yamlFault(0, 'only YAML 1.2 is read; leave the %YAML line out');
    visit(document, {
      Node(_key, node) {
        if (isAlias(node) || ('anchor' in node && node.anchor !== undefined))
          reader.fault(
            'YAML',
            node,
            'anchors and aliases are not taken',
            'write the value out where it is meant',
          );
      },
    });
    if (faults.length > 0 || document.contents === null) return reader;
    return { ...reader, root: document.contents };
  } catch (error) {
    // A document nested so deep that the parser runs out of stack.
    yamlFault(0, `not the YAML that a filter is written in: ${printable(String(error))}`);
    return reader;
  }
}

/** What stands after a key without a value: `{ regex }`. */
function nothingAt(keyNode: Scalar): Node {
  const nothing = new Scalar(null);
  nothing.range = keyNode.range;
  return nothing;
}

/** A scalar as it was written, so that `007` and `1.0` stay what they are. */
export function sourceOf(scalar: Scalar): string {
  return scalar.source ?? String(scalar.value);
}
