import { parseAddress } from '../../address.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { checkAddresses } from '../arguments.ts';
import { formatJson } from '../json.ts';
import { formatTable } from '../table.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'attempt',
  summary: 'one match, reported by hand',
  arguments: [{ term: '<address...>', summary: 'an address that did what the jail counts' }],
  options: [{ term: '--jail <name>', summary: 'the jail that counts it' }],
  details: 'Exit status 1 where any address was ignored: it is allowed, protected, or banned already.',
  async run(context, args, options) {
    const jail = options['jail'];
    if (typeof jail !== 'string')
      throw new BailiffError('E_USAGE', 'say which jail counts it with --jail; "bailiff status" lists them');
    checkAddresses(args);
    const network = args.find((address) => parseAddress(address) === undefined);
    if (network !== undefined)
      throw new BailiffError('E_ADDRESS', `"${network}" is a network; an attempt is made by an address`, {
        address: network,
      });
    const client = await context.client();
    const outcomes = await client.attempt({ addresses: [...args], jail });
    const rows = outcomes.map((each) => [
      each.address,
      each.outcome,
      each.why ?? (each.durable === false ? 'not on the disk yet' : ''),
    ]);
    context.out(
      context.json ? formatJson(outcomes) : formatTable(context, ['address', 'outcome', 'why'], rows),
    );
    return outcomes.some((each) => each.outcome === 'ignored') ? EXIT.no : EXIT.done;
  },
};
