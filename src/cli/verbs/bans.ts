import type { BanView, Page } from '../../api/contract.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { answerInWords } from '../answer.ts';
import { formatJson } from '../json.ts';
import { formatTable, formatWhen } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

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

/** The whole list. Whoever may not open control.sock gets what status.sock shows. */
async function fetchBans(context: Context, query: { jail?: string; all?: boolean }): Promise<BanView[]> {
  try {
    return await fetchAll(context, 'control', query);
  } catch (error) {
    if (!(error instanceof BailiffError && error.code === 'E_NOT_PERMITTED')) throw error;
    return fetchAll(context, 'status', query);
  }
}

async function fetchAll(
  context: Context,
  role: 'control' | 'status',
  query: { jail?: string; all?: boolean },
): Promise<BanView[]> {
  const client = await context.client(role);
  const bans: BanView[] = [];
  let page: Page<BanView> = await client.bans(query);
  for (;;) {
    bans.push(...page.items);
    if (page.next === null) return bans;
    page = await client.bans({ ...query, after: page.next });
  }
}

function stateOf(ban: BanView): string {
  const why = ban.state === 'ended' ? ban.endedBy : (ban.why ?? answerInWords(ban.answer));
  return why === undefined ? ban.state : `${ban.state} (${why})`;
}
