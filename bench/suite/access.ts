// A whole access log: filters that pick a few lines of a hundred, and one that counts them all.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { accessLog, SHIPPED } from '../inputs/access.ts';
import { FIND_TIME, MAX_RETRY, PER_MINUTE, RULES } from '../inputs/rules.ts';
import type { Bench, Stage } from '../lib/bench.ts';
import { bare, beside, peer, readsOnly } from '../lib/beside.ts';
import { inputOf } from '../lib/inputs.ts';
import type { Reading } from '../lib/reading.ts';

export const accessInput = ({ small }: Stage) => inputOf('access', small ? 20_000 : 2_000_000, accessLog());
const count = { maxRetry: MAX_RETRY, findTime: FIND_TIME };

/** The six rules as filters and jails of ours. */
export const ruleFilters = (): Record<string, object> =>
  Object.fromEntries(
    RULES.map(({ name, where }) => [
      `bench-${name}`,
      { service: 'bench', description: name, layout: 'access', where, samples: [] },
    ]),
  );
export const ruleJails = (): Record<string, object> =>
  Object.fromEntries(RULES.map(({ name }) => [name, { filter: `bench-${name}`, ...count }]));

export const selectiveReading = (stage: Stage): Reading => {
  const input = accessInput(stage);
  return { input, jails: ruleJails(), filters: ruleFilters(), verdicts: input.truth.rules };
};

export const selective: Bench = {
  name: 'selective',
  what: 'six rules of which three lines in a hundred fulfil one, over an access log, beside rg -c of their union',
  async run(stage) {
    const input = accessInput(stage);
    const union = RULES.map(({ regex }) => regex).join('|');
    const rg = peer(stage, 'rg', ['-c', union, input.path], input.truth.union.rules);
    const reading = selectiveReading(stage);
    const others = [readsOnly(stage, input.path, 'wp-login'), bare(stage, 'selective', reading)];
    return beside(stage, 'access log, six rules', reading, rg, others, 1.3);
  },
};

export const shipped: Bench = {
  name: 'shipped',
  what: `the filters ${SHIPPED.join(', ')} over an access log, beside rg -c of the union of their patterns`,
  async run(stage) {
    const input = accessInput(stage);
    const union = SHIPPED.flatMap((name) => patternsOf(join(stage.built.filters, `${name}.yaml`))).join('|');
    const rg = peer(stage, 'rg', ['-c', union, input.path], input.truth.union.shipped);
    const jails = Object.fromEntries(SHIPPED.map((name) => [name, { filter: name, ...count }]));
    const reading = { input, jails, verdicts: input.truth.shipped };
    return beside(stage, 'access log, three shipped filters', reading, rg, [], 1.3);
  },
};

interface ShippedFilter {
  readonly where: {
    readonly method?: string | string[];
    readonly status?: number[];
    readonly path: { readonly regex: string | string[] };
  };
}

/** The conditions of a filter as regexes over the whole line, as who greps would write them. */
function patternsOf(file: string): string[] {
  const { where } = parse(readFileSync(file, 'utf8')) as ShippedFilter;
  const method = where.method === undefined ? '[A-Z]+' : `(?:${[where.method].flat().join('|')})`;
  const status = where.status === undefined ? '\\d+' : `(?:${where.status.join('|')})`;
  return [where.path.regex].flat().map((regex) => {
    const path = regex
      .replace('(?i)', '')
      .replaceAll('[^/]', '[^/" ]')
      .replaceAll('.*', '[^" ]*')
      .replaceAll(/(?<!\\)\$/g, '[? ]');
    const anchored = path.startsWith('^') ? path.slice(1) : `[^" ]*${path}`;
    return `"${method} (?i:${anchored})[^"]*" ${status} `;
  });
}

export const everythingReading = (stage: Stage): Reading => {
  const input = accessInput(stage);
  const filter = { service: 'bench', description: 'all', layout: 'access', where: {}, samples: [] };
  return {
    input,
    jails: { everything: { filter: 'bench-everything', limit: `${PER_MINUTE}/1m` } },
    filters: { 'bench-everything': filter },
    verdicts: { everything: input.truth.everything },
  };
};

export const everything: Bench = {
  name: 'everything',
  what: 'a filter that every line matches, counted per address within a minute, beside mawk counting per address',
  async run(stage) {
    const input = accessInput(stage);
    const program = '{ seen[$1]++ } END { for (one in seen) n++; print n }';
    const mawk = peer(stage, 'mawk', [program, input.path]);
    const rg = peer(stage, 'rg', ['-c', '', input.path], input.lines);
    const reading = everythingReading(stage);
    const others = [rg, bare(stage, 'everything', reading)];
    return beside(stage, 'access log, count everything', reading, mawk, others, 0.5);
  },
};
