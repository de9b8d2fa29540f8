// What a run left behind: read from the ledger and the kernel once the daemon has ended.
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KeptBrake } from '../../src/ledger/contract.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Ban, Evidence, JournalPosition, Offender, Position, Welcome } from '../../src/model.ts';
import { formatInstant } from '../../src/time.ts';
import type { Host } from '../support/namespaces.ts';
import { program } from '../support/programs.ts';
import { LOGS } from './script.ts';
import { rememberedBy } from '../support/remembered.ts';

/** Everything that must be the same however often the daemon was killed, as sorted lines that a person can compare. */
export interface Outcome {
  readonly bans: readonly string[];
  readonly offenders: readonly string[];
  readonly logIns: readonly string[];
  readonly lastLines: readonly string[];
  readonly positions: readonly string[];
  /** Those that trip by a number: behaviour is told by a sample of the lines, which is another after each kill. */
  readonly brakes: readonly string[];
  readonly kernel: readonly string[];
  /** What was answered to each report, first and again. */
  readonly answers: readonly string[];
}

export async function readOutcome(folder: string, host: Host, answers: readonly string[]): Promise<Outcome> {
  const ledger = openLedger(join(folder, 'state'));
  try {
    const { offenders, positions, welcomes, lastLines, brakes } = rememberedBy(ledger);
    const bans = ledger.bans({ all: true, limit: 1_000_000 });
    return {
      bans: bans.map(lineOfBan).toSorted(),
      offenders: offenders.map(lineOfOffender).toSorted(),
      logIns: welcomes.map(lineOfWelcome).toSorted(),
      lastLines: lastLines.map(({ source, line }) => `${basename(source)} ${line}`).toSorted(),
      positions: [
        ...LOGS.map((log) => lineOfPosition(join(folder, 'logs', log), log, positions)),
        ...positions.filter((each) => each.kind === 'journal').map(lineOfJournal),
      ],
      brakes: brakes.filter(({ jail }) => jail === 'rash').map(lineOfBrake),
      kernel: await readKernel(host),
      answers,
    };
  } finally {
    ledger.close();
  }
}

/**
 * How far the file is read that stands there now. Rows of earlier contents of the same file may be kept a while, so that
 * their copies are recognised; what was written last is read to its end.
 */
function lineOfPosition(file: string, log: string, positions: readonly Position[]): string {
  const { ino, size } = statSync(file, { bigint: true });
  const itself = positions
    .filter((each) => each.kind === 'file')
    .filter((each) => each.inode === String(ino) && BigInt(each.offset) === size);
  return `${log} ${itself.length === 0 ? 'is not read to its end' : `byte ${size} line ${itself.map(({ lines }) => lines).join()}`}`;
}

/** What a cursor names beside the entry's stamp is another in each run. */
function lineOfJournal({ id, cursor, lines }: JournalPosition): string {
  return `${id} entry ${lines} stamped ${cursor?.match(/;t=[^;]+/)?.[0]}`;
}

/** Everything but when an administrator acted, which is another instant in each run. */
function lineOfBan(ban: Ban): string {
  const until = ban.until === undefined ? 'ever' : formatInstant(ban.until);
  const term = ban.by === 'admin' ? 'by hand' : `since ${formatInstant(ban.since)} until ${until}`;
  return `${ban.jail} ${ban.address.text} #${ban.nth} ${term} ${ban.endedBy ?? 'open'} ${ban.reason} ${linesOf(ban)}`;
}

function lineOfOffender(offender: Offender): string {
  const { jail, address, nth, lastUntil, forgivenUntil, stamps, sessions = [] } = offender;
  const term = forgivenUntil === undefined ? (lastUntil ?? '-') : 'forgiven';
  return `${jail} ${address.text} #${nth} ${term} ${JSON.stringify(stamps)} ${sessions.join()} ${linesOf(offender)}`;
}

function lineOfWelcome({ jail, address, since, last, until }: Welcome): string {
  return `${jail} ${address.text} ${[since, last, until].map(formatInstant).join(' ')}`;
}

/** Bans have other numbers in each run: those of several sources are counted as they come. */
function lineOfBrake({ jail, memory: { latest, tripped } }: KeptBrake): string {
  const before = latest.map(({ address, at }) => `${address}@${formatInstant(at)}`).join(' ');
  return `${jail} ${tripped ? `tripped at ${formatInstant(tripped.at)}: ${tripped.why}` : 'not tripped'} ${before}`;
}

/** Which lines speak against somebody. A file's name changes with its rotation, the numbers of its lines don't. */
function linesOf({ evidence }: { readonly evidence: readonly Evidence[] }): string {
  return evidence.map(({ line, at }) => `${line}@${formatInstant(at).slice(11, 19)}`).join(' ');
}

/** The addresses of every ban set, without their remaining times. */
export async function readKernel(host: Host): Promise<string[]> {
  const listing = await host.runOk(program('nft'), ['-j', 'list', 'table', 'inet', 'bailiff']);
  const objects = (JSON.parse(listing) as { nftables: { set?: { name: string; elem?: unknown[] } }[] })
    .nftables;
  return objects
    .flatMap(({ set }) =>
      set?.name.startsWith('ban') ? (set.elem ?? []).map((each) => `${set.name} ${addressOf(each)}`) : [],
    )
    .toSorted();
}

function addressOf(element: unknown): string {
  if (typeof element === 'string') return element;
  return (element as { elem: { val: string } }).elem.val;
}

/** So many lines of each kind are shown. */
const SHOWN = 6;

/** What one run left and another didn't; undefined where both left the same. */
export function difference(expected: Outcome, found: Outcome): string | undefined {
  const told = (Object.keys(expected) as (keyof Outcome)[]).flatMap((what) => {
    if (isDeepStrictEqual(expected[what], found[what])) return [];
    const missing = expected[what].filter((line) => !found[what].includes(line));
    const extra = found[what].filter((line) => !expected[what].includes(line));
    return [
      `${what}: ${missing.length} missing, ${extra.length} extra`,
      ...missing.slice(0, SHOWN).map((line) => `  missing ${line}`),
      ...extra.slice(0, SHOWN).map((line) => `  extra   ${line}`),
    ];
  });
  return told.length > 0 ? told.join('\n') : undefined;
}
