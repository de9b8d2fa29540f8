// Which back end to use where nobody said: nftables, or iptables with ipset where a host has no nftables.
import type { Exec } from '../ports.ts';
import { findVariant } from './iptables-program.ts';
import { addChain, addTable } from './nft-script.ts';

/** The back ends that tell a kernel. */
export const KERNEL_KINDS = ['nftables', 'iptables'] as const;
export type KernelKind = (typeof KERNEL_KINDS)[number];

export interface Choice {
  readonly kind: KernelKind;
  /** Why it isn't nftables; undefined where it is. */
  readonly why: string | undefined;
}

const PATIENCE = 10_000;
/** A table that is never made. */
const TRIAL = 'inet bailiff-trial';

/**
 * nftables where nft is installed and the kernel answers it. Else iptables where that and ipset are there and answered.
 * Else nftables again, which will say what it lacks. Changes nothing.
 */
export async function chooseFirewall(exec: Exec): Promise<Choice> {
  const why = await whyNotNftables(exec);
  if (why !== undefined && (await whyNotIptables(exec)) === undefined) return { kind: 'iptables', why };
  return { kind: 'nftables', why: undefined };
}

/** Can a back end have anything in this kernel? Its programs are installed and answered. Changes nothing. */
export async function isUsable(kind: KernelKind, exec: Exec): Promise<boolean> {
  return (await (kind === 'nftables' ? whyNotNftables(exec) : whyNotIptables(exec))) === undefined;
}

async function whyNotNftables(exec: Exec): Promise<string | undefined> {
  const nft = exec.find('nft');
  if (nft === undefined) return 'nft is not installed';
  // The kernel is asked for what Bailiff needs of it, and nothing is done. Not in its own table: what stands there may be in the
  // way, a chain hooked elsewhere, say, and is put in order by whoever uses it.
  const why = await ask(exec, nft, ['-c', '-f', '-'], `${addTable(TRIAL)}\n${addChain(TRIAL)}\n`);
  return why === undefined ? undefined : `this kernel does not answer nft (${why})`;
}

async function whyNotIptables(exec: Exec): Promise<string | undefined> {
  const ipset = exec.find('ipset');
  if (ipset === undefined || !(await findVariant(exec))) return 'iptables or ipset is not installed';
  return ask(exec, ipset, ['list', '-name'], '');
}

/** @returns what was said where it failed. Who isn't permitted is told so when it matters: that is no lack of the host. */
async function ask(
  exec: Exec,
  file: string,
  args: readonly string[],
  input: string,
): Promise<string | undefined> {
  const { code, stderr } = await exec.run({ file, args, input, timeout: PATIENCE });
  if (code === 0 || /Operation not permitted|Permission denied|must be root/.test(stderr)) return undefined;
  return stderr.trim().split('\n')[0]!.slice(0, 200) || 'it says nothing';
}
