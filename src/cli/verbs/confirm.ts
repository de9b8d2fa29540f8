import { EXIT } from '../../errors.ts';
import { formatJson } from '../json.ts';
import { clientInPerson } from '../operator.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'confirm',
  summary: 'keep the config that "reload --confirm" put on trial',
  arguments: [],
  options: [],
  details: 'Exit status 1 where no config is on trial.',
  async run(context) {
    const client = await clientInPerson(context);
    const answer = await client.confirm();
    const isKept = answer.outcome === 'confirmed';
    if (context.json) context.out(formatJson(answer));
    else context.out(isKept ? 'confirmed: the config stays\n' : 'no config is on trial\n');
    return isKept ? EXIT.done : EXIT.no;
  },
};
