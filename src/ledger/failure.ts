// What SQLite says when it can't, in Bailiff's words.
import Database from 'better-sqlite3';
import { BailiffError, reasonOf } from '../errors.ts';

/** What a person can do about it, by the beginning of SQLite's code. */
const ADVICE: readonly (readonly [code: string, advice: string])[] = [
  ['SQLITE_FULL', 'the disk is full; make room'],
  ['SQLITE_BUSY', 'another program holds it locked; end that program'],
  ['SQLITE_LOCKED', 'another program holds it locked; end that program'],
  [
    'SQLITE_READONLY',
    'it may not be written; check the owner and mode of its folder, and whether the disk is read-only',
  ],
  ['SQLITE_CANTOPEN', 'it may not be opened; check the owner and mode of its folder'],
  ['SQLITE_PERM', 'it may not be opened; check the owner and mode of its folder'],
  ['SQLITE_CORRUPT', 'it is damaged; the daemon moves it away and begins anew, or restore a copy'],
  [
    'SQLITE_NOTADB',
    'it is not a ledger, or it is damaged; the daemon moves it away and begins anew, or restore a copy',
  ],
  ['SQLITE_IOERR', 'the disk failed or is full; see the kernel log'],
];

/**
 * A constraint is a promise of ours that was broken (a second open ban, an event without its ban): trying again would
 * not help. Everything else lies with the disk, and may be over in a moment.
 */
export function ledgerError(file: string, error: unknown): BailiffError {
  if (error instanceof BailiffError) return error;
  const code = reasonOf(error);
  if (code.startsWith('SQLITE_CONSTRAINT'))
    return new BailiffError(
      'E_INTERNAL',
      `The ledger ${file} refused a row: ${messageOf(error)}.`,
      { file, code },
      error,
    );
  if (code === 'EACCES' || code === 'EPERM')
    return new BailiffError(
      'E_NOT_PERMITTED',
      `The ledger ${file} may not be opened (${code}).`,
      { file, code },
      error,
    );
  const advice = ADVICE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? messageOf(error);
  return new BailiffError(
    'E_LEDGER_UNAVAILABLE',
    `The ledger ${file} can't be used: ${advice}.`,
    { file, code },
    error,
  );
}

/** By the beginning of SQLite's code. */
const DAMAGED = ['SQLITE_CORRUPT', 'SQLITE_NOTADB'];

/** What it holds can't be read: trying again won't help. */
export function isDamaged(failure: BailiffError): boolean {
  return isOf(failure, DAMAGED);
}

/** @param codes beginnings of SQLite's codes, or of the system's. */
export function isOf(failure: BailiffError, codes: readonly string[]): boolean {
  const code = String(failure.facts['code']);
  return failure.code === 'E_LEDGER_UNAVAILABLE' && codes.some((each) => code.startsWith(each));
}

export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
