// Which sources feed a set of jails: their files, the journal where there are none, standard input; and from where each is
// read at first sight.
import { existsSync, globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RECIDIVE } from '../../config/contract.ts';
import type { Instant } from '../../model.ts';
import { createStamps, findStamp } from '../../stamps.ts';
import type { Stamps } from '../../stamps.ts';
import type { ReadyJail } from '../../setup/index.ts';
import type { JournalWatch, Start, Watch } from '../../sources/contract.ts';
import { INPUT } from '../../sources/index.ts';

/** Where journald keeps its files, for good or until the next boot. */
const JOURNALS = ['/var/log/journal', '/run/log/journal'];

export interface Feeding {
  readonly watches: readonly Watch[];
  readonly journals: readonly JournalWatch[];
  readonly input: boolean;
  /** The watched patterns and the ids of the sources that a jail hears of. */
  patternsOf(jail: ReadyJail): readonly string[];
}

/**
 * Decides it by what is there now: a file that appears later is followed, but changes nothing about the journal.
 * @param asksForInput `run -`: standard input feeds the jails that name it; where none does, those without an existing log.
 * @param directory of the journal's files, where they are not this host's.
 */
export function chooseSources(
  jails: readonly ReadyJail[],
  now: Instant,
  { asksForInput, directory }: { asksForInput: boolean; directory: string | undefined },
): Feeding {
  const isNamed = jails.some(({ config }) => config.logs.includes(INPUT));
  const hasJournal = isJournalThere(directory === undefined ? JOURNALS : [directory]);
  const users = new Map<string, ReadyJail[]>();
  const patternsOf = new Map<string, readonly string[]>();
  const terms = new Map<string, readonly string[]>();

  function choose({ config }: ReadyJail): readonly string[] {
    const { filters, journal, logs } = config;
    if (filters.includes(RECIDIVE)) return [];
    const hasLog = logs.some((log) => log === INPUT || isThere(log));
    if (asksForInput && !isNamed && !hasLog) return [INPUT];
    if (journal.length === 0) return logs;
    const id = journalId(journal);
    if (config.sources !== 'all' && hasLog) return logs;
    // Without any journal the logs are waited for. With one they are not: each line would count twice.
    if (config.sources !== 'all' && !hasJournal && logs.length > 0) return logs;
    terms.set(id, journal);
    return config.sources === 'all' ? [...logs, id] : [id];
  }

  for (const jail of jails) {
    const patterns = choose(jail);
    patternsOf.set(jail.rules.name, patterns);
    for (const pattern of patterns) users.set(pattern, [...(users.get(pattern) ?? []), jail]);
  }
  const chosen = [...users].map(([pattern, its]) => ({ pattern, start: startOf(its, now) }));
  return {
    watches: chosen.filter(({ pattern }) => !terms.has(pattern) && pattern !== INPUT),
    journals: chosen.flatMap(({ pattern: id, start }) => {
      const its = terms.get(id);
      return its ? [{ id, terms: its, start }] : [];
    }),
    input: users.has(INPUT),
    patternsOf: (jail) => patternsOf.get(jail.rules.name) ?? [],
  };
}

/** The name of a source: `journal:_SYSTEMD_UNIT=ssh.service`. Terms with a blank are quoted. */
function journalId(terms: readonly string[]): string {
  return `journal:${terms.map((term) => (/[\s"]/.test(term) ? JSON.stringify(term) : term)).join(' ')}`;
}

/** Without `start`, reading begins where the longest findTime of the source's jails begins. */
function startOf(users: readonly ReadyJail[], now: Instant): Start {
  // Jails that disagree about `start` are a fault of the config; one that is silent agrees with any.
  const start = users.find((jail) => jail.config.start !== undefined)?.config.start;
  return start ?? { since: now - Math.max(...users.map((jail) => jail.rules.findTime)) };
}

function isThere(pattern: string): boolean {
  return existsSync(pattern) || globSync(pattern).length > 0;
}

/** Folders of the journal may lie empty where no journald runs. Its files stand in one, or in one below it. */
function isJournalThere(folders: readonly string[]): boolean {
  const hasFiles = (folder: string): boolean => listNames(folder).some((name) => name.endsWith('.journal'));
  return folders.some(
    (folder) => hasFiles(folder) || listNames(folder).some((name) => hasFiles(join(folder, name))),
  );
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // None there, no folder, or not to be looked into: nothing that could be read.
  }
}

/** @returns a function that reads the stamp of any line (latin1) of a file that these patterns name. */
export function createStampFinder(
  jails: readonly ReadyJail[],
  now: () => Instant,
): (patterns: readonly string[], line: string) => Instant | undefined {
  const readers = new Map<string, Stamps>();
  const readerOf = (patterns: readonly string[]): Stamps => {
    const key = patterns.join('\0');
    let stamps = readers.get(key);
    if (!stamps) {
      // Jails that disagree about the zone of a log are a fault of the config: the first one speaks for all.
      const user = jails.find((jail) => jail.config.logs.some((log) => patterns.includes(log)));
      stamps = createStamps(user?.config.zone);
      readers.set(key, stamps);
    }
    return stamps;
  };
  return (patterns, line) => findStamp(line, readerOf(patterns), now());
}
