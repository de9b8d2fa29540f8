// Real files of the journal, made of entries as a test wants them.
import { execFileSync } from 'node:child_process';
import { program } from './programs.ts';
import { run } from './run.ts';

export interface JournalEntry {
  /** Milliseconds since the epoch: when journald says that it received it. */
  readonly at: number;
  readonly message: string | Buffer;
  readonly boot?: number;
  /** Further fields; they replace those of an entry by sshd. */
  readonly fields?: Readonly<Record<string, string | Buffer>>;
}

const SSHD = {
  _SYSTEMD_UNIT: 'ssh.service',
  SYSLOG_IDENTIFIER: 'sshd',
  _COMM: 'sshd',
  _PID: '812',
  _HOSTNAME: 'web',
  _TRANSPORT: 'syslog',
};

/** Appends entries to a file of the journal, `….journal`, which is made where it is missing. They are there afterwards. */
export function appendToJournalSync(file: string, entries: readonly JournalEntry[]): void {
  const input = Buffer.concat(entries.map(exported));
  execFileSync(program('systemd-journal-remote'), ['-o', file, '-'], {
    input,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

/** The same, without holding up anything else. */
export async function appendToJournal(file: string, entries: readonly JournalEntry[]): Promise<void> {
  const args = [program('systemd-journal-remote'), '-o', file, '-'];
  // It reads its standard input as bytes; ours is text of one byte a character.
  const ran = await run(args[0]!, args.slice(1), { input: Buffer.concat(entries.map(exported)) });
  if (ran.code !== 0) throw new Error(ran.stderr);
}

/** https://systemd.io/JOURNAL_EXPORT_FORMATS/ */
function exported({ at, message, boot = 1, fields = {} }: JournalEntry): Buffer {
  const head = {
    __REALTIME_TIMESTAMP: String(Math.round(at * 1_000)),
    // By it sd-journal orders the entries of one boot that stand in several files.
    __MONOTONIC_TIMESTAMP: String(Math.round(at * 1_000)),
    _BOOT_ID: boot.toString(16).padStart(32, '0'),
  };
  const all = { ...head, ...SSHD, MESSAGE: message, ...fields };
  return Buffer.concat([
    ...Object.entries(all).map(([name, value]) => field(name, value)),
    Buffer.from('\n'),
  ]);
}

function field(name: string, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.every((byte) => byte >= 32))
    return Buffer.concat([Buffer.from(`${name}=`), bytes, Buffer.from('\n')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}
