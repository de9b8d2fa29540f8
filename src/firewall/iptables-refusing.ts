// The part of the iptables back end that stands in the filter table: laid, looked at and taken away through the programs.
import type { IptablesProgram } from './iptables-program.ts';
import * as refusal from './iptables-refusal.ts';
import type { Family } from './iptables-sets.ts';
import { unavailable } from './unavailable.ts';

export interface Refusing {
  /** Rejects what the raw table marks. @returns why that can't be, or undefined. */
  lay(family: Family): Promise<string | undefined>;
  isWhole(family: Family): Promise<boolean>;
  /** @throws BailiffError E_FIREWALL_UNAVAILABLE where it stays. */
  remove(family: Family): Promise<void>;
}

export function createRefusing(programs: IptablesProgram): Refusing {
  async function find(family: Family): Promise<refusal.Refusal> {
    const saved = await programs.saveRules(family, 'filter');
    if ('text' in saved) return refusal.readRefusal(saved.text);
    throw unavailable(`the filter table of iptables can't be read: ${saved.why}`);
  }

  return {
    async lay(family) {
      const found = await find(family);
      const makesTable = !found.hasChain && !found.isMade && !(await programs.hasTable(family, 'filter'));
      const input = refusal.completeRefusal(found, family, makesTable);
      return input === undefined ? undefined : programs.restoreRules(family, input);
    },
    isWhole: async (family) => refusal.isRefusing(await find(family), family),
    async remove(family) {
      const saved = await programs.saveRules(family, 'filter');
      if ('why' in saved) return; // The kernel has no such family: nothing was laid there.
      const found = refusal.readRefusal(saved.text);
      const input = refusal.removeRefusal(found);
      if (input === undefined) return;
      const refused = await programs.restoreRules(family, input);
      if (refused !== undefined)
        throw unavailable(`the chain in the filter table can't be removed: ${refused}`);
      if (found.isMade && !found.hasOthers) await programs.removeTable(family, 'filter');
    },
  };
}
