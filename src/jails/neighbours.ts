// Who is banned beside whom: from so many banned addresses on, a step of `respond` bans the network around them. Told by
// the lines' own stamps, so that the same lines give the same verdicts. What it costs grows with whoever has a sentence.
import { mask } from '../address.ts';
import type { Instant, JailRules, Network, Step } from '../model.ts';
import type { Around, Ignoring } from './contract.ts';
import { isBannedAt, type Tally } from './tally.ts';

export interface Neighbours {
  /** The tally has a sentence from now on. A second call is harmless. */
  note(tally: Tally): void;
  /** The tally is forgotten. */
  forget(tally: Tally): void;
  /** The network around the address that is banned as a whole at that instant. */
  bannedAround(address: Network, at: Instant): Tally | undefined;
  /**
   * What becomes of the network around somebody under this step.
   * @param isNew is he to be counted although he has no sentence yet?
   * @returns undefined where the step asks for none.
   */
  around(address: Network, step: Step | undefined, at: Instant, isNew: boolean): Around | undefined;
}

export function createNeighbours(
  { respond = [] }: JailRules,
  ignoring: Ignoring,
  find: (network: Network) => Tally | undefined,
): Neighbours {
  const lengths = {
    4: lengthsOf(respond.map(({ wider }) => wider?.ipv4)),
    6: lengthsOf(respond.map(({ wider }) => wider?.ipv6)),
  };
  /** Most jails ban nobody's network. */
  const isAsked = lengths[4].length > 0 || lengths[6].length > 0;
  const members = new Map<string, Set<Tally>>();

  /** The networks that the address may be banned with. */
  const networksOf = (address: Network): Network[] =>
    lengths[address.family].filter((length) => length < address.bits).map((length) => mask(address, length));

  return {
    note(tally) {
      if (!isAsked) return;
      for (const { text } of networksOf(tally.address))
        members.set(text, (members.get(text) ?? new Set()).add(tally));
    },
    forget(tally) {
      if (!isAsked) return;
      for (const { text } of networksOf(tally.address)) {
        const left = members.get(text);
        left?.delete(tally);
        if (left?.size === 0) members.delete(text);
      }
    },
    bannedAround(address, at) {
      if (lengths[address.family].length === 0) return undefined;
      for (const network of networksOf(address)) {
        const tally = find(network);
        if (tally && isBannedAt(tally, at) && !tally.throttled) return tally;
      }
      return undefined;
    },
    around(address, step, at, isNew) {
      const length = address.family === 4 ? step?.wider?.ipv4 : step?.wider?.ipv6;
      if (length === undefined || length >= address.bits) return undefined;
      const network = mask(address, length);
      const banned = [...(members.get(network.text) ?? [])].filter((tally) => isBannedAt(tally, at));
      const others = banned.filter((tally) => tally.address.text !== address.text).length;
      const offenders = others + (isNew || others < banned.length ? 1 : 0);
      const spared = ignoring.whySpared?.(network, at);
      return { culprit: address, network, offenders, when: step!.wider!.when, spared };
    },
  };
}

function lengthsOf(written: readonly (number | undefined)[]): readonly number[] {
  return [...new Set(written.filter((length) => length !== undefined))];
}
