// What is reported without a log: by applications, and by hand.
import * as v from 'valibot';
import { BailiffError } from '../../errors.ts';
import type { Control, Report, ReportOutcome } from '../contract.ts';
import { addressField, jailField } from '../fields.ts';
import { route } from '../route.ts';
import type { Call, Fields } from '../route.ts';
import { createCheck } from '../validate.ts';

/** More reports, or addresses, than this in one request are refused. */
const MOST = 1_000;
/** So many reports are worked on before the event loop is given back; each such part has its commit. */
const AT_ONCE = 250;

const outcome = v.pipe(
  v.picklist(['failure', 'success', 'abuse']),
  v.description('`failure` is one match, `abuse` bans at once, `success` speaks for the address.'),
);
/** Whatever the application's users wrote: no shape and no length of it may keep a report from counting. */
const fields = v.pipe(
  v.unknown(),
  v.description('What else there is to say, of any shape: kept as evidence, a thousand characters of it.'),
);
const at = v.pipe(
  v.union([v.pipe(v.string(), v.nonEmpty(), v.maxLength(64)), v.pipe(v.number(), v.minValue(0))]),
  v.description('When it happened: ISO 8601, or an epoch in seconds, milliseconds, … Left out: now.'),
);
const id = v.pipe(
  v.string(),
  v.nonEmpty(),
  v.maxLength(128),
  v.description(
    "The reporter's own: a report that comes again under it counts nothing and is answered as before.",
  ),
);
const beside = { fields: v.optional(fields), at: v.optional(at), id: v.optional(id) };

/** A report. */
const REPORT = { jail: jailField, address: addressField, outcome, ...beside } satisfies Fields;
const checkSingle = createCheck(REPORT, 'body');
const checkReport = createCheck(REPORT, 'report');
const BODY = {
  reports: v.optional(
    v.pipe(
      v.array(v.unknown()),
      v.nonEmpty(),
      v.maxLength(MOST),
      v.description('Several reports, each with the keys that a single one has here.'),
    ),
  ),
  jail: v.optional(jailField),
  address: v.optional(addressField),
  outcome: v.optional(outcome),
  ...beside,
} satisfies Fields;

export const reportsRoutes = [
  route({
    method: 'POST',
    path: '/v1/reports',
    roles: ['report', 'control'],
    summary:
      'What an application knows of an address, for a jail that takes reports: one report, or several under `reports`. Answered once they are committed, one outcome a report, in order. Of several, one that is refused is an outcome; alone it is a fault.',
    query: {},
    body: BODY,
    answers: 'ReportOutcomes',
    handle: reportAll,
  }),
  route({
    method: 'POST',
    path: '/v1/attempts',
    roles: ['control'],
    summary: 'One match for each address, reported by hand, in any jail. One outcome an address, in order.',
    query: {},
    body: {
      addresses: v.pipe(v.array(addressField), v.nonEmpty(), v.maxLength(MOST)),
      jail: jailField,
    },
    answers: 'AttemptOutcomes',
    handle: ({ control, body }) => control.attempt(body),
  }),
];

async function reportAll({ control, body }: Call<Fields, typeof BODY>): Promise<ReportOutcome[]> {
  const { reports, ...single } = body;
  if (!reports) {
    const [answer] = await control.report({ reports: [checkSingle(single)] });
    if (answer!.outcome !== 'refused') return [answer!];
    throw new BailiffError(answer!.code!, answer!.why!, { address: answer!.address });
  }
  const [key] = Object.keys(single);
  if (key !== undefined)
    throw new BailiffError('E_USAGE', `"reports" stands alone; put "${key}" into each of them`);
  const outcomes: ReportOutcome[] = [];
  for (let at = 0; at < reports.length; at += AT_ONCE)
    outcomes.push(...(await reportSome(control, reports.slice(at, at + AT_ONCE))));
  return outcomes;
}

async function reportSome(control: Control, sent: readonly unknown[]): Promise<ReportOutcome[]> {
  const read = sent.map(readReport);
  const sound = read.flatMap((each) => ('report' in each ? [each.report] : []));
  const answers = sound.length > 0 ? await control.report({ reports: sound }) : [];
  return read.map((each) => ('report' in each ? answers.shift()! : each.refused));
}

/** One that makes no sense must not keep the others from counting. */
function readReport(sent: unknown): { report: Report } | { refused: ReportOutcome } {
  try {
    return { report: checkReport(sent) };
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error;
    const { address, id: own } = (sent ?? {}) as { address?: unknown; id?: unknown };
    return {
      refused: {
        address: typeof address === 'string' ? address.slice(0, 64) : '',
        ...{ outcome: 'refused', code: 'E_USAGE', why: error.message },
        ...(typeof own === 'string' && own.length <= 128 ? { id: own } : {}),
      },
    };
  }
}
