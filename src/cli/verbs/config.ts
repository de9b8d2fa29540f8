import type { ConfigValue, ConfigView } from '../../api/contract.ts';
import type { Loaded, Origin } from '../../config/index.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { nearest } from '../../text.ts';
import { formatDuration } from '../../time.ts';
import { formatJson } from '../json.ts';
import { readConfig, tellFaults } from '../ready.ts';
import { formatTable } from '../table.ts';
import type { Context, Verb } from '../verb.ts';

const ACTIONS = ['show'];

export const verb: Verb = {
  name: 'config',
  summary: 'the merged config, each value with where it comes from',
  arguments: [
    { term: '<action>', summary: 'show: print it', choices: ACTIONS },
    { term: '[jail]', summary: 'the values of this jail alone' },
  ],
  options: [],
  details: `Read from the files, as a reload would: no daemon is asked. Each value stands with file, line and column where it was
written, in jails.json or in jails.d; "defaults" means there, for every jail; "built in" means nobody wrote it.
Exit status 78 for a faulty config; "bailiff check" tells the faults of filters and lists as well.`,
  async run(context, [action, jail]) {
    if (!ACTIONS.includes(action!))
      throw new BailiffError('E_USAGE', `There is no "config ${action}"; there is "config show"`);
    const loaded = readConfig(context);
    const { config, faults, warnings } = loaded;
    if (!config) {
      if (context.json) context.out(formatJson(viewOf(context, loaded, [])));
      else tellFaults(context, faults, 'fault');
      return EXIT.config;
    }
    const names = config.jails.map(({ name }) => name);
    if (jail !== undefined && !names.includes(jail)) throw unknown(context, jail, names);
    const origins = loaded.origins().filter(({ path }) => jail === undefined || isOf(path, jail));
    if (context.json) {
      context.out(formatJson(viewOf(context, loaded, origins)));
      return EXIT.done;
    }
    tellFaults(context, warnings, 'warning');
    const rows = origins.map((origin) => [labelOf(origin), written(origin), whence(origin)]);
    context.out(formatTable(context, ['key', 'value', 'from'], rows));
    return EXIT.done;
  },
};

function isOf(path: readonly string[], jail: string): boolean {
  return path[0] === 'jails' && path[1] === jail;
}

function unknown({ paths }: Context, jail: string, names: readonly string[]): BailiffError {
  const near = nearest(jail, names);
  const hint = near === undefined ? 'bailiff config show lists them' : `did you mean "${near}"?`;
  return new BailiffError('E_UNKNOWN_JAIL', `There is no jail "${jail}" in ${paths.config}; ${hint}`, {
    jail,
  });
}

function viewOf({ paths }: Context, loaded: Loaded, origins: readonly Origin[]): ConfigView {
  return {
    file: paths.config,
    files: [...loaded.files],
    values: origins.map(valueOf),
    faults: [...loaded.faults],
    warnings: [...loaded.warnings],
  };
}

function valueOf(origin: Origin): ConfigValue {
  const { held, from, at, by } = origin;
  const seconds = (ms: number): number | null => (ms === Infinity ? null : ms / 1_000);
  return {
    key: labelOf(origin),
    value:
      held.kind === 'plain' || held.value === undefined
        ? held.value
        : Array.isArray(held.value)
          ? held.value.map(seconds)
          : seconds(held.value as number),
    from,
    ...(at && { file: at.file, line: at.line, column: at.column }),
    ...(by !== undefined && { by }),
  };
}

/** As it would be written in the file: the inverse of what `--json` counts in seconds. */
function written({ held }: Origin): string {
  if (held.kind === 'plain') return JSON.stringify(held.value);
  return JSON.stringify(
    Array.isArray(held.value) ? held.value.map(formatDuration) : formatDuration(held.value as number),
  );
}

function whence({ from, at, by }: Origin): string {
  if (!at) return 'built in';
  const place = `${at.file}:${at.line}:${at.column}`;
  const notes = [...(from === 'defaults' ? ['defaults'] : []), ...(by === undefined ? [] : [`says ${by}`])];
  return notes.length === 0 ? place : `${place} (${notes.join(', ')})`;
}

/** `jails.sshd.maxRetry`; a step that is no plain word is quoted, as in JavaScript. */
function labelOf({ path }: Origin): string {
  const [first, ...rest] = path.map((step) => (/^[\w$-]+$/.test(step) ? step : `[${JSON.stringify(step)}]`));
  return rest.reduce((label, step) => (step.startsWith('[') ? label + step : `${label}.${step}`), first!);
}
