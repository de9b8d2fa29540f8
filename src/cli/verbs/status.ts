import type { StatusView } from '../../api/contract.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { nearest } from '../../text.ts';
import { formatJson } from '../json.ts';
import { formatStatus, statusLines } from '../status-screen.ts';
import { formatTable } from '../table.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'status',
  summary: 'is it working, is it keeping up, what is it not seeing',
  arguments: [{ term: '[jail]', summary: 'this jail alone' }],
  options: [],
  async run(context, args) {
    const client = await context.client('status');
    const status = narrow(await client.status(), args[0]);
    if (context.json) context.out(formatJson(status));
    else
      context.out(
        context.terminal
          ? formatStatus(context, context.verbose, status)
          : formatTable(context, [], statusLines(status)),
      );
    return EXIT.done;
  },
};

function narrow(status: StatusView, name: string | undefined): StatusView {
  if (name === undefined) return status;
  const jails = status.jails.filter((jail) => jail.name === name);
  if (jails.length > 0) return { ...status, jails };
  const near = nearest(
    name,
    status.jails.map((jail) => jail.name),
  );
  const hint = near === undefined ? 'bailiff status lists them.' : `did you mean "${near}"?`;
  throw new BailiffError('E_UNKNOWN_JAIL', `There is no jail "${name}"; ${hint}`, { jail: name });
}
