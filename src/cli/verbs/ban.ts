import type { BanOutcome } from '../../api/contract.ts';
import { EXIT } from '../../errors.ts';
import { checkAddresses, checkDuration } from '../arguments.ts';
import { formatJson } from '../json.ts';
import { formatTable } from '../table.ts';
import { clientInPerson } from '../operator.ts';
import type { Options, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'ban',
  summary: 'ban addresses or networks now',
  arguments: [{ term: '<address...>', summary: 'an address or a network, exactly as it is to be banned' }],
  options: [
    { term: '--jail <name>', summary: 'the jail under which it stands (default: manual)' },
    {
      term: '--for <duration>',
      summary: '10m, 1h30m, 1w, forever (default: as the jail, or defaults.banTime, says)',
    },
    { term: '--reason <text>', summary: 'why, for those who read it later' },
    { term: '--force', summary: 'also a protected address (of this host, its gateway, an administrator)' },
  ],
  details: 'Exit status 1 where any address was refused. An address in "allow" is refused always.',
  async run(context, args, options) {
    const duration = text(options, 'for');
    checkAddresses(args);
    checkDuration(duration);
    const client = await clientInPerson(context);
    const outcomes = await client.ban({
      addresses: [...args],
      jail: text(options, 'jail'),
      for: duration,
      reason: text(options, 'reason'),
      force: options['force'] === true ? true : undefined,
    });
    const rows = outcomes.map((each) => [each.address, each.outcome, remark(each)]);
    context.out(
      context.json ? formatJson(outcomes) : formatTable(context, ['address', 'outcome', 'why'], rows),
    );
    return outcomes.some((each) => each.outcome === 'refused') ? EXIT.no : EXIT.done;
  },
};

function remark(outcome: BanOutcome): string {
  const notes = [outcome.why, outcome.durable === false ? 'in force, but not on the disk yet' : undefined];
  return notes.filter((note) => note !== undefined).join('; ');
}

function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}
