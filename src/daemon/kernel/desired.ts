// What the open bans on one network want of the kernel. Pure.
import { answerText } from '../../answer.ts';
import type { Ban, Block, Instant, Network, Scope } from '../../model.ts';

/** What a listing says of an element's end is accurate to about a second: differences below this are not repaired. */
export const TOLERANCE = 3_000;

/** One network's blocks by scope. */
export type ByScope = Map<string, Block>;

/** @param bans those on `network`. @param scopeOf what traffic a ban drops; undefined where its jail only detects. */
export function desired(
  bans: readonly Ban[],
  scopeOf: (ban: Ban) => Scope | undefined,
  network: Network,
  now: Instant,
): ByScope {
  const wanted: ByScope = new Map();
  for (const ban of bans) {
    const scope = scopeOf(ban);
    if (!scope || (ban.until !== undefined && ban.until <= now)) continue;
    const key = scopeKey(scope);
    wanted.set(key, { scope, network, until: laterOf(wanted.get(key), ban.until) });
  }
  return wanted;
}

/** The longest of the sentences on one address in one scope wins; no end is the longest. */
function laterOf(other: Block | undefined, until: Instant | undefined): Instant | undefined {
  if (!other) return until;
  return other.until === undefined || until === undefined ? undefined : Math.max(other.until, until);
}

export function scopeKey({ protocol, ports, answer }: Scope): string {
  return `${protocol}:${ports.join(',')}:${answerText(answer)}`;
}

export function refusalKey(network: Network, scope: Scope): string {
  return `${network.text} ${scopeKey(scope)}`;
}

export function isSame(have: Block | undefined, wanted: Block): boolean {
  if (!have) return false;
  if (have.until === undefined || wanted.until === undefined) return have.until === wanted.until;
  return Math.abs(have.until - wanted.until) <= TOLERANCE;
}
