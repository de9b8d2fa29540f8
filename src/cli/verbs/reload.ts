import type { ReloadView } from '../../api/contract.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import type { Fault } from '../../errors.ts';
import { printable } from '../../text.ts';
import { parseDuration } from '../../time.ts';
import { formatJson } from '../json.ts';
import { tellFaults } from '../ready.ts';
import { clientInPerson } from '../operator.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'reload',
  summary: 'the config anew, without a gap',
  arguments: [],
  options: [
    {
      term: '--confirm <duration>',
      summary: 'on trial: the config before comes back after it, unless "bailiff confirm" follows',
    },
    { term: '--release', summary: 'lift the bans of jails that are gone (else they stay until they end)' },
  ],
  details:
    'Counts and bans of jails that stay are kept. A faulty config is refused, with every fault, and the one before stays in force: exit status 78. With --confirm, what was read by itself within the last ten minutes is on trial too. A restart ends the trial, and reads the files as they are.',
  async run(context, _args, options) {
    const { confirm } = options;
    if (typeof confirm === 'string' && parseDuration(confirm) === undefined)
      throw new BailiffError('E_DURATION', `"${confirm}" is not a duration; try 5m or 90s.`);
    const client = await clientInPerson(context);
    try {
      const answer = await client.reload({
        ...(typeof confirm === 'string' && { confirm }),
        ...(options['release'] === true && { release: true }),
      });
      tellFaults(context, answer.warnings, 'warning');
      context.out(context.json ? formatJson(answer) : describe(answer));
      return EXIT.done;
    } catch (error) {
      if (error instanceof BailiffError && error.code === 'E_CONFIG')
        tellFaults(context, (error.facts['faults'] ?? []) as Fault[], 'fault');
      throw error;
    }
  },
};

function describe({ jails, sources, released, confirmBy }: ReloadView): string {
  const lines = (['added', 'changed', 'removed'] as const).flatMap((what) =>
    jails[what].map((jail) => `${what}\t${printable(jail)}`),
  );
  for (const { id, from } of sources)
    lines.push(`reads\t${printable(id)}\t${from === null ? 'when it comes' : `from line ${from}`}`);
  if (released > 0) lines.push(`lifted\t${released} bans of removed jails`);
  if (confirmBy !== null)
    lines.push(`on trial\tuntil ${confirmBy}: "bailiff confirm" keeps it, else the config before comes back`);
  return lines.length > 0 ? `${lines.join('\n')}\n` : 'nothing has changed\n';
}
