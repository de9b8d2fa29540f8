// After a damaged ledger was set aside: what stands in our part of the kernel is all that is left of the bans in force.
import type { Block, Instant, Scope } from '../model.ts';
import type { Bans } from './bans.ts';
import type { Protection } from './host/protection.ts';

/** Under this name they count for no jail's `nth`. It is followed by what they drop, where that isn't everything. */
const RECOVERED = 'recovered';

/** Makes bans of blocks, with the ends that the kernel has. What is allowed by now is left to be lifted. @returns how many. */
export function adoptBlocks(
  blocks: Iterable<Block>,
  { bans, protection }: { readonly bans: Bans; readonly protection: Protection },
  now: Instant,
): number {
  const wanted = [...blocks].filter(({ network }) => protection.whyAllowed(network) === undefined);
  for (const { network, scope, until } of wanted)
    bans.impose(
      {
        ...{
          address: network,
          jail: nameOf(scope),
          since: now,
          until,
          nth: 1,
          by: RECOVERED,
          evidence: [],
          scope,
        },
        reason: 'stood in the kernel when the ledger was found damaged',
      },
      now,
    );
  return wanted.length;
}

function nameOf({ protocol, ports }: Scope): string {
  if (protocol === 'any' && ports.length === 0) return RECOVERED;
  return [RECOVERED, protocol, ...ports].join('-');
}
