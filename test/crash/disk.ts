// Carries a script's steps out on real files, as a web server and logrotate would.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { appendToJournalSync } from '../support/journal.ts';
import type { Step } from './script.ts';

/** Rotated files are never deleted here: the promise is about what can be read. */
const KEPT = 199;

/** The folder of the journal, beside the logs. */
export const JOURNAL = 'journal';

/** logrotate's `dateext`, by the second. */
const FIRST_DATE = 1_700_000_000;
/** Of this log the rotated files bear dates, of the others numbers. */
const DATED = 'auth.log';

export function carryOut(folder: string, step: Step): void {
  const live = 'log' in step ? join(folder, step.log) : '';
  switch (step.what) {
    case 'burst':
      for (const each of step.steps) carryOut(folder, each);
      return;
    case 'journal':
      appendToJournalSync(liveJournal(folder), step.entries);
      return;
    case 'journal-rotation':
      if (existsSync(liveJournal(folder)))
        renameSync(
          liveJournal(folder),
          join(folder, JOURNAL, `old@${readdirSync(join(folder, JOURNAL)).length}.journal`),
        );
      return;
    case 'append':
      appendFileSync(live, step.bytes);
      return;
    case 'rename': {
      const rotated = makeRoom(live);
      renameSync(live, rotated);
      // The writer has the old file open until it is told to open the new one.
      if (step.late.length > 0) appendFileSync(rotated, step.late);
      writeFileSync(live, '');
      if (step.compress) compressBefore(live, rotated);
      return;
    }
    case 'copytruncate':
      copyFileSync(live, makeRoom(live));
      truncateSync(live, 0);
      return;
  }
}

function liveJournal(folder: string): string {
  return join(folder, JOURNAL, 'live.journal');
}

/** @returns the name that the log gets, which is free by then. */
function makeRoom(live: string): string {
  if (basename(live) === DATED) return `${live}-${FIRST_DATE + rotatedOf(live).length}`;
  for (let i = KEPT; i > 0; i--)
    for (const end of ['', '.gz'])
      if (existsSync(`${live}.${i}${end}`)) renameSync(`${live}.${i}${end}`, `${live}.${i + 1}${end}`);
  return `${live}.1`;
}

/** As logrotate's `delaycompress`: not what was rotated just now, which may still be written to, but what was before it. */
function compressBefore(live: string, rotated: string): void {
  const plain = rotatedOf(live).filter((file) => file !== rotated && !file.endsWith('.gz'));
  for (const file of plain) {
    const { atime, mtime } = statSync(file);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    utimesSync(`${file}.gz`, atime, mtime);
    unlinkSync(file);
  }
}

function rotatedOf(live: string): string[] {
  return readdirSync(dirname(live))
    .filter((name) => name.startsWith(basename(live)) && name !== basename(live))
    .map((name) => join(dirname(live), name));
}
