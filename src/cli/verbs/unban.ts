import { BailiffError, EXIT } from '../../errors.ts';
import { checkAddresses } from '../arguments.ts';
import { formatJson } from '../json.ts';
import { formatTable } from '../table.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'unban',
  summary: 'lift bans now',
  arguments: [{ term: '[address...]', summary: 'an address, or a network with everything inside it' }],
  options: [
    {
      term: '--jail <name>',
      summary: "a jail's ban of each address; without addresses: all bans of the jail",
    },
    { term: '--all', summary: 'every ban there is' },
  ],
  details:
    'Counts start anew; lines written before never count again. Exit status 1 where nothing was lifted.',
  async run(context, args, options) {
    const jail = typeof options['jail'] === 'string' ? options['jail'] : undefined;
    const all = options['all'] === true;
    if (args.length > 0 && all)
      throw new BailiffError('E_USAGE', 'name addresses or say --all, not both: --all lifts every ban');
    if (args.length === 0 && !all && jail === undefined)
      throw new BailiffError('E_USAGE', 'name an address or a --jail, or say --all to lift every ban');
    checkAddresses(args);
    const client = await context.client();
    const outcomes = await client.unban(
      args.length > 0 ? { addresses: [...args], jail } : { all: true, jail },
    );
    const rows = outcomes.map((each) => [
      each.address,
      each.jail,
      each.outcome,
      each.why ?? (each.durable === false ? 'not on the disk yet' : ''),
    ]);
    context.out(
      context.json ? formatJson(outcomes) : formatTable(context, ['address', 'jail', 'outcome', 'why'], rows),
    );
    if (outcomes.some((each) => each.outcome === 'released')) return EXIT.done;
    if (outcomes.length === 0) context.err('bailiff: nothing was banned; "bailiff bans" lists what is\n');
    return EXIT.no;
  },
};
