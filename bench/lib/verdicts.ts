// What a jail must say of an input, reckoned the slow and plain way by whoever made the input: never by our own code.

/** A verdict that is not the right one: then no time counts. */
export class WrongVerdict extends Error {}

/** How many match, and who is banned; of IPv6 the /64. */
export interface Verdict {
  readonly matches: number;
  readonly banned: readonly string[];
}

/** Counts as a jail does whose bans never end. */
export interface Reckoner {
  /** @param at in seconds; never earlier than the one before. */
  match(who: string, at: number): void;
  verdict(): Verdict;
}

/** @param maxRetry the match that bans. @param findTime seconds that its first and last are apart at most. */
export function reckon(maxRetry: number, findTime: number): Reckoner {
  const seen = new Map<string, number[]>();
  const banned = new Set<string>();
  let matches = 0;
  return {
    match(who, at) {
      matches++;
      if (banned.has(who)) return;
      const stamps = seen.get(who) ?? [];
      seen.set(who, stamps);
      stamps.push(at);
      if (stamps.length > maxRetry) stamps.shift();
      if (stamps.length === maxRetry && at - stamps[0]! <= findTime) banned.add(who);
    },
    verdict: () => ({ matches, banned: [...banned].toSorted() }),
  };
}

/** @throws WrongVerdict where the two are not the same set. */
export function mustBe(what: string, seen: Iterable<string>, wanted: Iterable<string>): void {
  const [got, due] = [new Set(seen), new Set(wanted)];
  const missing = [...due].filter((one) => !got.has(one));
  const extra = [...got].filter((one) => !due.has(one));
  if (missing.length === 0 && extra.length === 0) return;
  const some = (all: string[]) => all.slice(0, 3).join(', ');
  throw new WrongVerdict(
    `${what}: ${missing.length} of ${due.size} are missing (${some(missing)}), ${extra.length} too many (${some(extra)})`,
  );
}

/** @throws WrongVerdict where the numbers differ. */
export function mustEqual(what: string, seen: number, wanted: number): void {
  if (seen !== wanted) throw new WrongVerdict(`${what}: ${seen} instead of ${wanted}`);
}
