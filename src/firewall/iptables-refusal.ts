// What rejects with the iptables back end: REJECT works in the filter table alone, where ports may be others than those that
// were sent to (DNAT). So the raw table marks what is to be rejected, and the filter table rejects what bears the mark. A
// packet that bears it goes nowhere else. Made with the first ban that rejects. Pure.
//
//   *filter
//   -A INPUT   -m mark … -j bailiff-refuse
//   -A FORWARD -m mark … -j bailiff-refuse
//   -A bailiff-refuse: a reset for TCP, an ICMP error for the rest
//   :bailiff-made                           (an empty chain: the table itself wasn't there before Bailiff)
import type { Family } from './iptables-sets.ts';

const CHAIN = 'bailiff-refuse';
const MADE = 'bailiff-made';
const MARK = '0x62616966';
const HOOKS = ['INPUT', 'FORWARD'] as const;

/** In the raw table, behind what says whose packets. */
export const SET_MARK = `-j MARK --set-xmark ${MARK}/0xffffffff`;

/** What stands in the filter table of one family. */
export interface Refusal {
  readonly hasChain: boolean;
  readonly rules: readonly string[];
  /** How often each hook jumps to our chain. */
  readonly jumps: Readonly<Record<(typeof HOOKS)[number], number>>;
  readonly isMade: boolean;
  readonly hasOthers: boolean;
}

/** @param saved what `iptables-save -c -t filter` says. */
export function readRefusal(saved: string): Refusal {
  const jumps = { INPUT: 0, FORWARD: 0 };
  const rules: string[] = [];
  let [hasChain, isMade, hasOthers] = [false, false, false];
  for (const line of saved.split('\n')) {
    const rule = /^\[\d+:\d+\] -A (\S+) (.*)$/.exec(line);
    const hook = HOOKS.find((each) => rule?.[1] === each && rule[2] === jumpRule());
    if (hook) jumps[hook]++;
    else if (rule?.[1] === CHAIN) rules.push(rule[2]!);
    else if (line.startsWith(`:${CHAIN} `)) hasChain = true;
    else if (line.startsWith(`:${MADE} `)) isMade = true;
    else if (rule || line.startsWith("# Table `filter' ")) hasOthers = true;
    else if (line.startsWith(':') && !/^:(?:INPUT|FORWARD|OUTPUT) ACCEPT /.test(line)) hasOthers = true;
  }
  return { hasChain, rules, jumps, isMade, hasOthers };
}

/** Is what bears the mark rejected? */
export function isRefusing({ hasChain, rules, jumps }: Refusal, family: Family): boolean {
  return hasChain && isAsWanted(rules, family) && HOOKS.every((hook) => jumps[hook] > 0);
}

/** One transaction that adds what is missing; undefined where nothing is. @param makesTable the table isn't there yet. */
export function completeRefusal(found: Refusal, family: Family, makesTable: boolean): string | undefined {
  if (isRefusing(found, family)) return undefined;
  const isSound = found.hasChain && isAsWanted(found.rules, family);
  const missing = HOOKS.filter((hook) => found.jumps[hook] === 0);
  return inTable([
    ...(makesTable ? [`:${MADE} - [0:0]`] : []),
    // To declare a chain that is there empties it.
    ...(isSound ? [] : [`:${CHAIN} - [0:0]`, ...refusalRules(family).map((rule) => `-A ${CHAIN} ${rule}`)]),
    ...missing.map((hook) => `-I ${hook} 1 ${jumpRule()}`),
  ]);
}

/** One transaction that takes out everything of ours. @returns undefined where there is nothing. */
export function removeRefusal({ hasChain, jumps, isMade }: Refusal): string | undefined {
  const lines = HOOKS.flatMap((hook) =>
    Array.from({ length: jumps[hook] }, () => `-D ${hook} ${jumpRule()}`),
  );
  if (hasChain) lines.push(`-F ${CHAIN}`, `-X ${CHAIN}`);
  if (isMade) lines.push(`-X ${MADE}`);
  return lines.length === 0 ? undefined : inTable(lines);
}

function jumpRule(): string {
  return `-m mark --mark ${MARK} -j ${CHAIN}`;
}

function refusalRules(family: Family): readonly string[] {
  const error = family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable';
  return ['-p tcp -j REJECT --reject-with tcp-reset', `-j REJECT --reject-with ${error}`];
}

function isAsWanted(rules: readonly string[], family: Family): boolean {
  const wanted = refusalRules(family);
  return rules.length === wanted.length && rules.every((rule, index) => rule === wanted[index]);
}

function inTable(lines: readonly string[]): string {
  return ['*filter', ...lines, 'COMMIT', ''].join('\n');
}
