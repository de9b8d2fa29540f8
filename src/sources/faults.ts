// What can be wrong with a source, as a table: code → one sentence without hostile text.
import type { Clock } from '../ports.ts';
import type { SourceFault } from './contract.ts';

export const SOURCE_FAULTS = {
  E_SOURCE_NOT_A_FILE: 'It is a folder, a FIFO, a socket or a device; only regular files are followed.',
  E_SOURCE_PERMISSION: 'It may not be read. Give the service read access (group adm, or an ACL).',
  E_SOURCE_SYMLINK: 'The symbolic link leads to a file that belongs neither to its owner nor to root.',
  E_SOURCE_VANISHED: 'The file vanished and nothing took its place. It is picked up when it comes back.',
  E_SOURCE_READ: 'Reading failed. It is tried again.',
  E_SOURCE_LONG_LINE: 'Lines longer than 256 KiB were cut; the rest of each was skipped.',
  E_SOURCE_BINARY: 'Lines hold NUL bytes.',
  E_SOURCE_ENCODING: 'Lines are no valid UTF-8.',
  E_SOURCE_SHRUNK: 'The file became shorter than what was read of it; reading goes on at its end.',
  E_SOURCE_LOST: 'The file was truncated or removed with lines unread, and no copy of it was found.',
  E_SOURCE_UNPLACED:
    'A rotated file was not read: its name and its times contradict each other, and it may hold unread lines.',
  E_SOURCE_COMPRESSED:
    'A rotated file that was not read yet is compressed in a way that cannot be read, or damaged.',
  E_SOURCE_BROKEN_LINE:
    'The journal broke lines in two: at a NUL, or for their length. Parts of lines can be forged, and are passed over.',
  E_JOURNAL_MISSING: 'The program journalctl is not there, so that the journal cannot be read.',
  E_JOURNAL_ENDED: 'journalctl ended by itself, or went deaf. It is started again.',
  E_JOURNAL_LOST: 'Entries of the journal were removed before they were read.',
  E_INPUT_ENDED: 'Standard input has ended. Nothing more comes from it.',
  E_SOURCE_WATCH: 'The folder cannot be watched; the file is polled every second instead.',
} as const;

export type SourceFaultCode = keyof typeof SOURCE_FAULTS;

/** Counts the faults of one source. */
export interface Faults {
  /** @param message instead of the usual one, where more is known; without hostile text. The newest stands. */
  add(code: SourceFaultCode, count?: number, message?: string): void;
  list(): readonly SourceFault[];
}

export function createFaults(clock: Clock): Faults {
  const counted = new Map<SourceFaultCode, { count: number; since: number; last: number; message: string }>();
  return {
    add(code, count = 1, message = SOURCE_FAULTS[code]) {
      const entry = counted.get(code);
      const last = clock.now();
      if (entry) Object.assign(entry, { count: entry.count + count, last, message });
      else counted.set(code, { count, since: last, last, message });
    },
    list: () => [...counted].map(([code, times]) => ({ code, ...times })),
  };
}
