// Where a damaged ledger goes: beside its place, under a name that tells when, with all that belongs to it.
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '../model.ts';
import { formatInstant } from '../time.ts';

/** What belongs to a ledger. The index in shared memory (`-shm`) is made anew. */
export const PARTS = ['', '-wal'];
const DAMAGED = '.damaged-';

/** @returns where it stands now, with its write-ahead log beside it, so that it can be looked into. */
export function setAside(file: string, now: Instant): string {
  const stamp = formatInstant(now).replaceAll(/[-:]|\.\d+/g, '');
  let to = `${file}${DAMAGED}${stamp}`;
  for (let number = 2; existsSync(to); number++) to = `${file}${DAMAGED}${stamp}-${number}`;
  // The log last: if we die in between, a new ledger would take it for its own, but finds that it isn't.
  for (const part of PARTS) if (existsSync(file + part)) renameSync(file + part, to + part);
  rmSync(`${file}-shm`, { force: true });
  return to;
}

/** @returns the ledger that was kept aside last, if any was. */
export function lastSetAside(file: string): string | undefined {
  const names = readdirSync(dirname(file)).filter(
    (name) => name.startsWith(`${basename(file)}${DAMAGED}`) && !name.endsWith('-wal'),
  );
  const last = names.toSorted().at(-1);
  return last === undefined ? undefined : join(dirname(file), last);
}
