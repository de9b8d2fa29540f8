// What stands in Bailiff's table apart from elements (the table, its chain, sets and rules), and how to complete it. Pure.
//
//   table inet bailiff
//     chain prerouting (raw priority: ahead of conntrack and DNAT, so that live connections are cut too)
//       one accept rule per allow set, then one counting rule per ban set: those that drop, that reject, that throttle
//     chain refuse (where something is rejected): a reset for TCP, an ICMP error for the rest
import { isDeepStrictEqual } from 'node:util';
import { severityOf } from '../answer.ts';
import type { Scope } from '../model.ts';
import { sorted, type SetSpec } from './sets.ts';
import * as script from './nft-script.ts';

/** A rule as the kernel has it. */
export interface Rule {
  /** The set that it asks; undefined for a rule that Bailiff doesn't write. */
  readonly set: string | undefined;
  /** Which addresses it asks the set for: `ip saddr`, `ip saddr & 255.255.255.0`. */
  readonly source: string | undefined;
  readonly verdict: 'accept' | 'drop' | 'refuse' | 'other';
  readonly packets: number;
  readonly bytes: number;
  /** The protocol and ports that it is limited to. */
  readonly scope: Scope;
}

export interface Layout {
  readonly hasTable: boolean;
  /** It has flags, of which `dormant` is the one that can be added: then the kernel asks none of its chains. */
  readonly isAsleep?: true;
  /** `other`: a chain of our name hooked elsewhere, as another release or a hand made it. */
  readonly chain: 'ours' | 'other' | 'missing';
  readonly sets: ReadonlyMap<string, SetSpec>;
  readonly rules: readonly Rule[];
  /** Is the chain that rejects there, with its rules? */
  readonly refuses: boolean;
}

/** Statements that belong in one transaction, and what the table looks like once it has happened. */
export interface Plan {
  readonly statements: readonly script.Statement[];
  readonly after: Layout;
}

export const NO_TABLE: Layout = {
  hasTable: false,
  chain: 'missing',
  sets: new Map(),
  rules: [],
  refuses: false,
};

/**
 * Is every set asked by exactly one rule with the right verdict, every accept ahead of every ban and the severer ahead of
 * the gentler ones, and nothing else there?
 * Only then is what stands in the ban sets what is dropped.
 */
export function isInOrder(layout: Layout): boolean {
  if (layout.chain !== 'ours' || layout.rules.length !== layout.sets.size) return false;
  const seen = new Set<string>();
  let before = Infinity;
  for (const rule of layout.rules) {
    const set = rule.set === undefined ? undefined : layout.sets.get(rule.set);
    if (!set || seen.has(set.name) || !isFor(rule, set)) return false;
    if (rankOf(set) > before) return false;
    before = rankOf(set);
    seen.add(set.name);
  }
  return true;
}

/** Is the set asked by a rule that does what the set is for? */
export function isEnforced(layout: Layout, set: SetSpec): boolean {
  return (
    layout.chain === 'ours' &&
    !layout.isAsleep &&
    (layout.refuses || verdictOf(set) !== 'refuse') &&
    layout.rules.some((rule) => isFor(rule, set))
  );
}

/** Does the rule do what the set is for, to all of its traffic? */
function isFor({ set: name, source, verdict, scope }: Rule, set: SetSpec): boolean {
  return (
    name === set.name &&
    verdict === verdictOf(set) &&
    source === script.sourceOf(set) &&
    scope.protocol === set.scope.protocol &&
    isDeepStrictEqual(sorted(scope.ports), sorted(set.scope.ports))
  );
}

/**
 * Adds what is missing for `wanted`. Rules that are out of order are written anew with the counts that they had;
 * sets keep their elements. No statements where nothing is missing.
 */
export function complete(layout: Layout, wanted: readonly SetSpec[]): Plan {
  const statements: string[] = [];
  const sets = new Map(layout.sets);
  // Added once more without the flag it wakes up.
  if (!layout.hasTable || layout.isAsleep) statements.push(script.addTable());
  if (layout.chain === 'other') statements.push(script.flushChain(), script.deleteChain());
  if (layout.chain !== 'ours') statements.push(script.addChain());
  const fresh: SetSpec[] = [];
  for (const set of wanted) {
    if (sets.has(set.name)) continue;
    sets.set(set.name, set);
    fresh.push(set);
    statements.push(script.addSet(set));
  }
  const refuses = layout.refuses || [...sets.values()].some((set) => verdictOf(set) === 'refuse');
  if (refuses && !layout.refuses) statements.push(...script.addRefuse());
  const [allows, bans] = partition(fresh);
  const last = layout.rules.at(-1)?.set;
  const gentlest = last === undefined ? Infinity : rankOf(sets.get(last)!);
  if (isInOrder(layout) && bans.every((set) => rankOf(set) <= gentlest)) {
    // Accept rules go in at the top, bans at the end: the order holds, and no count is lost.
    for (const set of allows) statements.push(script.insertRule(set));
    for (const set of bans) statements.push(script.addRule(set, 0, 0));
    const rules = [...allows.map(newRule), ...layout.rules, ...bans.map(newRule)];
    return { statements, after: { hasTable: true, chain: 'ours', sets, rules, refuses } };
  }
  if (layout.chain === 'ours') statements.push(script.flushChain());
  const rules = partition(sets.values())
    .flat()
    .map((set) => {
      const rule = newRule(set);
      const counts = layout.rules.find((old) => old.set === set.name) ?? rule;
      statements.push(script.addRule(set, counts.packets, counts.bytes));
      return { ...rule, packets: counts.packets, bytes: counts.bytes };
    });
  return { statements, after: { hasTable: true, chain: 'ours', sets, rules, refuses } };
}

function partition(sets: Iterable<SetSpec>): [SetSpec[], SetSpec[]] {
  const all = [...sets];
  const bans = all.filter((set) => set.purpose === 'ban');
  return [all.filter((set) => set.purpose === 'allow'), bans.toSorted((a, b) => rankOf(b) - rankOf(a))];
}

/** What stands further up in the chain ranks higher. */
function rankOf({ purpose, scope }: SetSpec): number {
  return purpose === 'allow' ? Infinity : severityOf(scope.answer);
}

function newRule(set: SetSpec): Rule {
  const { name, scope } = set;
  return { set: name, source: script.sourceOf(set), verdict: verdictOf(set), packets: 0, bytes: 0, scope };
}

function verdictOf({ purpose, scope }: SetSpec): 'accept' | 'drop' | 'refuse' {
  if (purpose === 'allow') return 'accept';
  return scope.answer?.do === 'reject' ? 'refuse' : 'drop';
}
