// What the open bans on one network want of the kernel, and what has to be changed in it for that. Pure.
import { answerText } from '../../answer.ts';
import type { Change } from '../../firewall/contract.ts';
import type { Ban, Block, Instant, Network, Scope } from '../../model.ts';

/** What a listing says of an element's end is accurate to about a second: differences below this are not repaired. */
export const TOLERANCE = 3_000;

const NOTHING: readonly never[] = [];

/**
 * @param bans those on `network`. @param scopeOf what traffic a ban drops; undefined where its jail only detects.
 * @returns one block for each scope: hardly ever more than one.
 */
export function desired(
  bans: readonly Ban[],
  scopeOf: (ban: Ban) => Scope | undefined,
  network: Network,
  now: Instant,
): readonly Block[] {
  const [only] = bans;
  // Nearly always. An array that grows from nothing takes room for seventeen.
  if (only && bans.length === 1) {
    const scope = scopeOf(only);
    const { until } = only;
    return scope && (until === undefined || until > now) ? [{ scope, network, until }] : NOTHING;
  }
  const wanted: Block[] = [];
  for (const ban of bans) {
    const scope = scopeOf(ban);
    if (!scope || (ban.until !== undefined && ban.until <= now)) continue;
    const other = wanted.find((block) => isSameScope(block.scope, scope));
    const block = { scope, network, until: laterOf(other, ban.until) };
    if (other) wanted[wanted.indexOf(other)] = block;
    else wanted.push(block);
  }
  return wanted;
}

/**
 * From what the kernel has of a network to what is wanted.
 * @param may what may be done about it: nothing new is blocked where Bailiff only detects, and at boot releases wait.
 */
export function difference(
  network: Network,
  have: readonly Block[],
  wanted: readonly Block[],
  may: { readonly block: boolean; readonly release: boolean },
): readonly Change[] {
  if (have.length === 0) return may.block ? wanted.map(newBlock) : NOTHING;
  const changes: Change[] = [];
  if (may.block)
    for (const block of wanted) {
      const before = have.find(({ scope }) => isSameScope(scope, block.scope));
      if (!before) changes.push(newBlock(block));
      else if (!isSame(before, block)) changes.push({ what: 'block', ...block });
    }
  if (may.release)
    for (const { scope } of have)
      if (!wanted.some((block) => isSameScope(block.scope, scope)))
        changes.push({ what: 'release', scope, network });
  return changes;
}

/** By name: whatever is spread takes several times as long. */
function newBlock({ scope, network, until }: Block): Change {
  return { what: 'block', scope, network, until, isNew: true };
}

/** The longest of the sentences on one address in one scope wins; no end is the longest. */
function laterOf(other: Block | undefined, until: Instant | undefined): Instant | undefined {
  if (!other) return until;
  return other.until === undefined || until === undefined ? undefined : Math.max(other.until, until);
}

/** All bans of a jail have one scope: what it is called is made once. */
const keys = new WeakMap<Scope, string>();

function scopeKey(scope: Scope): string {
  const known = keys.get(scope);
  if (known !== undefined) return known;
  const { protocol, ports, answer } = scope;
  const key = `${protocol}:${ports.join(',')}:${answerText(answer)}`;
  keys.set(scope, key);
  return key;
}

export function isSameScope(a: Scope, b: Scope): boolean {
  return a === b || scopeKey(a) === scopeKey(b);
}

export function refusalKey(network: Network, scope: Scope): string {
  return `${network.text} ${scopeKey(scope)}`;
}

export function isSame(have: Block, wanted: Block): boolean {
  if (have.until === undefined || wanted.until === undefined) return have.until === wanted.until;
  return Math.abs(have.until - wanted.until) <= TOLERANCE;
}
