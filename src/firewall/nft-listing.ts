// Reads what `nft -j list` says, and what of it is ours.
import type { Block, Instant } from '../model.ts';
import type { ElementCutter } from './nft-elements.ts';
import type { Layout, Rule } from './nft-layout.ts';
import { isEnforced } from './nft-layout.ts';
import { CHAIN, PRIORITY, REFUSE } from './nft-script.ts';
import { readSetName, type SetSpec } from './sets.ts';
import { unavailable } from './unavailable.ts';

/** A longer range is nobody's list of ports: Bailiff writes each of them. */
const MOST_RANGED = 1_000;
const ALL_PORTS = 65_536;

/** `owner_PID_STARTTIME`. */
const OWNER = /^owner_(\d{1,10}_\d{1,20})$/;

/** Reads the table's structure; other tables in the listing and other names in the table are passed over. */
export function readLayout(json: string): Layout {
  return layoutOf(parse(json));
}

/** The marks of daemons that enforce, or died doing so. */
export function readOwners(json: string): string[] {
  return parse(json)
    .map(({ set }) => asObject(set))
    .filter((set) => set['family'] === 'inet' && set['table'] === 'bailiff')
    .flatMap((set) => OWNER.exec(String(set['name']))?.[1] ?? []);
}

/**
 * Reads the structure and every ban that a rule enforces: what stands in a set that no rule asks blocks nobody.
 * @param listed all of the listing. @param now when it was made.
 * @returns blocks that are made as they are gone through.
 */
export function readTable(listed: ElementCutter, now: Instant): { layout: Layout; blocks: Iterable<Block> } {
  const { skeleton, elements } = listed.end();
  const objects = parse(skeleton);
  const layout = layoutOf(objects);
  const withElements = objects.map(({ set }) => set).filter((set) => asObject(set)['elem'] !== undefined);
  function* blocks(): Generator<Block> {
    for (const [index, set] of withElements.entries()) {
      const spec = layout.sets.get(String(asObject(set)['name']));
      if (spec?.purpose === 'ban' && isEnforced(layout, spec))
        yield* elements[index]?.blocks(spec, now) ?? [];
    }
  }
  return { layout, blocks: { [Symbol.iterator]: blocks } };
}

type Json = Readonly<Record<string, unknown>>;

function parse(json: string): Json[] {
  try {
    return asArray(asObject(JSON.parse(json))['nftables']).map(asObject);
  } catch {
    throw unavailable('nft listed its table in a form that Bailiff cannot read: see which nft is installed');
  }
}

function layoutOf(objects: readonly Json[]): Layout {
  const ours = (key: string): Json[] =>
    objects
      .map((object) => asObject(object[key]))
      .filter((found) => found['family'] === 'inet' && (found['table'] ?? found['name']) === 'bailiff');
  const rules = ours('rule')
    .filter((rule) => rule['chain'] === CHAIN)
    .map((rule) => readRule(asArray(rule['expr']).map(asObject)));
  const sets = new Map<string, SetSpec>();
  for (const { name } of ours('set')) {
    const scope = rules.find((rule) => rule.set === name)?.scope;
    const spec = readSetName(String(name), scope);
    if (spec) sets.set(spec.name, spec);
  }
  const chain = ours('chain').find(({ name }) => name === CHAIN);
  const refusing = ours('rule').filter((rule) => rule['chain'] === REFUSE);
  const [table] = ours('table');
  return {
    hasTable: table !== undefined,
    // Ours is made without any. What nft 1.0.6 says of them may be any text (nft-structure.ts), but then there are some.
    ...(table?.['flags'] !== undefined && { isAsleep: true }),
    chain: chain ? readChain(chain) : 'missing',
    ...{ sets, rules, refuses: isRefusal(refusing.map(({ expr }) => asArray(expr).map(asObject))) },
  };
}

/** A reset for TCP, and whatever else is rejected with an error. */
function isRefusal(rules: readonly (readonly Json[])[]): boolean {
  const [first, second] = rules;
  return (
    rules.length === 2 &&
    first!.some(({ reject }) => asObject(reject)['type'] === 'tcp reset') &&
    second!.length === 1 &&
    'reject' in second![0]!
  );
}

function readChain(chain: Json): 'ours' | 'other' {
  const { type, hook, prio, policy } = chain;
  return type === 'filter' && hook === 'prerouting' && prio === PRIORITY && policy === 'accept'
    ? 'ours'
    : 'other';
}

/** `ip saddr & mask == @set`, perhaps protocol and ports, a counter, a verdict; and nothing else. */
function readRule(expressions: readonly Json[]): Rule {
  const counter = asObject(expressions.find((expression) => 'counter' in expression)?.['counter']);
  const has = (word: string): boolean => expressions.some((expression) => word in expression);
  const isRefused = expressions.some((expression) => asObject(expression['goto'])['target'] === REFUSE);
  const verdict = isRefused ? 'refuse' : has('drop') ? 'drop' : has('accept') ? 'accept' : 'other';
  const parts = expressions.map(readPart);
  // What asks more than we ever do may let by whom we block: it is none of ours, whatever set it names.
  const isOurs = parts.every((part) => part !== 'strange');
  const { set, source, ports, protocol }: Parts = Object.assign(
    {},
    ...parts.filter((part) => part !== 'strange'),
  );
  return {
    ...{ set: isOurs ? set : undefined, source, verdict },
    packets: Number(counter['packets'] ?? 0),
    bytes: Number(counter['bytes'] ?? 0),
    scope: { protocol: protocol ?? 'any', ports: ports ?? [] },
  };
}

/** What one expression of a rule says. */
interface Parts {
  readonly set?: string;
  /** `ip saddr & 255.255.255.0`. */
  readonly source?: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly ports?: readonly number[];
}

function readPart(expression: Json): Parts | 'strange' {
  if (['counter', 'drop', 'accept', 'goto'].some((word) => word in expression)) return {};
  const { op, left, right } = asObject(expression['match']);
  if (op !== '==' && op !== 'in') return 'strange';
  const [masked, mask] = asArray(asObject(left)['&']);
  const { protocol: header, field } = asObject(asObject(masked ?? left)['payload']);
  if (field === 'saddr' && typeof right === 'string' && right.startsWith('@')) {
    const source = `${String(header)} saddr`;
    return { set: right.slice(1), source: typeof mask === 'string' ? `${source} & ${mask}` : source };
  }
  if (field === 'dport') {
    const ports = portsOf(right);
    // A rule over half of all ports is none of ours, whatever it asks.
    if (ports === undefined) return 'strange';
    return header === 'tcp' || header === 'udp' ? { ports, protocol: header } : { ports };
  }
  if (asObject(asObject(left)['meta'])['key'] !== 'l4proto') return 'strange';
  if (right === 'tcp' || right === 'udp') return { protocol: right };
  return asArray(asObject(right)['set']).length === 2 ? {} : 'strange';
}

/**
 * `22`, `{"range": [8000, 8002]}`, `{"set": [22, 80, {"range": [8000, 8002]}]}`.
 * @returns undefined where there are more than anybody lists.
 */
function portsOf(right: unknown): number[] | undefined {
  const ports: number[] = [];
  const { set, range } = asObject(right);
  for (const port of set !== undefined ? asArray(set) : [range === undefined ? right : { range }]) {
    const [first, last] = typeof port === 'number' ? [port, port] : asArray(asObject(port)['range']);
    if (typeof first !== 'number' || typeof last !== 'number') continue;
    if (last - first >= MOST_RANGED) return undefined;
    for (let each = first; each <= last; each++) ports.push(each);
    if (ports.length > ALL_PORTS) return undefined;
  }
  return ports;
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
