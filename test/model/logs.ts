// The writers of the two logs: lines as nginx and sshd write them, and rotation as logrotate does it.
import { appendFileSync, copyFileSync, existsSync, renameSync, truncateSync, writeFileSync } from 'node:fs';

import type { Said } from './steps.ts';

export interface Attempt {
  readonly who: string;
  readonly stamp: number;
  readonly said: Said;
}

export interface Writer {
  /** @param cut so many bytes of the last line are held back; they come before whatever is written next. */
  append(attempts: readonly Attempt[], cut: number): void;
  /** Moves the file away and begins a new one; `late` still goes to the old one. */
  rename(late: readonly Attempt[]): void;
  copyTruncate(): void;
  /** Writes what was held back. */
  finish(): void;
}

/**
 * @param lineOf is given the number of the file too. Each line bears it: a copy of a log that says word for word what its
 *   new lines say can't be told from a copy of those, by nobody.
 * @param onWhole is told of each attempt whose line stands in the file up to its end.
 */
export function createWriter(
  path: string,
  lineOf: (attempt: Attempt, file: number) => string,
  onWhole: (attempt: Attempt) => void,
): Writer {
  let held: { readonly bytes: Buffer; readonly attempt: Attempt } | undefined;
  let rotations = 0;
  writeFileSync(path, '');

  function write(file: string, attempts: readonly Attempt[], wanted: number): void {
    const cut = attempts.length > 0 ? wanted : 0;
    const bytes = Buffer.concat([
      held?.bytes ?? Buffer.alloc(0),
      ...attempts.map((each) => Buffer.from(`${lineOf(each, rotations)}\n`)),
    ]);
    const whole = [...(held ? [held.attempt] : []), ...attempts];
    held = cut > 0 ? { bytes: bytes.subarray(bytes.length - cut), attempt: whole.pop()! } : undefined;
    appendFileSync(file, bytes.subarray(0, bytes.length - cut));
    for (const attempt of whole) onWhole(attempt);
  }

  function shift(): void {
    for (let n = rotations++; n > 0; n--)
      if (existsSync(`${path}.${n}`)) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
  }

  const finish = (): void => write(path, [], 0);

  return {
    finish,
    append: (attempts, cut) => write(path, attempts, cut),
    rename(late) {
      finish();
      shift();
      renameSync(path, `${path}.1`);
      write(`${path}.1`, late, 0);
      writeFileSync(path, '');
    },
    copyTruncate() {
      finish();
      shift();
      copyFileSync(path, `${path}.1`);
      truncateSync(path, 0);
    },
  };
}

export function accessLine({ who, stamp, said }: Attempt, file: number): string {
  const iso = new Date(stamp).toISOString();
  const month = new Date(stamp).toUTCString().slice(8, 11);
  const time = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  return `${who} - - [${time}] "POST /login HTTP/1.1" ${said === 'failure' ? 401 : 200} 12 "-" "Grüße/1.${file}"`;
}

export function authLine({ who, stamp, said }: Attempt, file: number): string {
  const date = new Date(stamp);
  const time = `${date.toUTCString().slice(8, 11)} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}`;
  return `${time} web sshd[${812 + file}]: ${SAID[said](who)}`;
}

const SAID: Readonly<Record<Said, (who: string) => string>> = {
  failure: (who) => `Failed password for józsef from ${who} port 40022 ssh2`,
  success: (who) => `Accepted password for ops from ${who} port 40022 ssh2`,
  nothing: (who) => `Server listening on ${who} port 22.`,
};
