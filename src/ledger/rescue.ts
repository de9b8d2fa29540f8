// A ledger for a daemon that must start: the damaged one is kept aside, and one that can't be written yet is read from a copy.
import { copyFileSync, chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BailiffError } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import type { Instant } from '../model.ts';
import type { Ledger, Remembered, Rescue, Upkeep } from './contract.ts';
import { isDamaged, isOf, ledgerError } from './failure.ts';
import { lock } from './open.ts';
import type { Lock } from './open.ts';
import { renewable } from './renewal.ts';
import { lastSetAside, PARTS, setAside } from './set-aside.ts';

/** By the beginning of SQLite's code, or the system's. */
const UNWRITABLE = [
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_READONLY',
  'SQLITE_CANTOPEN',
  'ENOSPC',
  'EROFS',
  'EDQUOT',
];
type Open = (file: string) => Ledger;

interface Shelter {
  readonly copy: () => Ledger;
  /** Opens the ledger itself. */
  readonly reach: () => Ledger;
  /** Nobody needs the copy any more. */
  readonly leave: () => void;
}

/** What `openInAnyWeather` promises. */
export function rescue(folder: string, shelter: string, now: () => Instant, openFile: Open): Ledger {
  const file = join(folder, 'ledger.sqlite');
  const open = (): Ledger => openFile(file);
  let held: Lock | undefined;
  try {
    try {
      held = lock(folder);
      return holding(held, renewable(file, openSound(file, open), open, now));
    } catch (error) {
      const failure = ledgerError(file, error);
      if (isDamaged(failure)) {
        const aside = { kind: 'set-aside', to: setAside(file, now()), why: failure.message } as const;
        return holding(held, renewable(file, rescued(open(), aside), open, now));
      }
      if (!isOf(failure, UNWRITABLE)) throw failure;
      return inShelter(file, failure, held, {
        copy: () => copyInto(shelter, file, openFile),
        reach: () => renewable(file, open(), open, now),
        leave: () => rmSync(shelter, { recursive: true, force: true }),
      });
    }
  } catch (error) {
    held?.release();
    throw ledgerError(file, error);
  }
}

/** Damage shows where it is read: so everything that a daemon needs is, and the answer kept for whoever asks first. */
function openSound(file: string, open: () => Ledger): Ledger {
  const ledger = open();
  let loaded: Remembered | undefined;
  try {
    loaded = ledger.load();
  } catch (error) {
    ledger.close();
    throw error;
  }
  const sound = {
    ...ledger,
    load() {
      const remembered = loaded ?? ledger.load();
      loaded = undefined;
      return remembered;
    },
  };
  // Whoever kept a damaged one aside has died before he wrote the first commit.
  const before = isNew(loaded) ? lastSetAside(file) : undefined;
  if (before === undefined) return sound;
  return rescued(sound, { kind: 'set-aside', to: before, why: 'it was damaged before the last start' });
}

function isNew({ positions, offenderCount, nextBanId }: Remembered): boolean {
  return positions.length + offenderCount === 0 && nextBanId === 1;
}

function rescued(ledger: Ledger, rescue: Rescue): Ledger {
  return { ...ledger, rescue };
}

/** The state is this daemon's as long as its ledger is open. */
function holding(held: Lock | undefined, ledger: Ledger): Ledger {
  return {
    ...ledger,
    close() {
      ledger.close();
      held?.release();
    },
  };
}

/** Reads from a copy, and writes as soon as the ledger itself can be written. */
function inShelter(
  file: string,
  why: BailiffError,
  lock: Lock | undefined,
  { copy: makeCopy, reach: open, leave }: Shelter,
): Ledger {
  const copy = makeCopy();
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
    leave();
    return (real = reached.ledger);
  }

  const at = (): Ledger => real ?? copy;
  return {
    rescue: { kind: 'sheltered', why: why.message },
    load: () => at().load(),
    offenders: () => at().offenders(),
    state: () => at().state(),
    // In a function that is async a throw becomes a rejection.
    commit: async (commit, durable) => reach().commit(commit, durable),
    memoryOf: (jail) => at().memoryOf(jail),
    bans: (query) => at().bans(query),
    report: (jail, id) => at().report(jail, id),
    events: (ban) => at().events(ban),
    isProven: (hash) => at().isProven(hash),
    remember: (hash, instant) => reach().remember(hash, instant),
    // What was damaged was ended in the copy.
    leave: () => false,
    upkeep: keptOf(() => real),
    close() {
      at().close();
      held?.release();
      if (!real) leave();
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
    settle: async () => real()?.upkeep.settle(),
    isLogLong: () => real()?.upkeep.isLogLong() ?? false,
    holdBack: (isHeld) => real()?.upkeep.holdBack(isHeld),
  };
}

/** On a read-only disk it could not be locked at the start. */
function reopen(file: string, before: Lock | undefined, open: () => Ledger): { ledger: Ledger; held: Lock } {
  let held = before;
  try {
    held ??= lock(dirname(file));
    return { ledger: open(), held };
  } catch (error) {
    if (!before) held?.release();
    throw ledgerError(file, error);
  }
}

/** Nobody writes to the ledger meanwhile: whoever could holds its lock, or nobody can. */
function copyInto(shelter: string, file: string, open: Open): Ledger {
  makeFolder(dirname(shelter), 0o711);
  rmSync(shelter, { recursive: true, force: true });
  mkdirSync(shelter, { mode: 0o700 });
  const to = join(shelter, 'ledger.sqlite');
  try {
    for (const part of PARTS) {
      if (!existsSync(file + part)) continue;
      copyFileSync(file + part, to + part);
      chmodSync(to + part, 0o600);
    }
    return open(to);
  } catch (error) {
    rmSync(shelter, { recursive: true, force: true });
    throw error;
  }
}
