import { EXIT } from '../../errors.ts';
import { createHost, explain, listLoggedIn } from '../../daemon/offline/index.ts';
import type { Explanation } from '../../daemon/offline/index.ts';
import { createClock, createExec } from '../../daemon/system.ts';
import { printable } from '../../text.ts';
import { formatInstant } from '../../time.ts';
import { formatJson } from '../json.ts';
import { readAsked } from '../ready.ts';
import { formatTable, paint } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'explain',
  summary: 'what each stage says about one line',
  arguments: [{ term: '<line>', summary: 'a log line, quoted for the shell' }],
  options: [{ term: '--jail <name>', summary: 'ask this jail only' }],
  details: 'Exit status 1 where no jail takes the line. No daemon is asked: counts begin with this line.',
  async run(context, args, options) {
    const asked = readAsked(context, options);
    if (!asked.ok) return asked.exit;
    const { setup, jail } = asked;
    // As a file would hold it: one byte one character, without the line's end.
    const line = Buffer.from(args[0]!.replace(/\r?\n$/, ''), 'utf8').toString('latin1');
    const now = createClock().now();
    const loggedIn = await listLoggedIn(createExec(), now);
    const found = await explain(setup, line, { jail, now, loggedIn }, createHost());
    context.out(context.json ? formatJson(found.map(view)) : describe(context, found));
    return found.some((each) => each.match !== undefined) ? EXIT.done : EXIT.no;
  },
};

function view({ jail, filter, outcome, why, match }: Explanation) {
  return {
    ...{ jail, filter, outcome, why },
    ...(match && {
      address: match.address.text,
      time: match.at === undefined ? null : formatInstant(match.at),
      fields: match.fields,
    }),
  };
}

function describe(context: Context, found: readonly Explanation[]): string {
  const rows = found.map(({ jail, filter, outcome, why, match }) => [
    ...[jail, filter, outcome, match?.address.text ?? ''],
    ...[match?.at === undefined ? '' : formatInstant(match.at), why],
  ]);
  const table = formatTable(context, ['jail', 'filter', 'outcome', 'address', 'time', 'why'], rows);
  if (!context.terminal) return table;
  const taken = found.find((each) => each.match !== undefined);
  if (!taken) return `${table}${paint(context, 'dim', 'No jail takes this line.')}\n`;
  const fields = Object.entries(taken.match!.fields);
  return `${table}${fields.map(([name, value]) => `  ${name}: ${printable(value)}\n`).join('')}`;
}
