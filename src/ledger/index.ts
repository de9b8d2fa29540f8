// In: commits of positions, offenders, bans and their events; questions about bans.
// Out: what was remembered when the daemon last ran, and the history of bans.
// Never: writes a position without what was counted up to it, or lets two daemons share a state.
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { Instant } from '../model.ts';
import type { RunBeside } from '../ports.ts';
import type { Ledger } from './contract.ts';
import { ledgerError } from './failure.ts';
import { createLeftBans } from './left.ts';
import { lock, openForReading, openForWriting, type Lock } from './open.ts';
import { createReader } from './read.ts';
import { rescue } from './rescue.ts';
import { createTransactions } from './transaction.ts';
import { createUpkeep } from './upkeep.ts';
import { createWriter } from './write.ts';

export interface LedgerOptions {
  /** Runs the program that writes the log back; left out: whoever asks for that waits for the disk himself. */
  readonly runBeside?: RunBeside | undefined;
  /** Looks at the ledger beside a running daemon: takes no lock, makes no file, refuses commits. */
  readonly readOnly?: boolean;
}

/**
 * Opens `ledger.sqlite` in the state folder, makes both where there is none (0600 in 0700), and brings it up to this version.
 * @throws BailiffError E_ALREADY_RUNNING where another daemon has the folder, E_LEDGER_NEWER where a newer Bailiff
 * wrote it, E_LEDGER_UNAVAILABLE where it can't be opened, read or written.
 */
export function openLedger(folder: string, options: LedgerOptions = {}): Ledger {
  const file = join(folder, 'ledger.sqlite');
  let held: Lock | undefined;
  try {
    if (!options.readOnly) held = lock(folder);
    return openHeld(file, held, options);
  } catch (error) {
    held?.release();
    throw ledgerError(file, error);
  }
}

/**
 * The same for a daemon, which is not to be kept from blocking: a damaged ledger is kept aside and a new one begun; where
 * the disk is full or read-only, it works on a copy in `shelter`, a folder in memory that is made anew and goes when the
 * ledger is closed, and commits fail until the ledger itself can be written. {@link Ledger.rescue} says which. One that is
 * found damaged later is kept aside as well: see {@link Ledger.commit}.
 * @throws as {@link openLedger}: where that doesn't help either, or another program holds the ledger locked.
 */
export function openInAnyWeather(
  folder: string,
  shelter: string,
  now: () => Instant,
  runBeside?: RunBeside,
): Ledger {
  return rescue(folder, shelter, now, (file) => openHeld(file, undefined, { runBeside }));
}

/** Closes what it opened where it fails. The lock stays the caller's until it succeeds. */
function openHeld(file: string, held: Lock | undefined, { readOnly, runBeside }: LedgerOptions): Ledger {
  const db = readOnly ? openForReading(file) : openForWriting(file);
  try {
    return ledgerOn(db, file, held, runBeside);
  } catch (error) {
    db.close();
    throw error;
  }
}

function ledgerOn(
  db: Database,
  file: string,
  held: Lock | undefined,
  runBeside: RunBeside | undefined,
): Ledger {
  const reader = createReader(db);
  const write = createWriter(db);
  const left = createLeftBans(db);
  const transactions = createTransactions(db);
  const proof = db.prepare('SELECT 1 FROM proofs WHERE hash = ?').pluck();
  const prove = db.prepare(
    'INSERT INTO proofs (hash, at) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET at = excluded.at',
  );

  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw ledgerError(file, error);
    }
  };

  return {
    load: () => attempt(reader.load),
    *offenders() {
      for (let after = 0; ;) {
        const page = attempt(() => reader.offendersAfter(after));
        if (!page) return;
        yield page;
        ({ after } = page);
      }
    },
    async commit(commit, durable) {
      try {
        await transactions.run(write(commit), durable);
      } catch (error) {
        throw ledgerError(file, error);
      }
      return undefined;
    },
    memoryOf: (jail) => attempt(() => reader.memoryOf(jail)),
    bans: (query) => attempt(() => reader.bans(query)),
    report: (jail, id) => attempt(() => reader.report(jail, id)),
    state: () => attempt(reader.state),
    events: (ban) => attempt(() => reader.events(ban)),
    isProven: (hash) => attempt(() => proof.get(hash) !== undefined),
    remember: (hash, at) => void attempt(() => prove.run(hash, at)),
    leave: (bans) => attempt(() => left.leave(bans)),
    upkeep: createUpkeep(db, attempt, transactions, runBeside),
    close() {
      // The last connection writes the log back into the ledger and deletes it.
      db.close();
      held?.release();
    },
  };
}
