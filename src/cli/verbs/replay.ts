import { answerText } from '../../answer.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { createHost, replay } from '../../daemon/offline/index.ts';
import type { ReplayResult } from '../../daemon/offline/index.ts';
import { createClock } from '../../daemon/system.ts';
import { isNamedBy } from '../../globs.ts';
import type { Ban } from '../../model.ts';
import { formatInstant } from '../../time.ts';
import { readableFile } from '../arguments.ts';
import { formatJson } from '../json.ts';
import { readAsked } from '../ready.ts';
import { formatTable, formatWhen, quantity } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'replay',
  summary: 'whom this config would have banned over old logs',
  arguments: [{ term: '<file...>', summary: 'logs, oldest first; .gz too, and - for standard input' }],
  options: [
    { term: '--jail <name>', summary: 'give every file to this jail' },
    { term: '--now <instant>', summary: 'for stamps without a year: the time of the last line, as ISO 8601' },
  ],
  details:
    'Each file goes to the jails whose "logs" name it, by its path or its base name. No daemon, no firewall, no change anywhere.',
  async run(context, args, options) {
    const asked = readAsked(context, options);
    if (!asked.ok) return asked.exit;
    const { setup, jail } = asked;
    const files = args.map((file) => (file === '-' ? file : readableFile(file)));
    const clock = createClock();
    const now = instantOf(options['now']) ?? clock.now();
    const outcome = await replay(setup, files, { jail, now }, { clock, host: createHost(), isNamedBy });
    for (const file of outcome.unclaimed)
      context.err(`No jail's "logs" name ${file}; --jail gives it to one.\n`);
    for (const name of outcome.unresolved)
      context.err(`The name ${name} can't be resolved: it protects nobody here.\n`);
    show(context, outcome);
    return outcome.unclaimed.length === files.length ? EXIT.no : EXIT.done;
  },
};

function show(context: Context, outcome: ReplayResult): void {
  const { lines, matches, bans, jails } = outcome;
  if (context.json) {
    context.out(formatJson({ lines, matches, bans: bans.map(banView), jails }));
    return;
  }
  const rows = bans.map(banView);
  // Where all of them drop there is nothing to tell.
  const areTold = rows.some(({ answer }) => answer !== undefined && answer !== 'drop');
  const head = ['address', 'jail', 'at', 'until', 'nth', 'line', ...(areTold ? ['answer'] : [])];
  context.out(
    formatTable(
      context,
      head,
      rows.map((ban) => [
        ban.address,
        ban.jail,
        formatWhen(context, ban.at),
        formatWhen(context, ban.until),
        ban.nth,
        `${ban.file}:${ban.line}`,
        ...(areTold ? [ban.answer ?? ''] : []),
      ]),
    ),
  );
  if (context.terminal)
    context.out(
      `${quantity(lines, 'line')}, ${quantity(matches, 'match', 'es')}, ${quantity(bans.length, 'ban')}\n`,
    );
}

function banView(ban: Ban) {
  const deciding = ban.evidence.at(-1);
  return {
    address: ban.address.text,
    jail: ban.jail,
    at: formatInstant(ban.since),
    until: ban.until === undefined ? null : formatInstant(ban.until),
    nth: ban.nth,
    ...(ban.scope && { answer: answerText(ban.scope.answer) }),
    file: deciding?.file ?? null,
    line: deciding?.line ?? null,
  };
}

function instantOf(written: unknown): number | undefined {
  if (typeof written !== 'string') return undefined;
  const instant = Date.parse(written);
  if (Number.isFinite(instant)) return instant;
  throw new BailiffError('E_USAGE', `"${written}" is not an instant; write it as 2026-01-31T12:00:00Z.`);
}
