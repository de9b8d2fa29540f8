// Where config, state and sockets are. The one file that reads the environment.
import { join, resolve } from 'node:path';
import { SUN_PATH } from '../api/contract.ts';
import type { Duration } from '../model.ts';

const LONGEST_SOCKET = 'control.sock';

export interface Paths {
  /** The main config file. */
  readonly config: string;
  /** The folder that holds the ledger. */
  readonly state: string;
  /** The folder that holds the sockets. */
  readonly runtime: string;
  /** The runtime folder that would have been too long for a socket; undefined where none was. */
  readonly fellBackFrom: string | undefined;
  /** The checkout's root when started through bin/dev. */
  readonly checkout: string | undefined;
}

/** What was said on the command line; it wins over the environment. */
export interface GivenPaths {
  readonly config?: string | undefined;
  readonly runtime?: string | undefined;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

/** Command line, then environment, then the checkout's own ignored folders, then the system's. All absolute. */
export function findPaths(given: GivenPaths, around: Surroundings = surroundings()): Paths {
  const { env } = around;
  const checkout = env['BAILIFF_CHECKOUT'] ? resolve(env['BAILIFF_CHECKOUT']) : undefined;
  const home = checkout === undefined ? undefined : join(checkout, '.bailiff');
  const config = given.config ?? (env['BAILIFF_CONFIG'] || undefined);
  const state = env['BAILIFF_STATE'] || undefined;
  const runtime = given.runtime ?? (env['BAILIFF_RUNTIME'] || undefined);
  return {
    config: resolve(config ?? (checkout ? join(checkout, 'jails.example.json') : '/etc/bailiff/jails.json')),
    state: resolve(state ?? (home ? join(home, 'state') : '/var/lib/bailiff')),
    ...(runtime === undefined && checkout !== undefined
      ? checkoutRuntime(checkout, around.uid)
      : { runtime: resolve(runtime ?? '/run/bailiff'), fellBackFrom: undefined }),
    checkout,
  };
}

/** NO_COLOR with any value but the empty one, as no-color.org has it. */
export function refusesColor(around: Surroundings = surroundings()): boolean {
  return Boolean(around.env['NO_COLOR']);
}

/** How the service manager that started this process wants to be spoken to (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceManager {
  /** A path, or `@` and the name of an abstract socket. */
  readonly socket: string;
  /** How long it waits for a sign of life, in milliseconds; undefined: it does not wait. */
  readonly watchdog: Duration | undefined;
}

/** @returns undefined where nobody asked to be notified. */
export function findServiceManager(
  around: Surroundings = surroundings(),
  pid = process.pid,
): ServiceManager | undefined {
  const { env } = around;
  const socket = env['NOTIFY_SOCKET'];
  if (!socket || !(socket.startsWith('/') || socket.startsWith('@'))) return undefined;
  const microseconds = Number(env['WATCHDOG_USEC']);
  // Where it names a process, the watchdog is meant for that one alone.
  const isOurs = !env['WATCHDOG_PID'] || env['WATCHDOG_PID'] === String(pid);
  const watchdog = isOurs && microseconds > 0 ? microseconds / 1_000 : undefined;
  return { socket, watchdog };
}

/** From where whoever runs this came in over ssh, as sshd writes it (an address, where it knows one); undefined: from nowhere. */
export function findSshClient({ env }: Surroundings = surroundings()): string | undefined {
  // The client's address comes first, then ports and the server's own. A link-local one bears its interface.
  const written = env['SSH_CONNECTION'] || env['SSH_CLIENT'];
  return written?.split(' ', 1)[0]!.split('%')[0];
}

/** A checkout may lie deep: then its sockets stand in a short folder that is the same each time. */
function checkoutRuntime(checkout: string, uid: number): Pick<Paths, 'runtime' | 'fellBackFrom'> {
  const wanted = join(checkout, '.bailiff', 'run');
  if (Buffer.byteLength(join(wanted, LONGEST_SOCKET)) <= SUN_PATH)
    return { runtime: wanted, fellBackFrom: undefined };
  // Few need it, and to load it is a tenth of what a verb takes.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const mark = createHash('sha256').update(checkout).digest('hex').slice(0, 8);
  const runtime = uid === 0 ? `/run/bailiff-${mark}` : `/tmp/bailiff-${uid}-${mark}`;
  return { runtime, fellBackFrom: wanted };
}

function surroundings(): Surroundings {
  return { env: process.env, uid: process.geteuid!() };
}
