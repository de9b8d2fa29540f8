// A ledger for a daemon that must start: the damaged one is kept aside, and one that can't be written yet is read from a copy.
import { copyFileSync, chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BailiffError } from '../errors.ts';
import type { Instant } from '../model.ts';
import { formatInstant } from '../time.ts';
import type { Ledger, Remembered, Rescue, Upkeep } from './contract.ts';
import { ledgerError } from './failure.ts';
import { lock } from './open.ts';
import type { Lock } from './open.ts';

/** By the beginning of SQLite's code, or the system's. */
const DAMAGED = ['SQLITE_CORRUPT', 'SQLITE_NOTADB'];
const UNWRITABLE = [
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_READONLY',
  'SQLITE_CANTOPEN',
  'ENOSPC',
  'EROFS',
  'EDQUOT',
];
/** What belongs to a ledger. The index in shared memory (`-shm`) is made anew. */
const PARTS = ['', '-wal'];

type Open = (file: string, held: Lock | undefined) => Ledger;

/** What `openInAnyWeather` promises. */
export function rescue(folder: string, shelter: string, now: Instant, open: Open): Ledger {
  const file = join(folder, 'ledger.sqlite');
  let held: Lock | undefined;
  try {
    try {
      held = lock(folder);
      return openSound(file, held, open);
    } catch (error) {
      const failure = ledgerError(file, error);
      if (isOf(failure, DAMAGED)) {
        const to = setAside(file, now);
        return rescued(open(file, held), { kind: 'set-aside', to, why: failure.message });
      }
      if (isOf(failure, UNWRITABLE)) return inShelter(file, shelter, failure, held, open);
      throw failure;
    }
  } catch (error) {
    held?.release();
    throw ledgerError(file, error);
  }
}

function isOf(failure: BailiffError, codes: readonly string[]): boolean {
  const code = String(failure.facts['code']);
  return failure.code === 'E_LEDGER_UNAVAILABLE' && codes.some((each) => code.startsWith(each));
}

/** Damage shows where it is read: so everything that a daemon needs is, and the answer kept for whoever asks first. */
function openSound(file: string, held: Lock | undefined, open: Open): Ledger {
  const ledger = open(file, undefined);
  let loaded: Remembered | undefined;
  try {
    loaded = ledger.load();
  } catch (error) {
    ledger.close();
    throw error;
  }
  return {
    ...ledger,
    load() {
      const remembered = loaded ?? ledger.load();
      loaded = undefined;
      return remembered;
    },
    close() {
      ledger.close();
      held?.release();
    },
  };
}

function rescued(ledger: Ledger, rescue: Rescue): Ledger {
  return { ...ledger, rescue };
}

/** @returns where it stands now, with its write-ahead log beside it, so that it can be looked into. */
function setAside(file: string, now: Instant): string {
  const stamp = formatInstant(now).replaceAll(/[-:]|\.\d+/g, '');
  let to = `${file}.damaged-${stamp}`;
  for (let number = 2; existsSync(to); number++) to = `${file}.damaged-${stamp}-${number}`;
  // The log last: if we die in between, a new ledger would take it for its own, but finds that it isn't.
  for (const part of PARTS) if (existsSync(file + part)) renameSync(file + part, to + part);
  rmSync(`${file}-shm`, { force: true });
  return to;
}

/** Reads from a copy, and writes as soon as the ledger itself can be written. */
function inShelter(
  file: string,
  shelter: string,
  why: BailiffError,
  lock: Lock | undefined,
  open: Open,
): Ledger {
  const copy = copyInto(shelter, file, open);
  const state = copy.state();
  let held = lock;
  let real: Ledger | undefined;

  /** @throws BailiffError E_LEDGER_UNAVAILABLE while it can't be written. */
  function reach(): Ledger {
    if (real) return real;
    const reached = reopen(file, held, open);
    if (reached.ledger.state() !== state) {
      reached.ledger.close();
      throw ledgerError(
        file,
        new Error('it has changed since the daemon started on a copy of it; restart the daemon'),
      );
    }
    held = reached.held;
    copy.close();
    rmSync(shelter, { recursive: true, force: true });
    return (real = reached.ledger);
  }

  const at = (): Ledger => real ?? copy;
  return {
    rescue: { kind: 'sheltered', why: why.message },
    load: () => at().load(),
    state: () => at().state(),
    // In a function that is async a throw becomes a rejection.
    commit: async (commit, durable) => reach().commit(commit, durable),
    memoryOf: (jail) => at().memoryOf(jail),
    bans: (query) => at().bans(query),
    report: (jail, id) => at().report(jail, id),
    events: (ban) => at().events(ban),
    isProven: (hash) => at().isProven(hash),
    remember: (hash, instant) => reach().remember(hash, instant),
    upkeep: keptOf(() => real),
    close() {
      at().close();
      held?.release();
      if (!real) rmSync(shelter, { recursive: true, force: true });
    },
  };
}

/** A copy is not kept in order. */
function keptOf(real: () => Ledger | undefined): Upkeep {
  return {
    between: async (step) => real()?.upkeep.between(step) ?? step(),
    forgetBans: (before, limit) => real()?.upkeep.forgetBans(before, limit) ?? 0,
    forgetProofs: () => real()?.upkeep.forgetProofs() ?? 0,
    size: () => real()?.upkeep.size() ?? { bytes: 0, free: 0 },
    giveBack: (pages) => real()?.upkeep.giveBack(pages) ?? 0,
    checkpoint: async () => real()?.upkeep.checkpoint(),
    isLogLong: () => real()?.upkeep.isLogLong() ?? false,
    holdBack: (isHeld) => real()?.upkeep.holdBack(isHeld),
  };
}

/** On a read-only disk it could not be locked at the start. */
function reopen(file: string, before: Lock | undefined, open: Open): { ledger: Ledger; held: Lock } {
  const held = before ?? lock(dirname(file));
  try {
    return { ledger: open(file, undefined), held };
  } catch (error) {
    if (!before) held.release();
    throw ledgerError(file, error);
  }
}

/** Nobody writes to the ledger meanwhile: whoever could holds its lock, or nobody can. */
function copyInto(shelter: string, file: string, open: Open): Ledger {
  mkdirSync(dirname(shelter), { recursive: true, mode: 0o711 });
  rmSync(shelter, { recursive: true, force: true });
  mkdirSync(shelter, { mode: 0o700 });
  const to = join(shelter, 'ledger.sqlite');
  try {
    for (const part of PARTS) {
      if (!existsSync(file + part)) continue;
      copyFileSync(file + part, to + part);
      chmodSync(to + part, 0o600);
    }
    return open(to, undefined);
  } catch (error) {
    rmSync(shelter, { recursive: true, force: true });
    throw error;
  }
}
