// The journal, asked through journalctl. Its options are written here, and why each of them is needed.
import { readFileSync } from 'node:fs';
import type { Instant } from '../model.ts';
import type { FeedExec, Feed } from '../ports.ts';
import { instantOf } from './cursor.ts';
import { createEntryReader } from './export-format.ts';
import { FIELDS } from './journal-lines.ts';

export interface Journalctl {
  /** The newest entry that the terms name: its cursor and when it was received; undefined where there is none. */
  newest(terms: readonly string[]): Promise<Answer>;
  /** The entry at the cursor; where that is gone, the first one after it, of all programs. */
  at(cursor: string): Promise<Answer>;
  /**
   * Every entry from the cursor on (that one too, where it is still there), or since the instant; then those to come.
   * @returns undefined where it can't be started.
   */
  follow(terms: readonly string[], from: { cursor: string | undefined; since: Instant }): Feed | undefined;
  /** Is the program there? */
  readonly isThere: boolean;
}

export type Answer =
  | { readonly outcome: 'found'; readonly cursor: string; readonly at: Instant }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'failed'; readonly why: string };

/** So long an answer may take. The watchdog of the unit has more patience. */
export const JOURNALCTL_PATIENCE = 30_000;
const MACHINE_ID = '/etc/machine-id';

/** @param directory the folder with the journal's files, where it is not this host's own. */
export function createJournalctl(exec: FeedExec, directory: string | undefined): Journalctl {
  const program = exec.find('journalctl');

  function argumentsFor(terms: readonly string[], options: readonly string[]): string[] {
    return [
      '--quiet',
      '--no-pager',
      // Without it `--follow` shows the current boot only, in silence, and what was written before a reboot were lost.
      '--merge',
      ...(directory === undefined ? [] : [`--directory=${directory}`]),
      // Not JSON: there a message that isn't UTF-8 takes four times its length, and its cursor may come behind it.
      '--output=export',
      ...options,
      '--',
      ...(directory === undefined ? onThisMachine(terms) : terms),
    ];
  }

  async function ask(terms: readonly string[], options: readonly string[]): Promise<Answer> {
    if (program === undefined) return { outcome: 'failed', why: 'there is no journalctl' };
    const args = argumentsFor(terms, ['--lines=1', '--output-fields=_PID', ...options]);
    const ran = await exec.run({ file: program, args, timeout: JOURNALCTL_PATIENCE });
    if (ran.code !== 0) return { outcome: 'failed', why: ran.stderr.trim() || ran.outcome };
    const reader = createEntryReader(1_024);
    reader.push(Buffer.from(`${ran.stdout}\n`));
    const cursor = reader.next()?.fields.get('__CURSOR');
    return cursor === undefined
      ? { outcome: 'none' }
      : { outcome: 'found', cursor, at: instantOf(cursor) ?? 0 };
  }

  return {
    isThere: program !== undefined,
    newest: (terms) => ask(terms, []),
    at: (cursor) => ask([], [`--cursor=${cursor}`]),
    follow(terms, { cursor, since }) {
      if (program === undefined) return undefined;
      // Never `--after-cursor`: where that entry is gone, it skips the first one that is left, and says nothing.
      const from = cursor === undefined ? `--since=@${Math.max(0, since) / 1_000}` : `--cursor=${cursor}`;
      const options = ['--follow', '--no-tail', `--output-fields=${FIELDS.join()}`, from];
      return exec.follow(program, argumentsFor(terms, options));
    },
  };
}

/**
 * `--merge` would take in the journals that other machines have sent here, and those of containers.
 * Terms of different fields must all hold, so that each group needs it.
 */
function onThisMachine(terms: readonly string[]): string[] {
  const machine = machineTerm();
  if (machine === undefined) return [...terms];
  const all: string[] = [machine];
  for (const term of terms) all.push(...(term === '+' ? ['+', machine] : [term]));
  return all;
}

function machineTerm(): string | undefined {
  try {
    const id = readFileSync(MACHINE_ID, 'latin1').trim();
    return /^[\da-f]{32}$/.test(id) ? `_MACHINE_ID=${id}` : undefined;
  } catch {
    return undefined; // Then there is no journal of this machine.
  }
}
