import { BailiffError, EXIT } from '../../errors.ts';
import type { Described } from '../../setup/index.ts';
import { showpiece, hasAggressive } from '../../setup/index.ts';
import { nearest, printable } from '../../text.ts';
import { formatJson } from '../json.ts';
import { listFilters } from '../ready.ts';
import { formatTable, paint } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

export const verb: Verb = {
  name: 'filters',
  summary: 'the library: what each filter catches, with a sample line',
  arguments: [{ term: '[filter]', summary: 'show this one: what counts, its patterns, its samples' }],
  options: [],
  details: 'Those in filters/ beside the config are among them. No daemon is asked.',
  async run(context, args) {
    const all = listFilters(context);
    const [name] = args;
    if (name === undefined) {
      context.out(context.json ? formatJson(all.map(view)) : formatList(context, all));
      return EXIT.done;
    }
    const found = all.find(({ definition }) => definition.name === name);
    if (!found) throw unknown(name, all);
    context.out(context.json ? formatJson(wholeView(found)) : formatOne(context, found));
    return EXIT.done;
  },
};

function unknown(name: string, all: readonly Described[]): BailiffError {
  const near = nearest(
    name,
    all.map(({ definition }) => definition.name),
  );
  const hint = near === undefined ? 'bailiff filters lists them' : `did you mean "${near}"?`;
  return new BailiffError('E_USAGE', `There is no filter "${name}"; ${hint}`);
}

function view({ definition }: Described) {
  const { name, service, description, layout, file } = definition;
  const sample = showpiece(definition)?.text ?? null;
  return { name, service, description, layout, file, aggressive: hasAggressive(definition), sample };
}

function wholeView(described: Described) {
  const { match, success, where, exceptWhere, program, address, samples } = described.definition;
  return {
    ...view(described),
    comment: described.comment,
    program,
    address,
    match: match.map(({ regex, counts, mode }) => ({ regex, counts, mode })),
    success: success.map(({ regex }) => regex),
    where: where ?? null,
    except: exceptWhere ?? null,
    samples: samples.map(({ text, yields }) => ({ line: text, yields })),
  };
}

function formatList(context: Context, all: readonly Described[]): string {
  const rows = all.map(({ definition: { name, layout, description } }) => [name, layout, description]);
  return formatTable(context, ['filter', 'layout', 'catches'], rows);
}

function formatOne(context: Context, { definition, comment }: Described): string {
  const head = (title: string): string => `${paint(context, 'bold', title)}\n`;
  const show = (text: string): string => `  ${printable(text, 2_000)}\n`;
  const patterns = definition.match.map(
    ({ regex, counts, mode }) => `${mode === 'aggressive' ? '(aggressive) ' : ''}[counts ${counts}] ${regex}`,
  );
  const conditions = Object.entries(definition.where ?? {}).map(
    ([field, condition]) => `${field}: ${JSON.stringify(condition)}`,
  );
  const samples = definition.samples.map(
    ({ text, yields }) => `${yields === 'none' ? 'no match' : JSON.stringify(yields)}  ${text}`,
  );
  return [
    head(`${definition.name}: ${definition.description}`),
    show(`${definition.service}, layout ${definition.layout}, ${definition.file}`),
    ...(comment === '' ? [] : [`\n${printableLines(comment)}\n`]),
    ...(patterns.length > 0 ? ['\n', head('Patterns'), ...patterns.map(show)] : []),
    ...(conditions.length > 0 ? ['\n', head('Conditions'), ...conditions.map(show)] : []),
    '\n',
    head('Samples'),
    ...samples.map(show),
  ].join('');
}

function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, 1_000))
    .join('\n');
}
