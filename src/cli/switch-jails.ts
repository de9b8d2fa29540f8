// What `enable` and `disable` share: both say of each jail what became of it.
import type { JailSwitch } from '../api/contract.ts';
import type { Client } from '../api/index.ts';
import { EXIT } from '../errors.ts';
import { formatJson } from './json.ts';
import { clientInPerson } from './operator.ts';
import { formatTable } from './table.ts';
import type { Verb } from './verb.ts';

export function switchVerb(
  name: 'enable' | 'disable',
  summary: string,
  ask: (client: Client, jails: string[]) => Promise<JailSwitch[]>,
  more = '',
): Verb {
  return {
    name,
    summary,
    arguments: [{ term: '<jail...>', summary: 'names from the config' }],
    options: [],
    details: `Until the next reload; the files are left alone. Counts and bans stay as they are.${more} Exit status 1 where nothing changed.`,
    async run(context, jails) {
      const outcomes = await ask(await clientInPerson(context), [...jails]);
      const rows = outcomes.map(({ jail, outcome }) => [jail, outcome]);
      context.out(context.json ? formatJson(outcomes) : formatTable(context, ['jail', 'outcome'], rows));
      return outcomes.some(({ outcome }) => outcome !== 'unchanged') ? EXIT.done : EXIT.no;
    },
  };
}
