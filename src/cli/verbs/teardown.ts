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
    const standing = (await tellDaemon(context)) ?? (await clearKernel(context));
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
    // A daemon with another back end has nothing in the kernel; an earlier run may have.
    if (firewall.kind !== 'nftables') await clearKernel(context);
    return standing;
  } catch (error) {
    if (error instanceof BailiffError && error.code === 'E_NOT_RUNNING') return undefined;
    throw error;
  }
}

/** The way out must not need a daemon: bans outlive it in the kernel. */
async function clearKernel(context: Context): Promise<StandingView> {
  const [{ createFirewall }, { createClock, createExec }] = await Promise.all([
    import('../../firewall/index.ts'),
    import('../../daemon/system.ts'),
  ]);
  const firewall = createFirewall('nftables', { exec: createExec(), clock: createClock(), log: silentLog });
  try {
    await firewall.teardown();
  } finally {
    await firewall.close();
  }
  if (context.verbose) context.err('bailiff: no daemon answered, so the kernel was told directly\n');
  return { mode: 'stood-down' };
}
