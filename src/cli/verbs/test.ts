import { resolve } from 'node:path';
import { BailiffError, EXIT } from '../../errors.ts';
import { createClock } from '../../daemon/system.ts';
import { testFilter } from '../../daemon/index.ts';
import type { TestedMatch } from '../../daemon/index.ts';
import { formatInstant } from '../../time.ts';
import { formatJson } from '../json.ts';
import { readFilterFor, tellFaults } from '../ready.ts';
import { formatTable, formatWhen } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'test',
  summary: 'which lines a filter matches and what they yield',
  arguments: [
    { term: '<filter>', summary: 'the name of a filter, or a YAML file' },
    { term: '<file>', summary: 'a log (.gz too), or - for standard input' },
  ],
  options: [
    { term: '--missed', summary: 'show the lines that do not match instead' },
    { term: '--aggressive', summary: 'take in the patterns that a filter marks so' },
    { term: '--log-format <format>', summary: 'an nginx log_format string, or combined, common' },
    { term: '--zone <zone>', summary: 'for stamps that name none' },
  ],
  details: 'Exit status 1 where nothing matched.',
  async run(context, args, options) {
    const [name, file] = args as [string, string];
    const text = (key: string): string | undefined =>
      typeof options[key] === 'string' ? options[key] : undefined;
    const compiled = readFilterFor(context, name, {
      logFormat: text('logFormat'),
      zone: text('zone'),
      mode: options['aggressive'] === true ? 'aggressive' : 'normal',
      where: undefined,
      except: undefined,
    });
    if (!compiled.ok) {
      tellFaults(context, compiled.faults, 'fault');
      return EXIT.config;
    }
    const input = file === '-' ? await readInput() : resolve(file);
    const wantsMissed = options['missed'] === true;
    const result = await testFilter(compiled.filter, input, { wantsMissed }, createClock());
    const { lines, matched, missed } = result;
    if (context.json) context.out(formatJson({ lines, matched, missed, matches: result.matches.map(view) }));
    else if (wantsMissed)
      context.out(
        formatTable(
          context,
          ['line', 'text'],
          result.missedLines.map((each) => [each.line, each.text]),
        ),
      );
    else context.out(describe(context, result.matches));
    if (context.terminal) context.out(`${lines} lines, ${matched} matched, ${missed} missed\n`);
    return matched > 0 ? EXIT.done : EXIT.no;
  },
};

function view({ line, match }: TestedMatch) {
  return {
    line,
    address: match.address.text,
    time: match.at === undefined ? null : formatInstant(match.at),
    pattern: match.pattern,
    fields: match.fields,
    counts: match.counts,
  };
}

function describe(context: Context, matches: readonly TestedMatch[]): string {
  const rows = matches.map(({ line, match }) => [
    ...[line, match.address.text, match.at === undefined ? '' : formatWhen(context, formatInstant(match.at))],
    ...[match.pattern, match.counts],
    Object.entries(match.fields)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  ]);
  return formatTable(context, ['line', 'address', 'time', 'pattern', 'counts', 'fields'], rows);
}

/** Whatever standard input holds, as bytes. */
async function readInput(): Promise<Buffer> {
  const LIMIT = 256 * 1024 * 1024;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LIMIT)
      throw new BailiffError('E_USAGE', 'Standard input is over 256 MiB; name a file instead.');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
