// Carries a script's steps out on real files, as a web server and logrotate would.
import { appendFileSync, copyFileSync, existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from './script.ts';

/** Rotated files are never deleted here: the promise is about what can be read. */
const KEPT = 99;

export function carryOut(folder: string, step: Step): void {
  const live = join(folder, step.log);
  switch (step.what) {
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

function shift(live: string): void {
  for (let i = KEPT; i > 0; i--)
    if (existsSync(`${live}.${i}`)) renameSync(`${live}.${i}`, `${live}.${i + 1}`);
}
