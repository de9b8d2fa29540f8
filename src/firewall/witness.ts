// What the kernel itself says about one ban: does it hold it, does an allowed address pass ahead of it, do packets come.
// For diagnosing bans without effect; the enforcer does not depend on it.
import { mask } from '../address.ts';
import type { Network, Scope } from '../model.ts';
import type { Exec } from '../ports.ts';
import type { Firewall } from './contract.ts';
import { findVariant } from './iptables-program.ts';
import { isEnforced as isEnforcedByIptables, banRule, readRules } from './iptables-rules.ts';
import { allowSetName, banSetOf } from './iptables-sets.ts';
import { isEnforced } from './nft-layout.ts';
import { readLayout } from './nft-listing.ts';
import { TABLE } from './nft-script.ts';
import { isReadable, listStructure } from './nft-structure.ts';
import { placeProbe, removeProbe, type Probe } from './probe.ts';
import { banSet, elementOf } from './sets.ts';
import { readSurroundings, type Surroundings } from './surroundings.ts';

export interface Witness {
  /** Is the block in the kernel, with a rule that asks for it? undefined: nobody can say. */
  holds(scope: Scope, network: Network): Promise<boolean | undefined>;
  /** Does the kernel let the address pass ahead of every drop? */
  allows(address: Network): Promise<boolean>;
  /** A rule of somebody else that accepts packets before Bailiff's are asked, as it is written. */
  acceptedAhead(): Promise<string | undefined>;
  surroundings(): Promise<Surroundings | undefined>;
  /** @returns undefined where packets can't be counted. */
  probe(network: Network): Promise<Probe | undefined>;
  /** Takes away what a daemon that was killed in the middle may have left. */
  tidy(): Promise<void>;
}

const PATIENCE = 10_000;

/** @returns undefined for back ends without a kernel to ask. */
export function createWitness(kind: Firewall['kind'], exec: Exec): Witness | undefined {
  if (kind === 'nftables') return nftWitness(exec);
  return kind === 'iptables' ? iptablesWitness(exec) : undefined;
}

function nftWitness(exec: Exec): Witness {
  const ask = async (args: readonly string[]) =>
    exec.run({ file: exec.find('nft') ?? '', args, timeout: PATIENCE });
  const table = TABLE.split(' ');
  const structure = async () => {
    const json = await listStructure(async (args) => {
      const { code, stdout } = await ask(args);
      return code === 0 ? stdout : undefined;
    });
    return json !== undefined && isReadable(json) ? readLayout(json) : undefined;
  };
  const isIn = async (set: string, network: Network): Promise<boolean | undefined> => {
    const { code, stderr } = await ask(['get', 'element', ...table, set, `{ ${elementOf(network)} }`]);
    if (code === 0) return true;
    return stderr.includes('No such file or directory') ? false : undefined;
  };
  return {
    async holds(scope, network) {
      const layout = await structure();
      if (!layout) return undefined;
      const set = banSet(scope, network);
      return isEnforced(layout, set) ? isIn(set.name, network) : false;
    },
    async allows(address) {
      const layout = await structure();
      for (const set of layout?.sets.values() ?? [])
        if (set.purpose === 'allow' && set.family === address.family && set.bits <= address.bits)
          if (await isIn(set.name, mask(address, set.bits))) return true;
      return false;
    },
    async acceptedAhead() {
      const layout = await structure();
      const strange = layout?.rules.find(
        ({ set, verdict }) => verdict === 'accept' && !set?.startsWith('allow'),
      );
      return strange && `a rule of somebody else in the table ${TABLE} accepts`;
    },
    surroundings: () => readSurroundings(exec),
    probe: (network) => placeProbe(exec, network),
    tidy: async () => {
      if ((await structure())?.hasTable) await removeProbe(exec);
    },
  };
}

function iptablesWitness(exec: Exec): Witness {
  async function isIn(set: string, network: Network): Promise<boolean | undefined> {
    const file = exec.find('ipset');
    if (file === undefined) return undefined;
    const { code, stderr } = await exec.run({ file, args: ['test', set, network.text], timeout: PATIENCE });
    if (code === 0) return true;
    return /is NOT in set|does not exist/.test(stderr) ? false : undefined;
  }
  async function raw(family: 4 | 6): Promise<string> {
    const suffix = (await findVariant(exec))?.suffix ?? '';
    const file = exec.find(`${family === 4 ? 'iptables' : 'ip6tables'}${suffix}-save`);
    if (file === undefined) return '';
    return (await exec.run({ file, args: ['-c', '-t', 'raw'], timeout: PATIENCE })).stdout;
  }
  return {
    async holds(scope, network) {
      const set = banSetOf(scope, network);
      const isAsked = isEnforcedByIptables(readRules(await raw(network.family)), banRule(set));
      return isAsked ? isIn(set.name, network) : false;
    },
    allows: async (address) => (await isIn(allowSetName(address.family), address)) === true,
    async acceptedAhead() {
      for (const family of [4, 6] as const) {
        const rules = (await raw(family)).split('\n').filter((line) => line.includes('] -A PREROUTING '));
        const ours = rules.findIndex((line) => line.endsWith('-j bailiff-prerouting'));
        const ahead = rules
          .slice(0, Math.max(ours, 0))
          .find((line) => / -[jg] (?!LOG|NFLOG|CT|TRACE)/.test(line));
        if (ahead !== undefined) return ahead.replace(/^\[\d+:\d+\] /, '');
      }
      return undefined;
    },
    surroundings: () => readSurroundings(exec),
    probe: () => Promise.resolve(undefined),
    tidy: () => Promise.resolve(),
  };
}
