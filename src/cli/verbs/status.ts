import type { StatusView } from '../../api/contract.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { nearest } from '../../text.ts';
import { formatJson } from '../json.ts';
import { formatStatus, statusLines, summaryLine } from '../status-screen.ts';
import { formatTable } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'status',
  summary: 'is it working, is it keeping up, what is it not seeing',
  arguments: [{ term: '[jail]', summary: 'this jail alone' }],
  options: [
    { term: '--exit-code', summary: 'for monitoring: one line, and an exit status that says how it is' },
  ],
  details: `With --exit-code: 0 it works; 1 something is wrong (it should block and does not, a log can't be read
or is far behind, a fault stands or happened within the hour); 69 no daemon answers. What log lines can
provoke (bytes that are no UTF-8, over-long lines) is shown, but is never 1. --verbose lists everything.`,
  async run(context, args, options) {
    const client = await context.client('status');
    const status = narrow(await client.status(), args[0]);
    const asksHealth = options['exitCode'] === true;
    if (context.json) context.out(formatJson(status));
    else if (asksHealth) context.out(summaryLine(status, args[0] === undefined));
    else context.out(await show(context, status));
    return asksHealth && status.health?.ok === false ? EXIT.no : EXIT.done;
  },
};

async function show(context: Context, status: StatusView): Promise<string> {
  if (!context.terminal) return formatTable(context, [], statusLines(status));
  const { createClock } = await import('../../daemon/system.ts');
  const { columns, rows } = process.stdout;
  const screen = { ...context, columns, rows, now: createClock().now() };
  return formatStatus(screen, context.verbose, status);
}

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
