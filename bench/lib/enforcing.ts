// A daemon that blocks for real, in a namespace of its own, with an access log that the benchmark writes.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon, type Daemon } from '../../test/support/daemon.ts';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import { createInternet, type Client, type Host } from '../../test/support/namespaces.ts';
import { eventually } from '../../test/support/run.ts';
import { commonStamp } from '../inputs/access.ts';
import type { Stage } from './bench.ts';
import { setWith } from './kernel.ts';
import { writeConfig } from './reading.ts';

/** Is told of nobody: bans one address so that the sets are there. */
const FIRST = '11.255.255.254';

export interface Enforcing {
  readonly server: Host;
  readonly attacker: Client;
  readonly folder: string;
  readonly log: string;
  /** Ends with each restart. */
  daemon(): Daemon;
  /** The set that addresses without ports land in; empty with other jails. */
  readonly set: string;
  append(text: string): void;
  /** Starts the daemon (again). */
  start(): Promise<Daemon>;
}

/** Whoever fails at one log-in is banned for an hour. */
export const LOGIN = { filter: 'nginx-login', maxRetry: 1, banTime: '1h', brake: 'off' };
/** As much as any benchmark needs. */
export const LIMITS = { offendersPerJail: 2_000_000, offenders: 2_000_000, bans: 1_000_000 };

export const failedLogin = (address: string): string =>
  `${address} - - [${commonStamp(Date.now() / 1_000)}] "POST /login HTTP/1.1" 401 179 "-" "curl/8.5.0"\n`;

/**
 * Does `work` with a daemon that enforces by nftables; whatever happens, nothing of it is left.
 * @param jailsOf other jails than the one that bans whoever fails at one log-in in the log.
 */
export async function enforcing<T>(
  stage: Stage,
  work: (scene: Enforcing) => Promise<T>,
  jailsOf?: (log: string) => object,
): Promise<T> {
  const internet = await createInternet('attacker');
  const folder = temporaryFolder('bench-enforcing');
  let daemon: Daemon | undefined;
  try {
    mkdirSync(join(folder.path, 'logs'));
    const log = join(folder.path, 'logs/access.log');
    writeFileSync(log, '');
    const jails = jailsOf?.(log) ?? { login: { ...LOGIN, logs: [log] } };
    writeConfig(folder.path, { limits: LIMITS, jails });
    const append = (text: string): void => appendFileSync(log, text, 'latin1');
    const start = async (): Promise<Daemon> => {
      daemon = await startDaemon({
        ...{ folder: folder.path, host: internet.server, bailiff: stage.built.bailiff },
        args: ['--firewall', 'nftables'],
      });
      return daemon;
    };
    await (await start()).caughtUp();
    append(failedLogin(FIRST));
    const set = jailsOf
      ? ''
      : await eventually('a first ban is in the kernel', () => setWith(internet.server, FIRST));
    return await work({
      ...{ server: internet.server, attacker: internet.clients.attacker, folder: folder.path, log, set },
      ...{ append, start, daemon: () => daemon! },
    });
  } finally {
    await daemon?.end();
    await internet.remove();
    folder.remove();
  }
}
