// The sets of the iptables back end, by name: `bailiff-ban4-32-any`, `bailiff-ban6-64-tcp-22-80`, `bailiff-allow4`,
// `bailiff-ports-22-80`; of those that reject `bailiff-banr4-32-any`, of those that let 10 packets a minute through
// `bailiff-bantam4-32-a`. A name says everything that a rule needs, so rules can be written from names alone. Pure.
//
// An ipset name holds 31 characters: port lists that are too long for it are named by their hash, and stand in the set
// of ports. All sets of addresses are hash:net: as fast as hash:ip, and the only one that takes 0.0.0.0.
import { createHash } from 'node:crypto';
import { widthOf } from '../address.ts';
import type { Gentle, Instant, Network, Rate, Scope } from '../model.ts';
import { KERNEL_SLACK } from './nft-script.ts';
import { sorted } from './sets.ts';

export const FAMILIES = [4, 6] as const;
export type Family = (typeof FAMILIES)[number];

/** A ban set as its name describes it. */
export interface BanSet {
  readonly name: string;
  readonly family: Family;
  readonly bits: number;
  readonly protocol: Scope['protocol'];
  /** The name of the set that holds the scope's ports; undefined where it takes every port. */
  readonly ports: string | undefined;
  /** undefined: drop. */
  readonly answer: Gentle | undefined;
}

/** ipset's default is 65 536. Memory is taken by what is in the set, not by what could be. */
const MAX_ELEMENTS = 16_777_216;
/** The longest timeout that ipset takes, in seconds: 24.8 days. */
export const MAX_TIMEOUT = 2_147_483;
/** What of a name is left for ports behind `bailiff-ban6-128-any-`, `bailiff-banr6-128-any-`, `bailiff-bant7psm6-128-a-`. */
const PORTS_LENGTH = { drop: 10, reject: 9, throttle: 7 } as const;
const BAN =
  /^bailiff-ban(?:(r)|t([0-9a-z]{1,3})([smhd]))?([46])-(\d{1,3})-(any|tcp|udp|[atu])(?:-([\d-]+|x[0-9a-f]{6,9}))?$/;
/** Where the rate takes up the name's room. */
const LETTERS = { any: 'a', tcp: 't', udp: 'u' } as const;
const PROTOCOLS: readonly Scope['protocol'][] = ['any', 'tcp', 'udp'];
const UNITS: readonly Rate['per'][] = ['second', 'minute', 'hour', 'day'];
const OWNER = /^bailiff-owner-([0-9a-z]{1,5})-([0-9a-z]{1,11})$/;
const OURS = /^bailiff-(?:allow[46]|fresh[46]|ban[rt46].*|ports-.*|owner-.*)$/;

export function allowSetName(family: Family): string {
  return `bailiff-allow${family}`;
}

export function banSetOf({ protocol, ports, answer }: Scope, { family, bits }: Network): BanSet {
  const key = portsKey(ports, answer);
  const word = answer?.do === 'throttle' ? LETTERS[protocol] : protocol;
  const name = `bailiff-ban${answerWord(answer)}${family}-${bits}-${word}${key === '' ? '' : `-${key}`}`;
  const held = key === '' ? undefined : `bailiff-ports-${key}`;
  return { name, family, bits, protocol, ports: held, answer };
}

function answerWord(answer: Gentle | undefined): string {
  if (answer?.do !== 'throttle') return answer ? 'r' : '';
  return `t${answer.rate.packets.toString(36)}${answer.rate.per[0]}`;
}

/** @returns undefined for a name that Bailiff doesn't give to a ban set. */
export function readBanSet(name: string): BanSet | undefined {
  const parts = BAN.exec(name);
  if (!parts) return undefined;
  const [, rejects, packets, unit, familyText, bitsText, word, key] = parts;
  const family = familyText === '4' ? 4 : 6;
  const bits = Number(bitsText);
  if (bits > widthOf(family)) return undefined;
  const ports = key === undefined ? undefined : `bailiff-ports-${key}`;
  const protocol = PROTOCOLS.find((each) => each === word || each[0] === word)!;
  const per = UNITS.find((each) => each[0] === unit);
  const answer: Gentle | undefined = rejects
    ? { do: 'reject' }
    : per && { do: 'throttle', rate: { packets: parseInt(packets!, 36), per } };
  return { name, family, bits, protocol, ports, answer };
}

/** @returns the scope; undefined where the ports that the set holds are not those that it is named for. */
export function scopeOf(
  { protocol, ports: name, answer }: BanSet,
  held: readonly number[],
): Scope | undefined {
  const ports = sorted(held);
  if (name !== undefined && name !== `bailiff-ports-${portsKey(ports, answer)}`) return undefined;
  const traffic = { protocol, ports: name === undefined ? [] : ports };
  return answer ? { ...traffic, answer } : traffic;
}

/** A set that Bailiff made, of whatever purpose. */
export function isOurs(name: string): boolean {
  return OURS.test(name);
}

/**
 * The mark of whoever enforces here: an empty set, whose name says it all. In base 36, so that any pid and start time fit.
 * @param id `PID_START`.
 */
export function ownerSetName(id: string): string {
  const [pid, start] = id.split('_').map(Number);
  return `bailiff-owner-${pid!.toString(36)}-${start!.toString(36)}`;
}

export function readOwner(name: string): string | undefined {
  const parts = OWNER.exec(name);
  return parts ? `${parseInt(parts[1]!, 36)}_${parseInt(parts[2]!, 36)}` : undefined;
}

// ── lines for `ipset -exist restore` ─────────────────────────────────────────────────────────────────────────────

/** The lines that make a ban set and the set of its ports, where they are not there. */
export function makeBanSet({ name, family, ports }: BanSet, { ports: numbers }: Scope): string[] {
  const made = `create ${name} hash:net family ${familyWord(family)} maxelem ${MAX_ELEMENTS} timeout 0 comment`;
  if (ports === undefined) return [made];
  const filled = sorted(numbers).map((port) => `add ${ports} ${port}`);
  return [`create ${ports} bitmap:port range 0-65535`, `flush ${ports}`, ...filled, made];
}

/** The lines that make the set of allowed addresses hold exactly these, in one step. */
export function makeAllowSet(family: Family, networks: readonly Network[]): string[] {
  const name = allowSetName(family);
  const fresh = `bailiff-fresh${family}`;
  const create = (set: string): string =>
    `create ${set} hash:net family ${familyWord(family)} maxelem ${MAX_ELEMENTS}`;
  const elements = networks.filter((network) => network.family === family).flatMap(elementsOf);
  return [
    create(name),
    create(fresh),
    `flush ${fresh}`,
    ...elements.map((element) => `add ${fresh} ${element}`),
    `swap ${fresh} ${name}`,
    `destroy ${fresh}`,
  ];
}

export function makeOwner(id: string): string {
  return `create ${ownerSetName(id)} hash:net`;
}

/**
 * Blocks a network until {@link KERNEL_SLACK} after its end. An end that is further away than ipset can count is written
 * beside the element, which {@link MAX_TIMEOUT} must then be renewed before.
 */
export function addBan(set: string, network: Network, until: Instant | undefined, now: Instant): string[] {
  return elementsOf(network).map((element) => `add ${set} ${element} ${endOf(until, now)}`);
}

export function removeBan(set: string, network: Network): string[] {
  return elementsOf(network).map((element) => `del ${set} ${element}`);
}

function endOf(until: Instant | undefined, now: Instant): string {
  if (until === undefined) return 'timeout 0';
  const seconds = Math.ceil((until - now + KERNEL_SLACK) / 1_000);
  return seconds <= MAX_TIMEOUT ? `timeout ${seconds}` : `timeout ${MAX_TIMEOUT} comment "until ${until}"`;
}

/** hash:net has no length 0: everything is two halves. */
function elementsOf({ family, bits, text }: Network): string[] {
  if (bits > 0) return [text];
  return family === 4 ? ['0.0.0.0/1', '128.0.0.0/1'] : ['::/1', '8000::/1'];
}

function familyWord(family: Family): 'inet' | 'inet6' {
  return family === 4 ? 'inet' : 'inet6';
}

function portsKey(ports: readonly number[], answer: Gentle | undefined): string {
  const room = PORTS_LENGTH[answer?.do ?? 'drop'];
  if (ports.length === 0) return '';
  const key = sorted(ports).join('-');
  if (key.length <= room) return key;
  return `x${createHash('sha256')
    .update(key)
    .digest('hex')
    .slice(0, room - 1)}`;
}
