import { EXIT } from '../../errors.ts';
import { formatJson } from '../json.ts';
import { clientInPerson } from '../operator.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'arm',
  summary: 'put enforcement back in force after a teardown',
  arguments: [],
  options: [],
  details: 'Exit status 1 where the daemon can only detect.',
  async run(context) {
    const client = await clientInPerson(context);
    const standing = await client.arm();
    const isArmed = standing.mode === 'enforcing';
    if (context.json) context.out(formatJson(standing));
    else
      context.out(
        isArmed ? 'armed: the bans are in force again\n' : `not armed: the daemon is ${standing.mode}\n`,
      );
    return isArmed ? EXIT.done : EXIT.no;
  },
};
