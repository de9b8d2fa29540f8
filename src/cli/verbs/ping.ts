import { EXIT } from '../../errors.ts';
import { printable } from '../../text.ts';
import { formatJson } from '../json.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'ping',
  summary: 'is the daemon alive',
  arguments: [],
  options: [],
  async run(context) {
    const client = await context.client('status');
    const alive = await client.ping();
    context.out(
      context.json ? formatJson(alive) : `bailiff ${printable(alive.version)} answers, pid ${alive.pid}\n`,
    );
    return EXIT.done;
  },
};
