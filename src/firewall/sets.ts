// The names of the kernel's sets, and what they say: `ban4_32_any`, `ban6_64_tcp_22_80`, `ban4_32_reject_any`,
// `ban4_32_throttle_10_minute_any`, `allow4_24`. Pure.
// One hash set per scope, family and prefix length: interval sets take 430 ms for one more element at 100 000, and
// refuse overlaps; a hash set is asked for the masked address instead.
import { createHash } from 'node:crypto';
import { networkOf, widthOf } from '../address.ts';
import { answerText } from '../answer.ts';
import type { Gentle, Network, Rate, Scope } from '../model.ts';

/** One set of the table and the rule that asks it. */
export interface SetSpec {
  readonly name: string;
  readonly purpose: 'allow' | 'ban';
  readonly family: 4 | 6;
  /** The length to which an address is masked before the set is asked. */
  readonly bits: number;
  /** What traffic the rule takes; of an allow set: everything. */
  readonly scope: Scope;
}

/** The kernel takes 255 characters; a line of a listing should stay readable. */
const MAX_NAME = 127;
const EVERYTHING: Scope = { protocol: 'any', ports: [] };
const NAME =
  /^(allow|ban)(4|6)_(\d{1,3})(?:(?:_(reject)|_throttle_(\d{1,5})_(second|minute|hour|day))?_(any|tcp|udp)((?:_\d{1,5})*)(_x[0-9a-f]{16})?)?$/;

export function allowSet(network: Network): SetSpec {
  const { family, bits } = network;
  return { name: `allow${family}_${bits}`, purpose: 'allow', family, bits, scope: EVERYTHING };
}

/** Of each scope by family and length: all bans of a jail share one, and there may be hundreds of thousands. */
const banSets = new WeakMap<Scope, Map<number, SetSpec>>();

export function banSet(scope: Scope, { family, bits }: Network): SetSpec {
  let sets = banSets.get(scope);
  if (!sets) banSets.set(scope, (sets = new Map()));
  // Lengths end at 128.
  const key = family * 256 + bits;
  let set = sets.get(key);
  if (!set)
    sets.set(key, (set = { name: banSetName(scope, family, bits), purpose: 'ban', family, bits, scope }));
  return set;
}

/**
 * Reads a set's name back.
 * @param scopeInRule what the set's rule says: where the ports are too many for a name, only the rule has them.
 * @returns undefined for a name that Bailiff doesn't give, or whose scope can't be known.
 */
export function readSetName(name: string, scopeInRule: Scope | undefined): SetSpec | undefined {
  const parts = NAME.exec(name);
  if (!parts) return undefined;
  const [, purpose, familyText, bitsText, rejects, packets, per, protocol, portsText, hash] = parts;
  const family = familyText === '4' ? 4 : 6;
  const bits = Number(bitsText);
  if (bits > widthOf(family) || (purpose === 'ban') !== (protocol !== undefined)) return undefined;
  if (purpose === 'allow') return { name, purpose, family, bits, scope: EVERYTHING };
  const ports = (portsText ?? '').split('_').slice(1).map(Number);
  const answer: Gentle | undefined = rejects
    ? { do: 'reject' }
    : packets === undefined
      ? undefined
      : { do: 'throttle', rate: { packets: Number(packets), per: per as Rate['per'] } };
  const traffic = hash ? scopeInRule : { protocol: protocol as Scope['protocol'], ports };
  const scope = traffic && answer ? { ...traffic, answer } : traffic;
  // A name that isn't the one we would give is somebody else's set, or a rule that was changed by hand.
  if (!scope || banSetName(scope, family, bits) !== name) return undefined;
  return { name, purpose: 'ban', family, bits, scope };
}

/** `any`, `tcp:22,80`, `any reject`: equal for equal scopes. */
export function scopeKey({ protocol, ports, answer }: Scope): string {
  const traffic = ports.length === 0 ? protocol : `${protocol}:${sorted(ports).join(',')}`;
  return answer ? `${traffic} ${answerText(answer)}` : traffic;
}

/** The text of an element: the network's base, without its length. */
export function elementOf(network: Network): string {
  const slash = network.text.indexOf('/');
  return slash < 0 ? network.text : network.text.slice(0, slash);
}

/** `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export function maskText(family: 4 | 6, bits: number): string {
  return elementOf(networkOf(family, new Uint8Array(family === 4 ? 4 : 16).fill(0xff), bits));
}

function banSetName(scope: Scope, family: 4 | 6, bits: number): string {
  const start = `ban${family}_${bits}_${answerWord(scope.answer)}${scope.protocol}`;
  if (scope.ports.length === 0) return start;
  const ports = sorted(scope.ports);
  const name = `${start}_${ports.join('_')}`;
  if (name.length <= MAX_NAME) return name;
  return `${start}_x${createHash('sha256').update(ports.join()).digest('hex').slice(0, 16)}`;
}

function answerWord(answer: Gentle | undefined): string {
  if (!answer) return '';
  return answer.do === 'reject' ? 'reject_' : `throttle_${answer.rate.packets}_${answer.rate.per}_`;
}

/** In order, each once. */
export function sorted(ports: readonly number[]): readonly number[] {
  return ports.length < 2 ? ports : [...new Set(ports)].toSorted((a, b) => a - b);
}
