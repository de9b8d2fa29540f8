// Reloads of a running daemon: by the verb and the signal, and by themselves when a file of the config changes.
import type { Setup } from '../../setup/index.ts';
import { watchConfig } from './config-watch.ts';
import { rulesOf } from '../service/housekeeping.ts';
import type { Housekeeping } from '../service/housekeeping.ts';
import { installSetup } from './install.ts';
import type { InstallParts } from './install.ts';
import { liftDecided } from '../releases.ts';
import { createReloader } from './reload.ts';
import type { Installed, ReloadParts, Reloader } from './reload.ts';
import type { Expiry } from '../service/timers.ts';

export interface ReloadingParts
  extends InstallParts, Pick<ReloadParts, 'initial' | 'prepare' | 'around' | 'log' | 'faults' | 'tell'> {
  /** Nothing is put in force before the daemon has booted. */
  readonly booted: Promise<void>;
  readonly expiry: Expiry;
  readonly housekeeping: Housekeeping;
  /** Reload by itself when a file changes? */
  readonly watches: boolean;
  fail(error: unknown): void;
}

export interface Reloading {
  readonly reloader: Reloader;
  /** Resolves when what is under way is done. Until then it needs sources that are read, a ledger and a firewall. */
  stop(): Promise<void>;
}

export function createReloading(parts: ReloadingParts): Reloading {
  const { initial, bans, sittings, clock, settle } = parts;

  let isBooted = false;
  void parts.booted.then(() => (isBooted = true));

  async function install(next: Setup): Promise<Installed> {
    await parts.booted;
    const installed = await installSetup(next, parts);
    parts.expiry.reschedule();
    parts.housekeeping.change(rulesOf(next.config));
    watch?.follow(next);
    return installed;
  }

  const reloader = createReloader({
    ...parts,
    async prepare() {
      const result = await parts.prepare();
      watch?.wasRead(result.ok ? result.setup : result);
      return result;
    },
    install,
    async release(jails, by, why, from) {
      const count = liftDecided({ bans, sittings }, jails, by, why, clock.now(), from);
      await settle();
      return count;
    },
    nextBan: () => bans.nextId,
  });
  const watch = parts.watches
    ? watchConfig(clock, initial, () => void reloader.reloadUnasked().catch(parts.fail))
    : undefined;

  return {
    reloader,
    async stop() {
      const atRest = reloader.stop();
      await watch?.close();
      // A daemon that failed to boot never puts in force what waits for that.
      if (isBooted) await atRest;
    },
  };
}
