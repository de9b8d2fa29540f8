// From changes to lines for `ipset restore`, each with the change that it is for. Pure.
import type { Instant } from '../model.ts';
import type { Change } from './contract.ts';
import { addBan, type BanSet, banSetOf, makeBanSet, removeBan } from './iptables-sets.ts';
import { isBlock } from './nft-plan.ts';

export interface Line {
  readonly text: string;
  /** Which of the changes it is for. */
  readonly change: number;
  /** Sets that are there once it has been run. */
  readonly makes: readonly string[];
}

/** Are the set and the set of its ports there? */
export function isThere(sets: ReadonlySet<string>, { name, ports }: BanSet): boolean {
  return sets.has(name) && (ports === undefined || sets.has(ports));
}

/**
 * The lines for the changes from `from` on, with the sets that they need. Where there is no such set there is nothing to
 * release. A block that is over already is a release.
 * @param skip says of a change that it is not to be tried.
 */
export function planLines(
  sets: ReadonlySet<string>,
  changes: readonly Change[],
  from: number,
  now: Instant,
  skip: (change: Change) => boolean,
): Line[] {
  const lines: Line[] = [];
  const there = new Set(sets);
  for (let change = from; change < changes.length; change++) {
    const each = changes[change]!;
    if (skip(each)) continue;
    const { scope, network } = each;
    const set = banSetOf(scope, network);
    const push = (texts: readonly string[], makes: readonly string[] = []): void =>
      texts.forEach((text, index) =>
        lines.push({ text, change, makes: index === texts.length - 1 ? makes : [] }),
      );
    if (!isBlock(each, now)) {
      if (there.has(set.name)) push(removeBan(set.name, network));
      continue;
    }
    if (!isThere(there, set)) {
      const makes = set.ports === undefined ? [set.name] : [set.ports, set.name];
      push(makeBanSet(set, scope), makes);
      for (const name of makes) there.add(name);
    }
    push(addBan(set.name, network, each.until, now));
  }
  return lines;
}
