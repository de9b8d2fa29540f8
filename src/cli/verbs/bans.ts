import type { BanView } from '../../api/contract.ts';
import { EXIT } from '../../errors.ts';
import { answerInWords } from '../answer.ts';
import { fetchBans } from '../every-ban.ts';
import { formatJson } from '../json.ts';
import { formatTable, formatWhen } from '../table.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'bans',
  summary: 'the bans in force',
  arguments: [],
  options: [
    { term: '--jail <name>', summary: 'those of one jail' },
    { term: '--all', summary: 'ended ones too' },
  ],
  details: 'Without root the reasons are empty: they may quote log lines, which only control.sock shows.',
  async run(context, _args, options) {
    const bans = await fetchBans(context, {
      ...(typeof options['jail'] === 'string' && { jail: options['jail'] }),
      ...(options['all'] === true && { all: true }),
    });
    if (context.json) {
      context.out(formatJson(bans));
      return EXIT.done;
    }
    const head = ['address', 'jail', 'state', 'since', 'until', 'nth', 'by', 'reason'];
    const rows = bans.map((ban) => [
      ban.address,
      ban.jail,
      stateOf(ban),
      formatWhen(context, ban.since),
      formatWhen(context, ban.until),
      ban.nth,
      ban.by,
      ban.reason,
    ]);
    if (rows.length === 0 && context.terminal) context.out('no bans\n');
    context.out(formatTable(context, head, rows));
    return EXIT.done;
  },
};

function stateOf(ban: BanView): string {
  const why = ban.state === 'ended' ? ban.endedBy : (ban.why ?? answerInWords(ban.answer));
  return why === undefined ? ban.state : `${ban.state} (${why})`;
}
