// Whom a config would have banned over old logs: the daemon's pipeline without a daemon, a firewall or a ledger.
import { basename } from 'node:path';
import type { Ban, Instant } from '../../model.ts';
import { silentLog } from '../../ports.ts';
import type { Clock } from '../../ports.ts';
import { createPlans } from '../../setup/index.ts';
import type { Setup } from '../../setup/index.ts';
import { INPUT, readWhole } from '../../sources/index.ts';
import { createBans } from '../bans.ts';
import { behaviourOf, createBrakes } from '../brakes.ts';
import type { Brakes } from '../brakes.ts';
import type { Host } from '../host/host.ts';
import { lookUpNames } from '../host/names.ts';
import { applyChunk } from '../pipeline.ts';
import type { SittingJail } from '../pipeline.ts';
import { createProtection } from '../host/protection.ts';
import { createSessions } from '../intake/sessions.ts';
import { createRegulars } from '../intake/regulars.ts';
import { NOTHING_KNOWN, seatJails } from '../sitting.ts';
import type { Sittings } from '../sitting.ts';

export interface ReplayResult {
  readonly lines: number;
  readonly matches: number;
  /** In the order in which they were decided. */
  readonly bans: readonly Ban[];
  readonly jails: Readonly<
    Record<
      string,
      {
        matches: number;
        ignored: number;
        late: number;
        bans: number;
        /** When its brake would have tripped; what it bans after that is only detected. */
        tripped: Instant | undefined;
      }
    >
  >;
  /** Names in the allow lists that can't be resolved here: whom they protect may be among the bans. */
  readonly unresolved: readonly string[];
  /** Files that no jail's `logs` name. */
  readonly unclaimed: readonly string[];
}

/**
 * Reads each file from its first line to its end and applies it as the daemon would.
 * A file goes to the jails whose `logs` name it, by its path or its base name, or to `jail`. `-` is standard input.
 * @param now stamps without a year are read as of this instant.
 */
export async function replay(
  setup: Setup,
  files: readonly string[],
  options: { jail: string | undefined; now: Instant },
  ports: { clock: Clock; host: Host; isNamedBy: (pattern: string, path: string) => boolean },
): Promise<ReplayResult> {
  const protection = createProtection(
    setup.allow,
    setup.jails.map((jail) => jail.ignore),
    ports.host,
  );
  const unresolved = await lookUpNames(protection, ports.host.resolver);
  const regulars = createRegulars();
  const brakes: Brakes = createBrakes({ ...behaviourOf(() => sittings, regulars), log: silentLog });
  const sittings: Sittings = seatJails(setup, protection, () => NOTHING_KNOWN, options.now, brakes);
  const plans = createPlans(
    sittings.all,
    ({ ready }) => ready,
    ({ ready }) => ready.config.logs,
  );
  const sessions = createSessions([]);
  const bans = createBans([], 1, brakes.onBan);
  const clock: Clock = { ...ports.clock, now: () => options.now };
  const decided: Ban[] = [];
  const unclaimed: string[] = [];
  let lines = 0;
  let matches = 0;

  for (const file of files) {
    const users = sittings.all.filter((sitting) => isFor(sitting, file));
    if (users.length === 0) unclaimed.push(file);
    const plan = plans.for(users);
    // A session goes on where the log was rotated.
    const source = withoutRotation(file);
    for await (const chunk of readWhole(file, clock, source)) {
      const journey = applyChunk(chunk, plan, sessions, bans, options.now, undefined, regulars);
      brakes.settle({ bans, sittings }, options.now);
      decided.push(...journey.bans);
      lines += chunk.lines;
      matches += journey.matches;
    }
  }
  const jails = Object.fromEntries(
    sittings.all.map(({ ready, jail }) => {
      const { matches: found, ignored, late, bans: passed } = jail.stats;
      const tripped = brakes.tripped(ready.rules.name)?.at;
      return [ready.rules.name, { matches: found, ignored, late, bans: passed, tripped }];
    }),
  );
  return { lines, matches, bans: decided, jails, unclaimed, unresolved: unresolved.map(({ name }) => name) };

  function isFor({ ready }: SittingJail, file: string): boolean {
    if (options.jail !== undefined) return ready.rules.name === options.jail;
    if (file === INPUT) return ready.config.logs.includes(INPUT);
    // `access.log.2.gz` is the past of `access.log`.
    const names = [file, withoutRotation(file)];
    return ready.config.logs.some((pattern) =>
      names.some(
        (name) => ports.isNamedBy(pattern, name) || ports.isNamedBy(basename(pattern), basename(name)),
      ),
    );
  }
}

/** The name that a rotated file had: without `.gz`, `.1`, `-20260105`. */
function withoutRotation(file: string): string {
  return file.replace(/\.gz$/, '').replace(/(?:\.\d+|-\d{8}(?:\d{2})?|\.\d{4}-\d\d-\d\d)$/, '');
}
