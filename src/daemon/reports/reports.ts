// What applications and administrators say without a log: one report, one match. It is judged as a line is, and answered
// once it is committed, because nobody can read it again.
import type {
  AttemptOutcome,
  AttemptRequest,
  Control,
  Report,
  ReportOutcome,
  ReportRequest,
} from '../../api/contract.ts';
import { parseAddress } from '../../address.ts';
import { BailiffError } from '../../errors.ts';
import { createAddressReader } from '../../filters/index.ts';
import type { Ban, Evidence, Instant, Network, Verdict } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import { beginningOf } from '../../text.ts';
import { createStamps } from '../../time.ts';
import type { Stamps } from '../../time.ts';
import type { Bans } from '../bans.ts';
import type { Committer } from '../committer.ts';
import type { Faults } from '../telling/faults.ts';
import { judge, reasonOfMatches } from '../judge.ts';
import { noJail } from '../no-jail.ts';
import type { Ground, SittingJail } from '../judge.ts';
import { EVIDENCE_LIMIT, FUTURE_TOLERANCE } from '../pipeline.ts';
import type { OnVerdict } from '../pipeline.ts';
import type { ReportMemory } from './report-memory.ts';
import type { ReportSource } from './report-source.ts';
import type { Sittings } from '../sitting.ts';

/** While the ledger can't be written, so many answers wait for it in memory; then reports are refused. */
export const REPORTS_UNWRITTEN = 50_000;
/** A commit waits for so many rounds of the event loop at most, while more reports come. */
const MOST_ROUNDS = 16;
/** So many rounds without a report end the wait. Not one: a new connection is accepted in one round and read in the next. */
const EMPTY_ROUNDS = 2;

export interface ReportParts {
  readonly bans: Bans;
  readonly committer: Committer;
  readonly sittings: Sittings;
  readonly memory: ReportMemory;
  readonly clock: Clock;
  /** How old an answer is: a clock that jumped ahead must not make it forgotten. */
  readonly sentences: Clock;
  readonly faults: Faults;
  readonly source: Pick<ReportSource, 'note'>;
  /** The jails that count bans. */
  recidive(): readonly SittingJail[];
  /** Who hears of verdicts; undefined while nobody does. */
  onVerdict(): OnVerdict | undefined;
  /** Tells the log, and whoever waits for the next ban's end. */
  announce(decided: readonly Ban[]): void;
  /** Tells the kernel what changed; nothing where nothing may reach it. */
  enforce(): Promise<unknown>;
}

type Reports = Pick<Control, 'report' | 'attempt'>;

export function createReports(parts: ReportParts): Reports {
  const { bans, committer, sittings, memory, clock, sentences, faults } = parts;
  const readAddress = createAddressReader();
  const stampsOf = new WeakMap<SittingJail, Stamps>();
  let joint: Promise<boolean> | undefined;
  let arrived = 0;

  /** One commit for all that comes while more is coming: many clients share it. */
  function commitTogether(): Promise<boolean> {
    arrived++;
    return (joint ??= (async () => {
      for (let rounds = 0, empty = 0; empty < EMPTY_ROUNDS && rounds < MOST_ROUNDS; rounds++) {
        const before = arrived;
        await new Promise((resolve) => setImmediate(resolve));
        empty = arrived > before ? 0 : empty + 1;
      }
      // Whoever comes from here on may be too late for this one.
      joint = undefined;
      // A full disk doesn't get emptier by being asked for every report.
      return committer.isResting ? false : committer.commit(false);
    })());
  }

  /** The instant that a report speaks of; undefined where it can't be read. */
  function instantOf(written: Report['at'], sitting: SittingJail, now: Instant): Instant | undefined {
    if (written === undefined) return now;
    const stamps = stampsOf.get(sitting) ?? createStamps(sitting.ready.config.zone);
    stampsOf.set(sitting, stamps);
    const at = stamps.field(String(written), now);
    if (at === undefined) return undefined;
    if (at <= now + FUTURE_TOLERANCE) {
      faults.clear(FUTURE);
      return at;
    }
    faults.raise(
      FUTURE,
      'Reports are stamped more than five minutes ahead of the clock; their arrival counts instead. Is the clock of the reporter right?',
    );
    return now;
  }

  function judgeReport(report: Report, now: Instant): ReportOutcome {
    const { jail, address: written, outcome } = report;
    const refused = (code: ReportOutcome['code'], why: string): ReportOutcome => ({
      address: written,
      outcome: 'refused',
      code,
      why,
    });
    const sitting = sittings.find(jail);
    // Which jails there are is nothing that a reporter must know.
    if (!sitting?.ready.config.reports)
      return refused('E_UNKNOWN_JAIL', `no jail "${jail}" takes reports; a jail does with "reports": true`);
    const address = readAddress(written);
    if (!address) return refused('E_ADDRESS', `"${written}" is not an address`);
    const at = instantOf(report.at, sitting, now);
    if (at === undefined)
      return refused('E_USAGE', `"at" is no stamp: ${JSON.stringify(report.at)}; ISO 8601 or an epoch is`);
    const isAbuse = outcome === 'abuse';
    const { rules } = sitting.ready;
    const ground = (): Ground =>
      isAbuse
        ? { reason: () => 'reported as abuse', by: 'report' }
        : { reason: reasonOfMatches(sitting, 'reports'), by: 'jail' };
    const count = {
      ...{ address, at, counts: isAbuse ? rules.maxRetry : 1 },
      outcome: outcome === 'success' ? ('success' as const) : ('failure' as const),
      evidence: () => evidenceOf(report, at),
    };
    // As a line's: who logged in is protected in the jail.
    if (count.outcome === 'success') sitting.jail.welcome(address, at);
    const onVerdict = parts.onVerdict();
    const match = { filter: 'report', address, fields: {} };
    const tell = (verdict: Verdict): void => onVerdict?.(jail, match, verdict, count.evidence);
    const { verdict, bans: decided } = judge(sitting, count, ground, parts.recidive(), bans, now, tell);
    parts.announce(decided);
    return { address: address.text, ...tellReporter(verdict) };
  }

  /** A report that comes again under its id counts nothing and is answered as it was. */
  function take(report: Report, now: Instant): ReportOutcome {
    const { jail, id } = report;
    if (id === undefined) return judgeReport(report, now);
    const known = memory.find(jail, id, sentences.now());
    if (known) {
      const { address, outcome, why } = known;
      const answered = { address, outcome: outcome as ReportOutcome['outcome'] };
      return { ...answered, ...(why === undefined ? {} : { why }), id, repeated: true };
    }
    const answer = judgeReport(report, now);
    const { address, outcome, why } = answer;
    if (outcome !== 'refused') memory.keep({ jail, id, at: sentences.now(), address, outcome, why });
    return { ...answer, id };
  }

  function attemptOne(network: Network, sitting: SittingJail): AttemptOutcome {
    const now = clock.now();
    const evidence = (): Evidence => ({ file: 'attempt', line: 0, at: now, text: 'reported by hand' });
    const { verdict, bans: decided } = judge(
      sitting,
      { address: network, at: now, counts: 1, outcome: 'failure', evidence },
      () => ({ reason: reasonOfMatches(sitting, 'attempts by hand'), by: 'jail' }),
      parts.recidive(),
      bans,
      now,
    );
    parts.announce(decided);
    return { address: network.text, ...tellAdministrator(verdict) };
  }

  return {
    async report({ reports }: ReportRequest) {
      if (memory.dirty >= REPORTS_UNWRITTEN) {
        memory.refused += reports.length;
        throw unwritten('was not counted');
      }
      const now = clock.now();
      const outcomes = reports.map((report) => take(report, now));
      const jails = reports.map(({ jail }) => jail);
      parts.source.note(jails, outcomes);
      if (outcomes.every(({ outcome }) => outcome === 'refused')) return outcomes;
      // If we die here nothing was answered: the reporter repeats what he has no answer to, and it counts for the first time.
      const isWritten = await commitTogether();
      // Without the disk a ban is enforced all the same, and so before the answer.
      if (outcomes.some(({ outcome }) => outcome === 'banned')) await parts.enforce();
      // If we die here what was counted is known, and so is the answer to whoever repeats it.
      if (!isWritten) throw unwritten('counts, but could not be written to the disk yet');
      return outcomes;
    },
    async attempt({ addresses, jail }: AttemptRequest) {
      const sitting = sittings.find(jail);
      if (!sitting) throw noJail(jail, sittings);
      const networks = addresses.map(addressNamed);
      const outcomes = networks.map((network) => attemptOne(network, sitting));
      const durable = await committer.commit(true);
      await parts.enforce();
      return outcomes.map((each) => (durable ? each : { ...each, durable }));
    },
  };
}

const FUTURE = 'W_STAMP_FUTURE';

function addressNamed(text: string): Network {
  const address = parseAddress(text);
  if (address) return address;
  throw new BailiffError('E_ADDRESS', `"${text}" is not an address.`, { address: text });
}

function unwritten(what: string): BailiffError {
  return new BailiffError(
    'E_LEDGER_UNAVAILABLE',
    `The report ${what}: the ledger can't be written; repeat it later under the same id.`,
  );
}

/** Nothing that a reporter has no business to know: neither the allow list nor how many have counted. */
function tellReporter(verdict: Verdict): Pick<ReportOutcome, 'outcome' | 'why'> {
  switch (verdict.outcome) {
    case 'ignored':
      return { outcome: 'ignored', why: 'the address is allowed or protected' };
    case 'late':
      return { outcome: 'late', why: verdict.why };
    case 'recorded':
      return { outcome: 'recorded', why: WHY_RECORDED[verdict.why] };
    case 'ban':
      return { outcome: 'banned' };
    case 'success':
    case 'counted':
      return { outcome: verdict.outcome };
  }
}

function tellAdministrator(verdict: Verdict): Pick<AttemptOutcome, 'outcome' | 'why'> {
  switch (verdict.outcome) {
    case 'ignored':
    case 'late':
      return { outcome: 'ignored', why: verdict.why };
    case 'recorded':
      return { outcome: 'ignored', why: WHY_RECORDED[verdict.why] };
    case 'counted':
      return { outcome: 'counted', why: `number ${verdict.count} of ${verdict.of}` };
    case 'ban':
      return { outcome: 'banned' };
    case 'success':
      return { outcome: 'ignored' };
  }
}

const WHY_RECORDED: Readonly<Record<Extract<Verdict, { outcome: 'recorded' }>['why'], string>> = {
  banned: 'the address is banned already',
  forgiven: 'the address was pardoned up to that instant',
  'counts-nothing': 'it counts nothing by itself',
  'counted-already': 'the attempt has counted already',
};

/** What the application says: hostile text, in which its users may write. */
function evidenceOf({ outcome, fields }: Report, at: Instant): Evidence {
  const text = fields === undefined ? outcome : `${outcome} ${written(fields)}`;
  return { file: 'report', line: 0, at, text: beginningOf(text, EVIDENCE_LIMIT) };
}

function written(fields: unknown): string {
  try {
    return JSON.stringify(fields);
  } catch {
    return '(fields nested too deep to be shown)';
  }
}
