import type { HistoryView } from '../../api/contract.ts';
import { EXIT } from '../../errors.ts';
import { printable } from '../../text.ts';
import { formatDuration } from '../../time.ts';
import { checkAddresses } from '../arguments.ts';
import { answerInWords } from '../answer.ts';
import { formatJson } from '../json.ts';
import { formatTable, formatWhen, paint } from '../table.ts';
import type { Cell } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'history',
  summary: 'all that is known of an address: bans, evidence, counts, what comes next',
  arguments: [{ term: '<address>', summary: 'an address or a network' }],
  options: [],
  async run(context, args) {
    checkAddresses(args);
    const client = await context.client();
    const history = await client.history(args[0]!);
    if (context.json) context.out(formatJson(history));
    else
      context.out(
        context.terminal ? formatScreen(context, history) : formatTable(context, [], lines(history)),
      );
    return EXIT.done;
  },
};

/** One line a fact, its kind first: for other programs. */
function lines(history: HistoryView): Cell[][] {
  return [
    ...history.bans.flatMap((ban) => [
      [
        'ban',
        ban.id,
        ban.address,
        ban.jail,
        ban.state,
        ban.since,
        ban.until,
        ban.nth,
        ban.by,
        ban.endedBy,
        ban.reason,
      ],
      ...(ban.ineffective ? [['ineffective', ban.id, ban.ineffective.cause, ban.ineffective.seen]] : []),
      ...ban.evidence.map((each) => ['evidence', ban.id, each.at, each.file, each.line, each.text]),
    ]),
    ...history.offenders.map((each) => ['offender', each.jail, each.count, each.of, each.window, each.last]),
    ...history.protected.map((each) => ['protected', each.jail, each.loggedIn, each.until, each.by]),
    ...history.next.map((each) => [
      ...['next', each.jail, each.nth, each.for ?? 'forever'],
      ...(each.never === undefined ? [] : [`never: ${each.never}`]),
    ]),
  ];
}

function formatScreen(context: Context, history: HistoryView): string {
  const parts = [`${paint(context, 'bold', printable(history.address))}\n`];
  if (history.bans.length === 0) parts.push('never banned\n');
  for (const ban of history.bans) parts.push(formatBan(context, ban));
  if (history.offenders.length > 0) {
    const rows = history.offenders.map((each) => [
      each.jail,
      `${each.count} of ${each.of}`,
      span(each.window),
      formatWhen(context, each.last, 'none'),
    ]);
    parts.push(formatTable(context, ['jail', 'matches', 'within', 'last'], rows));
  }
  if (history.protected.length > 0) {
    const rows = history.protected.map((each) => [
      each.jail,
      formatWhen(context, each.loggedIn),
      formatWhen(context, each.until),
      each.by,
    ]);
    parts.push(formatTable(context, ['jail', 'someone was there', 'protected until', 'told by'], rows));
  }
  if (history.next.length > 0) {
    const rows = history.next.map((each) => [
      ...[each.jail, nextInWords(each)],
      each.never === undefined ? span(each.for) : '',
    ]);
    parts.push(formatTable(context, ['jail', 'next would be', 'for'], rows));
  }
  return parts.join('\n');
}

function formatBan(context: Context, ban: HistoryView['bans'][number]): string {
  const end = ban.endedBy === undefined ? '' : `, ended by ${ban.endedBy}`;
  const until = ban.until === null ? 'without end' : `until ${formatWhen(context, ban.until)}`;
  const how = answerInWords(ban.answer);
  const state = how === undefined ? ban.state : `${ban.state} (${how})`;
  const head = `${ban.address}: ban ${ban.id} in ${ban.jail}, number ${ban.nth}, by ${ban.by}: ${state}${end}`;
  const when = `  from ${formatWhen(context, ban.since)} ${until}`;
  const reason = ban.reason === '' ? [] : [`  ${printable(ban.reason)}`];
  const alarm = ban.ineffective;
  const effect = alarm
    ? [`  it has no effect (${alarm.cause}, ${alarm.lines} lines so far): ${alarm.seen}`, `  ${alarm.mend}`]
    : [];
  const evidence = ban.evidence.map(
    (each) => `  ${printable(`${each.file}:${each.line}  ${each.text}`, 2_000)}`,
  );
  return [printable(head), printable(when), ...effect.map((line) => printable(line)), ...reason, ...evidence]
    .map((line) => `${line}\n`)
    .join('');
}

/** `ban number 2 (reject); 192.0.2.0/24 from 8 on, 3 now`. */
function nextInWords({ nth, never, answer, wider }: HistoryView['next'][number]): string {
  if (never !== undefined) return `none: ${never}`;
  const how = answerInWords(answer);
  const next = how === undefined ? `ban number ${nth}` : `ban number ${nth} (${how})`;
  if (!wider) return next;
  const { network, offenders, when, spared } = wider;
  const whom = spared === undefined ? `from ${when} on, ${offenders} now` : `never: ${spared}`;
  return `${next}; ${network} ${whom}`;
}

function span(seconds: number | null): string {
  return formatDuration(seconds === null ? Infinity : seconds * 1_000);
}
