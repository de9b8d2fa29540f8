// Does the kernel hold what the ledger says, and nothing else?
import { mkdtempSync, copyFileSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BanView } from '../../api/contract.ts';
import { BailiffError } from '../../errors.ts';
import type { Firewall } from '../../firewall/contract.ts';
import { openLedger } from '../../ledger/index.ts';
import type { Instant } from '../../model.ts';
import type { Setup } from '../../setup/index.ts';
import { fault, fine, note, some, unknown } from './findings.ts';
import type { Finding } from './findings.ts';

/** The end of a sentence and the kernel's own may be so far apart: what ends within it is left out. */
const SOON = 60_000;

/**
 * @param listBans what a running daemon says is blocked. It is asked before and after the kernel: only what it says both
 *   times counts.
 */
export async function compareWithDaemon(
  firewall: Firewall,
  listBans: () => Promise<readonly BanView[]>,
): Promise<Finding[]> {
  const before = blockedOf(await listBans());
  const held = await listKernel(firewall);
  if (typeof held === 'string') return [unknown('kernel', `the bans in the kernel can't be listed: ${held}`)];
  const all = await listBans();
  const after = blockedOf(all);
  const known = new Set([...before, ...all.map(({ address }) => address)]);
  const missing = [...before].filter((address) => after.has(address) && !held.has(address));
  const extra = [...held].filter((address) => !known.has(address));
  return tell(
    missing,
    extra,
    held.size,
    'the daemon',
    'It is put back within a minute; "bailiff logs" and "nft monitor" show who takes it out.',
  );
}

/** A ledger is copied before it is read: to open one leaves files beside it. */
export async function compareWithLedger(
  firewall: Firewall,
  state: string,
  setup: Setup | undefined,
  now: Instant,
): Promise<Finding[]> {
  const file = join(state, 'ledger.sqlite');
  if (!existsSync(file)) return [note('kernel', `there is no ledger in ${state} yet`)];
  const wanted = readOpenBans(file, setup, now);
  if (typeof wanted === 'string') return [unknown('kernel', `the ledger can't be read: ${wanted}`)];
  const held = await listKernel(firewall);
  if (typeof held === 'string') return [unknown('kernel', `the bans in the kernel can't be listed: ${held}`)];
  const missing = [...wanted.lasting].filter((address) => !held.has(address));
  const extra = [...held].filter((address) => !wanted.all.has(address));
  return tell(missing, extra, held.size, 'the ledger', 'Start the daemon: it puts back what is missing.');
}

function tell(
  missing: readonly string[],
  extra: readonly string[],
  held: number,
  whose: string,
  mend: string,
): Finding[] {
  const found: Finding[] = [];
  if (missing.length > 0)
    found.push(
      fault(
        'kernel',
        'E_KERNEL_MISSES',
        `${missing.length} bans of ${whose} are not in the kernel: ${some(missing)}`,
        mend,
      ),
    );
  if (extra.length > 0)
    found.push(
      fault(
        'kernel',
        'W_KERNEL_EXTRA',
        `the kernel holds ${extra.length} bans that ${whose} does not know: ${some(extra)}`,
        'A daemon that runs takes them out within a minute; "bailiff teardown" takes out everything.',
      ),
    );
  return found.length > 0
    ? found
    : [fine('kernel', `the kernel holds the ${held} bans of ${whose}, and no others`)];
}

function blockedOf(bans: readonly BanView[]): Set<string> {
  return new Set(bans.filter(({ state }) => state === 'blocked').map(({ address }) => address));
}

/** @returns why it can't be listed. */
async function listKernel(firewall: Firewall): Promise<Set<string> | string> {
  try {
    return new Set(Array.from(await firewall.list(), ({ network }) => network.text));
  } catch (error) {
    if (error instanceof BailiffError) return error.message;
    throw error;
  }
}

/** @returns the addresses that should be blocked: all, and those that still are in a minute; or why it can't be said. */
function readOpenBans(
  file: string,
  setup: Setup | undefined,
  now: Instant,
): { all: Set<string>; lasting: Set<string> } | string {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-doctor-'));
  try {
    for (const suffix of ['', '-wal'])
      if (existsSync(`${file}${suffix}`))
        copyFileSync(`${file}${suffix}`, join(folder, `ledger.sqlite${suffix}`));
    const ledger = openLedger(folder, { readOnly: true });
    try {
      const detecting = new Set(setup?.config.jails.filter(({ dryRun }) => dryRun).map(({ name }) => name));
      const bans = [...ledger.load().openBans].filter(
        ({ jail, via, scope, until }) =>
          via === undefined &&
          scope !== undefined &&
          !detecting.has(jail) &&
          (until === undefined || until > now - SOON),
      );
      const lasting = bans.filter(({ until }) => until === undefined || until > now + SOON);
      return {
        all: new Set(bans.map(({ address }) => address.text)),
        lasting: new Set(lasting.map(({ address }) => address.text)),
      };
    } finally {
      ledger.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
