// In: matches with their instants, rules, whom never to count, and what is remembered of earlier offenders.
// Out: verdicts, the changed offenders for the ledger, and what the next sentence of an address would be.
// Never: reads a clock, a file or a random number, so that the same matches in the same order give the same verdicts.
import type { Jail, Prior } from './contract.ts';
import type { Earlier } from './sentence.ts';

export { createJail } from './jail.ts';
export { createBrake, NOTHING_BRAKED } from './brake.ts';
export { whyWelcome } from './welcomes.ts';

/**
 * What `banTime.scope: "all"` asks: every jail's latest sentence of an address. Hand the same to each jail as `prior`.
 * @param jails looked at with each sentence, so that jails may be made after it.
 */
export function priorOf(jails: () => Iterable<Jail>): Prior {
  return (address) => {
    const found: Earlier[] = [];
    for (const jail of jails()) {
      const sentence = jail.sentenceOf(address);
      if (sentence) found.push(sentence);
    }
    return found;
  };
}
