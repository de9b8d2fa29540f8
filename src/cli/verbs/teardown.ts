import type { StandingView } from '../../api/contract.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { silentLog } from '../../ports.ts';
import { formatJson } from '../json.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'teardown',
  summary: 'leave the host as found: every rule of Bailiff goes, with or without a daemon',
  arguments: [],
  options: [],
  details: 'A running daemon stands down and goes on counting; "bailiff arm" puts the bans back in force.',
  async run(context) {
    const standing = (await tellDaemon(context)) ?? (await tellKernel(context));
    context.out(
      context.json ? formatJson(standing) : 'torn down: nothing of Bailiff is left in the firewall\n',
    );
    return EXIT.done;
  },
};

/** @returns undefined where there is no daemon, or none that answers. */
async function tellDaemon(context: Context): Promise<StandingView | undefined> {
  const client = await context.client();
  try {
    const { firewall } = await client.status();
    const standing = await client.teardown();
    // An earlier run may have used another back end than this daemon's.
    await clearKernel(firewall.kind).catch((error: unknown) => {
      if (!(error instanceof BailiffError) || error.code !== 'E_FIREWALL_UNAVAILABLE') throw error;
      context.err(`bailiff: the daemon stood down; other firewalls were not looked at: ${error.message}\n`);
    });
    return standing;
  } catch (error) {
    if (error instanceof BailiffError && error.code === 'E_NOT_RUNNING') return undefined;
    throw error;
  }
}

/** @throws BailiffError E_NOT_PERMITTED, E_FIREWALL_UNAVAILABLE. */
async function tellKernel(context: Context): Promise<StandingView> {
  await clearKernel().catch((error: unknown) => {
    // For a daemon it is a firewall that can't be used, and it detects. Here nothing else is left to do.
    if (!(error instanceof BailiffError) || error.facts['forbidden'] !== true) throw error;
    const message =
      'no daemon answers, and you may not change the firewall yourself: try again as root, or with CAP_NET_ADMIN and CAP_NET_RAW';
    throw new BailiffError('E_NOT_PERMITTED', message, {}, error);
  });
  if (context.verbose) context.err('bailiff: no daemon answered, so the kernel was told directly\n');
  return { mode: 'stood-down' };
}

/** Removes what any back end has in the kernel. The way out must not need a daemon: bans outlive it there. */
async function clearKernel(spared?: string): Promise<void> {
  const [{ createFirewall, isUsable, KERNEL_KINDS }, { createClock, createExec }] = await Promise.all([
    import('../../firewall/index.ts'),
    import('../../daemon/system.ts'),
  ]);
  const exec = createExec();
  const usable = await Promise.all(KERNEL_KINDS.map((kind) => isUsable(kind, exec)));
  const kinds = KERNEL_KINDS.filter((kind, index) => usable[index] && kind !== spared);
  // Where neither can be used, the first says what is missing.
  const isNone = kinds.length === 0 && spared === undefined;
  for (const kind of isNone ? (['nftables'] as const) : kinds) {
    const firewall = createFirewall(kind, { exec, clock: createClock(), log: silentLog });
    try {
      await firewall.teardown();
    } finally {
      await firewall.close();
    }
  }
}
