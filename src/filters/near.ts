// Lines that a filter does not take, but nearly: where its patterns broke off, or which one condition failed.
// Slow, and for people who write filters.
import type { Conditions, Instant } from '../model.ts';
import { UNJOINED } from './by-patterns.ts';
import { WAITS } from './joining.ts';
import { compileFilter } from './compile.ts';
import { unwrapLine } from './containers.ts';
import type { Filter, FilterDefinition } from './contract.ts';
import { engineOf } from './engine.ts';
import type { TextFrame } from './text-frame.ts';
import { ADDRESS } from './placeholders.ts';
import { makeLinear } from './regex.ts';
import { namesPrograms } from './programs.ts';
import { parsePattern } from './syntax.ts';
import { bytesOf, captureNames, cat, childrenOf, writeRegex } from './tree.ts';
import type { Node } from './tree.ts';

/** Says in a sentence how a line came near; undefined where it is far. Hostile text may stand in it. */
export type FindNear = (line: string, arrivedAt: Instant) => string | undefined;

const SHOWN = 60;

/** For lines that the filter has missed. */
export function createNear(filter: Filter): FindNear {
  const { definition } = filter;
  const byText = definition.layout === 'syslog' || definition.layout === 'plain';
  return byText ? nearPatterns(filter) : nearConditions(filter);
}

/** A pattern cut off behind each of its parts. */
interface Ladder {
  readonly index: number;
  readonly parts: readonly Node[];
  /** The matching prefix with this many parts. */
  readonly rungs: Map<number, RegExp>;
}

function nearPatterns(filter: Filter): FindNear {
  const { definition } = filter;
  const isNamed = namesPrograms(definition.program);
  const open = opener(filter);
  const ladders = definition.match.flatMap(({ regex }, index): Ladder[] => {
    const parsed = parsePattern(regex);
    return parsed.ok ? [{ index, parts: partsOf(parsed.node), rungs: new Map() }] : [];
  });
  return (line, arrivedAt) => {
    // It fits, and only what an earlier line would have told is wanting.
    const verdict = filter.judge(line, arrivedAt);
    const wanting = [UNJOINED, WAITS].find((each) => each === verdict);
    if (wanting) return wanting.why;
    const frame = open(line, arrivedAt);
    if (!frame) return undefined;
    const isForeign = definition.program.length > 0 && !isNamed(frame.program);
    if (definition.layout === 'syslog' && isForeign) return undefined;
    const best = ladders
      .map((ladder) => ({ ladder, reached: reach(ladder, frame.message) }))
      .filter(({ ladder, reached }) => isNear(ladder.parts, reached))
      .toSorted((a, b) => shareOf(b.ladder.parts, b.reached) - shareOf(a.ladder.parts, a.reached))[0];
    return best && tell(best.ladder, best.reached, frame.message);
  };
}

/** Opens a line as the filter sees it: out of the frames that others put around it. */
function opener(filter: Filter): (line: string, arrivedAt: Instant) => TextFrame | undefined {
  const { engine, relay } = engineOf(filter);
  return (line, arrivedAt) => {
    const text = unwrapLine(line, 0, line.length)?.text ?? line;
    const relayed = relay?.read(text, 0, text.length, arrivedAt);
    if (relayed?.isForeign === true) return undefined;
    return engine.framing.open(text, relayed?.from ?? 0, text.length, arrivedAt) as TextFrame | undefined;
  };
}

/** The parts of a sequence; a choice or a repeat is one part. */
function partsOf(node: Node): readonly Node[] {
  const parts = node.kind === 'cat' ? node.parts : [node];
  return parts.filter(({ kind }) => kind !== 'start');
}

/** How many parts fit: a longer beginning never fits where a shorter one doesn't. */
function reach(ladder: Ladder, message: string): number {
  let [low, high] = [0, ladder.parts.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (rung(ladder, middle).test(message)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function rung(ladder: Ladder, count: number): RegExp {
  const known = ladder.rungs.get(count);
  if (known) return known;
  const made = makeLinear(cat([{ kind: 'start' }, ...ladder.parts.slice(0, count)]));
  const regex = made.ok ? made.regex : /(?!)/;
  ladder.rungs.set(count, regex);
  return regex;
}

/** Near is what holds half of the pattern's own words, or all that stands before the address and the address. */
function isNear(parts: readonly Node[], reached: number): boolean {
  const address = parts.findIndex((part) => captureNames(part).includes(ADDRESS));
  return (
    reached > 0 &&
    reached < parts.length &&
    (shareOf(parts, reached) >= 0.5 || (address >= 0 && reached > address))
  );
}

function shareOf(parts: readonly Node[], reached: number): number {
  const all = parts.reduce((sum, part) => sum + bytesIn(part), 0);
  return all === 0 ? 0 : parts.slice(0, reached).reduce((sum, part) => sum + bytesIn(part), 0) / all;
}

function bytesIn(node: Node): number {
  return node.kind === 'byte' ? 1 : childrenOf(node).reduce((sum, child) => sum + bytesIn(child), 0);
}

function tell({ index, parts, rungs }: Ladder, reached: number, message: string): string {
  const fitted = rungs.get(reached)?.exec(message)?.[0] ?? '';
  const wanted = writeRegex(spelled(cat(parts.slice(reached)))).slice(0, SHOWN);
  const ends = Buffer.from(fitted.slice(-SHOWN / 2), 'latin1').toString('utf8');
  return `pattern ${index} fits up to "${ends}" (byte ${fitted.length} of the message), and then wants ${wanted}`;
}

/** With the names of its placeholders instead of what they stand for. */
function spelled(node: Node): Node {
  if (node.kind === 'capture') return bytesOf(`<${node.name}>`);
  if (node.kind === 'cat') return cat(node.parts.map(spelled));
  if (node.kind === 'alt') return { ...node, options: node.options.map(spelled) };
  return node.kind === 'repeat' ? { ...node, body: spelled(node.body) } : node;
}

/** Every condition but one holds. */
function nearConditions(filter: Filter): FindNear {
  const single = Object.entries(filter.definition.where ?? {}).flatMap(([name, condition]) => {
    const compiled = compileFilter(withOnly(filter.definition, { [name]: condition }), filter.options);
    return compiled.ok ? [{ name, filter: compiled.filter }] : [];
  });
  if (single.length < 2) return () => undefined;
  const everything = compileFilter(withOnly(filter.definition, {}), filter.options);
  return (line, arrivedAt) => {
    const failed = single.filter((each) => each.filter.judge(line, arrivedAt).outcome === 'no-match');
    if (failed.length !== 1) return undefined;
    const verdict = everything.ok ? everything.filter.judge(line, arrivedAt) : undefined;
    if (verdict?.outcome !== 'match') return undefined;
    const { name } = failed[0]!;
    const value = verdict.match.fields[name];
    return `all conditions hold but the one on "${name}"${value === undefined ? '' : `: it is "${value.slice(0, SHOWN)}"`}`;
  };
}

function withOnly(definition: FilterDefinition, where: Conditions): FilterDefinition {
  return { ...definition, where, exceptWhere: undefined };
}
