// What a source of lines is to the rest of the house.
import type { Chunk, Instant, FilePosition } from '../model.ts';

/** Where a file that Bailiff meets for the first time is read from. */
export type Start =
  | 'beginning'
  | 'end'
  /** From the first line whose stamp is at or after this instant; where lines bear no stamps, from the end. */
  | { readonly since: Instant };

/** Which files are followed. Several watches may name the same file: it is followed once. */
export interface Watch {
  /** An absolute path or glob. */
  readonly pattern: string;
  /** For files that exist at the first look. A file that appears later is read from its beginning. */
  readonly start: Start;
}

export interface SourceFault {
  readonly code: string;
  /** One sentence without hostile text. */
  readonly message: string;
  readonly count: number;
  readonly since: Instant;
  /** When it last happened. */
  readonly last?: Instant;
}

export interface SourceStatus {
  /** The path that is watched (for a glob without any file yet: the glob). */
  readonly id: string;
  readonly kind: 'file' | 'journal' | 'input';
  /** Where the file stands; undefined where there is none. */
  readonly path?: string;
  readonly state: 'following' | 'catching-up' | 'waiting' | 'failed';
  /** Bytes not read yet; always 0 for the journal and standard input, of which nobody knows. */
  readonly lag: number;
  /** The number of the first line that was or will be read since the start; absent while no file was met. */
  readonly firstLine?: number;
  /** Lines read, and over-long lines cut, since the start. */
  readonly lines: number;
  readonly skipped: number;
  readonly faults: readonly SourceFault[];
}

/** Which entries of the journal are followed. */
export interface JournalWatch {
  /** Names the source: `journal:` and the terms. */
  readonly id: string;
  /** journalctl's match terms: `FIELD=value`, and `+` between groups of them. */
  readonly terms: readonly string[];
  /** For the first time that the journal is read by these terms; `since` is meant as for a file. */
  readonly start: Start;
}

/** Some or all sources of a daemon, pulled one chunk at a time, so that a backlog never grows memory. */
export interface Sources {
  /**
   * The next chunk of whichever source has one, live files ahead of those that catch up; waits until there is one.
   * Chunks of one source come in order. Asking for the next one says that the one before was applied.
   * @returns undefined once closed.
   */
  next(): Promise<Chunk | undefined>;
  /** Looks at the disk now. @returns whether everything that is there, half-written last lines aside, was handed out. */
  caughtUp(): Promise<boolean>;
  status(): readonly SourceStatus[];
  /** Positions of files that the ledger need not keep any more (gone from the disk). Clears the list. */
  takeForgotten(): readonly string[];
  close(): Promise<void>;
}

export interface FileSources extends Sources {
  /**
   * Follows these watches from now on instead of those before: synchronously, so that every chunk that is applied after
   * it names the patterns of now. Files that were named before go on where they are; so do files that are named again.
   * A pattern that is new meets its files for the first time.
   * @returns resolves when it is known from where each of them is read.
   */
  follow(watches: readonly Watch[]): Promise<void>;
}

export interface SourcesOptions {
  readonly watches: readonly Watch[];
  /** What the ledger knows; may hold files that no watch names. */
  readonly positions: readonly FilePosition[];
  /** The stamp of a line (latin1) of a file that these patterns name, for the first sight; undefined where it bears none. */
  readonly stampOf: (patterns: readonly string[], line: string) => Instant | undefined;
}
