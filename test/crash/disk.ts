// Carries a script's steps out on real files, as a web server and logrotate would.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { appendToJournalSync } from '../support/journal.ts';
import type { Step } from './script.ts';

/** Rotated files are never deleted here: the promise is about what can be read. */
const KEPT = 99;

/** The folder of the journal, beside the logs. */
export const JOURNAL = 'journal';

export function carryOut(folder: string, step: Step): void {
  const live = 'log' in step ? join(folder, step.log) : '';
  switch (step.what) {
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
    case 'rename':
      shift(live);
      renameSync(live, `${live}.1`);
      // The writer has the old file open until it is told to open the new one.
      if (step.late.length > 0) appendFileSync(`${live}.1`, step.late);
      writeFileSync(live, '');
      return;
    case 'copytruncate':
      shift(live);
      copyFileSync(live, `${live}.1`);
      truncateSync(live, 0);
      return;
  }
}

function liveJournal(folder: string): string {
  return join(folder, JOURNAL, 'live.journal');
}

function shift(live: string): void {
  for (let i = KEPT; i > 0; i--)
    if (existsSync(`${live}.${i}`)) renameSync(`${live}.${i}`, `${live}.${i + 1}`);
}
