// Bailiff's chain in the raw table of one family, as `iptables-save -c` tells it and `iptables-restore` takes it. Pure.
//
//   *raw
//   -A PREROUTING -j bailiff-prerouting     (ahead of conntrack and DNAT, so that live connections are cut too)
//   -A bailiff-prerouting … allow set … -j RETURN
//   -A bailiff-prerouting … ban set … -j DROP      (one for each ban set; then those that reject: -j MARK,
//                                                   see iptables-refusal.ts; then those that throttle: hashlimit)
//   :bailiff-made                           (an empty chain: the table itself wasn't there before Bailiff)
import { widthOf } from '../address.ts';
import type { Rate } from '../model.ts';
import type { Dropped } from './contract.ts';
import { SET_MARK } from './iptables-refusal.ts';
import { allowSetName, type BanSet, type Family } from './iptables-sets.ts';

const CHAIN = 'bailiff-prerouting';
const MADE = 'bailiff-made';
const JUMP = `-A PREROUTING -j ${CHAIN}`;
const RULE = /^\[(\d+):(\d+)\] -A bailiff-prerouting (.*)$/;

/**
 * A rule of PREROUTING after which a packet may be through with it, undropped: by a verdict, or in a chain of somebody's own.
 * These targets alone let it come to the next rule, or drop it (iptables-extensions(8)).
 */
const ENDS =
  /^\[\d+:\d+\] -A PREROUTING (?:.*)(?:-g|-j (?!(?:DROP|CT|NOTRACK|TRACE|LOG|NFLOG|MARK|CONNMARK|TTL|HL|DSCP|TOS|TCPMSS|SET)(?: |$)))/;

/** A rule of our chain, as it is written after the chain's name. */
interface Rule {
  readonly body: string;
  readonly packets: number;
  readonly bytes: number;
}

/** What stands in the raw table of one family. */
export interface Rules {
  readonly hasChain: boolean;
  /** How often PREROUTING jumps to our chain. */
  readonly jumps: number;
  /** Does a rule ahead of the first jump let packets by that our chain would drop? */
  readonly isPassedBy: boolean;
  /** Did Bailiff make the table? */
  readonly isMade: boolean;
  readonly rules: readonly Rule[];
  /** Is there anything that isn't ours: a rule, a chain, a policy that drops? */
  readonly hasOthers: boolean;
}

/** @param saved what `iptables-save -c -t raw` says. */
export function readRules(saved: string): Rules {
  const rules: Rule[] = [];
  let [hasChain, isMade, hasOthers, isPassedBy, jumps] = [false, false, false, false, 0];
  for (const line of saved.split('\n')) {
    const rule = RULE.exec(line);
    if (rule) rules.push({ packets: Number(rule[1]), bytes: Number(rule[2]), body: settled(rule[3]!) });
    else if (line.startsWith(`:${CHAIN} `)) hasChain = true;
    else if (line.startsWith(`:${MADE} `)) isMade = true;
    else if (line.endsWith(`] ${JUMP}`)) jumps++;
    else if (isOthers(line)) {
      hasOthers = true;
      if (jumps === 0 && ENDS.test(line)) isPassedBy = true;
    }
  }
  return { hasChain, jumps, isPassedBy: isPassedBy && jumps > 0, isMade, rules, hasOthers };
}

/** A rule, a chain or a policy; or the remark that there is something that iptables doesn't know. */
function isOthers(line: string): boolean {
  if (line.startsWith(':')) return !/^:(?:PREROUTING|OUTPUT) ACCEPT /.test(line);
  return line.startsWith('[') || line.startsWith("# Table `raw' ");
}

/** RETURN, not ACCEPT: other rules of the host for this packet are none of our business. */
function allowRule(family: Family): string {
  return `-m set --match-set ${allowSetName(family)} src -j RETURN`;
}

/**
 * Without ports everything of the protocol is dropped: fragments and ICMP errors too, which bear no ports. A set of ports
 * matches TCP and UDP alone, so `any` needs no protocol.
 */
export function banRule(set: BanSet): string {
  const { name, protocol, ports, answer } = set;
  const what = protocol === 'any' ? '' : `-p ${protocol} `;
  const where = ports === undefined ? '' : `-m set --match-set ${ports} dst `;
  const whose = `${what}-m set --match-set ${name} src ${where}`;
  if (answer?.do === 'reject') return `${whose}${SET_MARK}`;
  return `${whose}${answer ? limit(set, answer.rate) : ''}-j DROP`;
}

/** So many packets for each address or network of the set; what is beyond goes on to the verdict. */
function limit({ name, family, bits }: BanSet, { packets, per }: Rate): string {
  const mask = bits === widthOf(family) ? '' : `--hashlimit-srcmask ${bits} `;
  return (
    `-m hashlimit --hashlimit-above ${packets}/${per} --hashlimit-burst ${packets} --hashlimit-mode srcip ` +
    `--hashlimit-name ${name} ${mask}`
  );
}

/** iptables-save writes a rate in another unit, and an expiry that nobody asked for; the name has the rate as well. */
function settled(body: string): string {
  return body.replace(/ --hashlimit-(?:above|htable-expire) \S+/g, '');
}

/** What stands further up in the chain ranks higher. */
function rankOf(body: string): number {
  if (body.endsWith('-j RETURN')) return Infinity;
  if (body.endsWith(SET_MARK)) return 1;
  return body.includes(' -m hashlimit ') ? 0 : 2;
}

/** The rules that should stand, allowed addresses ahead of every drop. */
export function wantedRules(family: Family, sets: readonly BanSet[]): string[] {
  const bans = sets.filter((set) => set.family === family).map(banRule);
  return [allowRule(family), ...bans.toSorted((a, b) => rankOf(b) - rankOf(a))];
}

/** Does traffic come by this rule? */
export function isEnforced({ hasChain, jumps, rules }: Rules, body: string): boolean {
  return hasChain && jumps > 0 && rules.some((rule) => rule.body === settled(body));
}

/** The rules that drop or reject, with what they counted. */
export function dropsOf(found: Rules): readonly Dropped[] {
  return found.rules.filter(({ body }) => !body.endsWith('-j RETURN'));
}

/**
 * One transaction that leaves exactly the wanted rules in our chain, with the counts that they had.
 * @param makesTable the raw table isn't there yet.
 * @returns undefined where nothing is missing or too much.
 */
export function completeRules(
  found: Rules,
  wanted: readonly string[],
  makesTable: boolean,
): string | undefined {
  const lines: string[] = [];
  const kept = found.jumps === 0 || found.isPassedBy ? 0 : 1;
  for (let extra = found.jumps; extra > kept; extra--) lines.push(`-D PREROUTING -j ${CHAIN}`);
  if (kept === 0) lines.push(`-I PREROUTING 1 -j ${CHAIN}`);
  const declared: string[] = makesTable ? [`:${MADE} - [0:0]`] : [];
  const bodies = found.rules.map(({ body }) => body);
  const missing = wanted.filter((each) => !bodies.includes(settled(each)));
  const ranks = [...bodies, ...missing].map(rankOf);
  const isInOrder =
    found.hasChain &&
    (bodies.length === 0 || bodies[0] === wanted[0]) &&
    new Set(bodies).size === bodies.length &&
    ranks.every((rank, index) => index === 0 || rank <= ranks[index - 1]!) &&
    bodies.every((body) => wanted.some((each) => settled(each) === body));
  // To declare a chain that is there empties it.
  if (!isInOrder) declared.push(`:${CHAIN} - [0:0]`);
  for (const body of isInOrder ? missing : wanted) {
    const had = found.rules.find((rule) => rule.body === settled(body));
    lines.push(`[${had?.packets ?? 0}:${had?.bytes ?? 0}] -A ${CHAIN} ${body}`);
  }
  return declared.length + lines.length === 0 ? undefined : inTable([...declared, ...lines]);
}

/** One transaction that takes out everything of ours. @returns undefined where there is nothing. */
export function removeRules({ hasChain, jumps, isMade }: Rules): string | undefined {
  const lines = Array.from({ length: jumps }, () => `-D PREROUTING -j ${CHAIN}`);
  if (hasChain) lines.push(`-F ${CHAIN}`, `-X ${CHAIN}`);
  if (isMade) lines.push(`-X ${MADE}`);
  return lines.length === 0 ? undefined : inTable(lines);
}

/** Given to `iptables-restore` without `--noflush`, it removes the table with whatever is in it. */
export const noTable = (table: 'raw' | 'filter'): string => inTable([], table);

function inTable(lines: readonly string[], table = 'raw'): string {
  return [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
}
