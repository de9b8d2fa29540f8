import { BailiffError, EXIT } from '../../errors.ts';
import { createClock } from '../../daemon/system.ts';
import { testFilter } from '../../daemon/offline/index.ts';
import type { MissedLine, TestedMatch } from '../../daemon/offline/index.ts';
import { formatInstant } from '../../time.ts';
import { readableFile } from '../arguments.ts';
import { formatJson } from '../json.ts';
import { formatOfLog } from '../../setup/index.ts';
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
    { term: '--near', summary: 'show the lines that nearly match, and where they broke off' },
    { term: '--aggressive', summary: 'take in the patterns that a filter marks so' },
    { term: '--log-format <format>', summary: 'as in a jail; else it is found from the log' },
    { term: '--zone <zone>', summary: 'for stamps that name none' },
  ],
  details: 'Exit status 1 where nothing matched.',
  async run(context, args, options) {
    const [name, file] = args as [string, string];
    const text = (key: string): string | undefined =>
      typeof options[key] === 'string' ? options[key] : undefined;
    const log = file === '-' ? undefined : readableFile(file);
    const found = text('logFormat') === undefined && log !== undefined ? formatOfLog(log) : undefined;
    const compiled = readFilterFor(context, name, {
      logFormat: text('logFormat') ?? found,
      zone: text('zone'),
      mode: options['aggressive'] === true ? 'aggressive' : 'normal',
      where: undefined,
      except: undefined,
    });
    if (!compiled.ok) {
      tellFaults(context, compiled.faults, 'fault');
      return EXIT.config;
    }
    if (found !== undefined && compiled.filter.definition.layout === 'access')
      context.err(`${file} is read as ${found}.\n`);
    const input = log ?? (await readInput());
    const wants = options['near'] === true ? 'near' : options['missed'] === true ? 'missed' : 'matches';
    const progress = createProgress(context);
    const result = await testFilter(
      compiled.filter,
      input,
      { wants, onProgress: progress.tell },
      createClock(),
    );
    progress.end();
    const { lines, matched, missed, missedLines } = result;
    if (context.json) {
      const matches = result.matches.map(view);
      context.out(
        formatJson({ lines, matched, missed, matches, ...(wants === 'matches' ? {} : { missedLines }) }),
      );
    } else if (wants === 'matches') context.out(describe(context, result.matches));
    else context.out(describeMissed(context, missedLines));
    if (context.terminal) context.out(`${lines} lines, ${matched} matched, ${missed} missed\n`);
    return matched > 0 ? EXIT.done : EXIT.no;
  },
};

function describeMissed(context: Context, missed: readonly MissedLine[]): string {
  const isNear = missed.some(({ why }) => why !== undefined);
  const rows = missed.map(({ line, text, why }) => [line, ...(isNear ? [why ?? ''] : []), text]);
  return formatTable(context, ['line', ...(isNear ? ['broke off'] : []), 'text'], rows);
}

/** Lines read so far, on a terminal, once a second; nothing for what is quick. */
function createProgress(context: Context): { tell(lines: number): void; end(): void } {
  const clock = createClock();
  let next = clock.monotonic() + 1_000;
  let isShown = false;
  return {
    tell(lines) {
      if (!context.terminal || clock.monotonic() < next) return;
      next = clock.monotonic() + 1_000;
      isShown = true;
      context.err(`\r${lines} lines …`);
    },
    end() {
      if (isShown) context.err('\r\x1b[K');
    },
  };
}

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
