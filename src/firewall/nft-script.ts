// The statements of nft(8) that Bailiff uses, as text. Pure. Nothing but numbers, canonical addresses and names of our
// own making goes into them.
import type { Instant, Rate } from '../model.ts';
import { elementsIn } from './nft-element-bytes.ts';
import { maskText, type SetSpec } from './sets.ts';

/** One of nft's, or one about elements, which the kernel can be told without nft as well (`nft-batch.ts`). */
export type Statement = string | ElementStatement;

export interface ElementStatement {
  readonly what: 'add' | 'delete';
  readonly set: string;
  /** As `createElementWriter` writes them. */
  readonly elements: Buffer;
}

export const TABLE = 'inet bailiff';
export const CHAIN = 'prerouting';
/** Where what is rejected gets its answer. Made with the first rule that needs it. */
export const REFUSE = 'refuse';
/** Raw: after defragmentation, ahead of conntrack (-200) and DNAT (-100). */
export const PRIORITY = -300;

/**
 * How much longer than its sentence an element stays in the kernel, in milliseconds. The release is the daemon's; the
 * kernel's own end is there for when no daemon runs. It must not come first: a busy daemon would find the ban gone.
 */
export const KERNEL_SLACK = 30_000;

const DAY = 86_400;
/** nft 1.0.6 reads no more than eight digits; more seconds must be written as days. */
const MAX_SECONDS = 99_999_999;
/** 273 years; a million days are out of the kernel's range. A longer sentence ends with it. */
const MAX_TIMEOUT = 100_000 * DAY;

export function addTable(table = TABLE): string {
  return `add table ${table}`;
}

export function deleteTable(): string {
  return `delete table ${TABLE}`;
}

export function addChain(table = TABLE): string {
  return `add chain ${table} ${CHAIN} { type filter hook prerouting priority ${PRIORITY}; policy accept; }`;
}

/** The chain that rejects, with exactly its two rules, whatever was there. */
export function addRefuse(): string[] {
  return [
    `add chain ${TABLE} ${REFUSE}`,
    `flush chain ${TABLE} ${REFUSE}`,
    `add rule ${TABLE} ${REFUSE} meta l4proto tcp reject with tcp reset`,
    `add rule ${TABLE} ${REFUSE} reject with icmpx type port-unreachable`,
  ];
}

export function flushChain(): string {
  return `flush chain ${TABLE} ${CHAIN}`;
}

export function deleteChain(): string {
  return `delete chain ${TABLE} ${CHAIN}`;
}

/** A set that exists already is left as it is. */
export function addSet(set: SetSpec): string {
  const flags = set.purpose === 'ban' ? ' flags timeout;' : '';
  const { answer } = set.scope;
  // Each element has a limit of its own.
  const limit = answer?.do === 'throttle' ? ` ${limitOf(answer.rate)};` : '';
  return `add set ${TABLE} ${set.name} { type ipv${set.family}_addr;${flags}${limit} }`;
}

/** The mark of whoever enforces here: an empty set, whose name says it all. */
export function addOwner(id: string): string {
  return `add set ${TABLE} owner_${id} { type ipv4_addr; }`;
}

export function deleteOwner(id: string): string {
  return `delete set ${TABLE} owner_${id}`;
}

/** At the top of the chain. */
export function insertRule(set: SetSpec): string {
  return `insert rule ${TABLE} ${CHAIN} ${ruleBody(set, 0, 0)}`;
}

/** At the end of the chain, with counts to begin from. */
export function addRule(set: SetSpec, packets: number, bytes: number): string {
  return `add rule ${TABLE} ${CHAIN} ${ruleBody(set, packets, bytes)}`;
}

export function flushSet(name: string): string {
  return `flush set ${TABLE} ${name}`;
}

/** In nft's words. */
export function textOf(statement: Statement): string {
  if (typeof statement === 'string') return statement;
  const elements = Array.from(elementsIn(statement.elements), elementText);
  return `${statement.what} element ${TABLE} ${statement.set} { ${elements.join(', ')} }`;
}

function elementText({
  address,
  timeout,
}: {
  readonly address: string;
  readonly timeout: number | undefined;
}): string {
  if (timeout === undefined) return address;
  const length = timeout <= MAX_SECONDS ? `${timeout}s` : `${Math.floor(timeout / DAY)}d${timeout % DAY}s`;
  return `${address} timeout ${length}`;
}

/** Until the kernel's end, {@link KERNEL_SLACK} after the sentence's, in seconds; undefined where it has none. */
export function timeoutOf(until: Instant | undefined, now: Instant): number | undefined {
  if (until === undefined) return undefined;
  return Math.min(Math.ceil((until - now + KERNEL_SLACK) / 1_000), MAX_TIMEOUT);
}

/** Which addresses a rule asks the set for: `ip saddr`, `ip saddr & 255.255.255.0`. */
export function sourceOf({ family, bits }: SetSpec): string {
  const mask = bits === (family === 4 ? 32 : 128) ? '' : ` & ${maskText(family, bits)}`;
  return `${family === 4 ? 'ip' : 'ip6'} saddr${mask}`;
}

function ruleBody(set: SetSpec, packets: number, bytes: number): string {
  const source = `${sourceOf(set)} @${set.name}`;
  if (set.purpose === 'allow') return `${source} accept`;
  const counter = `counter packets ${packets} bytes ${bytes}`;
  const { answer } = set.scope;
  // Only what the ban is about may use up a limit: so its set is asked last.
  if (answer?.do === 'throttle') return `${trafficOf(set)}${source} ${counter} drop`;
  return `${source} ${trafficOf(set)}${counter} ${answer ? `goto ${REFUSE}` : 'drop'}`;
}

function limitOf({ packets, per }: Rate): string {
  return `limit rate over ${packets}/${per} burst ${packets} packets`;
}

/** Without ports everything of the protocol is dropped: fragments and ICMP errors too, which bear no ports. */
function trafficOf({ scope: { protocol, ports } }: SetSpec): string {
  if (ports.length === 0) return protocol === 'any' ? '' : `meta l4proto ${protocol} `;
  const list = `{ ${ports.join(', ')} } `;
  return protocol === 'any' ? `meta l4proto { tcp, udp } th dport ${list}` : `${protocol} dport ${list}`;
}
