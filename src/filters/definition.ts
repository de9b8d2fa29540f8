// A filter file → FilterDefinition, or every fault in it with its place. Nothing is compiled here.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { isMap, isScalar, isSeq } from 'yaml';
import type { Node } from 'yaml';
import type { Fault } from '../errors.ts';
import type { Condition, Conditions, ConditionTests } from '../model.ts';
import type {
  CaseDefinition,
  FilterDefinition,
  LayoutName,
  Limit,
  PatternDefinition,
  Sample,
} from './contract.ts';
import { LONGEST_STATED, MOST_STATED, SHORTEST_STATED } from './stated-literals.ts';
import { readYaml, sourceOf } from './yaml.ts';
import type { YamlReader } from './yaml.ts';

const LAYOUTS = ['syslog', 'access', 'json', 'logfmt', 'plain'] as const satisfies readonly LayoutName[];
const KEYS = [
  'service',
  'description',
  'layout',
  'program',
  'match',
  'success',
  'protects',
  'opens',
  'closes',
  'except',
  'limits',
  'where',
  'address',
  'time',
  'session',
  'samples',
  'forged',
] as const;
/** Which keys only some layouts have a use for. */
const BELONGS_TO: Partial<Record<(typeof KEYS)[number], readonly LayoutName[]>> = {
  success: ['syslog', 'plain', 'json', 'logfmt'],
  protects: ['syslog', 'plain', 'json', 'logfmt'],
  opens: ['syslog', 'plain'],
  closes: ['syslog', 'plain'],
  limits: ['syslog', 'plain'],
  address: ['json', 'logfmt'],
  time: ['json', 'logfmt'],
  session: ['json', 'logfmt'],
};
/** Layouts whose lines have fields, so that conditions stand instead of patterns. */
const BY_FIELDS: readonly (LayoutName | undefined)[] = ['access', 'json', 'logfmt'];
const CASE_KEYS = ['where', 'counts', 'mode'] as const;
const PATTERN_KEYS = ['regex', 'counts', 'mode', 'literals'] as const;
/** What tells about sessions counts nothing, and does so in either mode. */
const TELLING_KEYS = ['regex', 'literals'] as const;
const PROTECTS = ['jail', 'host', 'nobody'] as const;
const TESTS = ['prefix', 'suffix', 'contains', 'glob', 'regex', 'in', 'present'] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/**
 * Reads a filter file.
 * @param file its path: the base name without `.yaml` is the filter's name, and faults bear it.
 * @returns the definition where there is no fault, else all faults: E_FILTER_YAML, _DUPLICATE_KEY, _UNKNOWN_KEY, _MISSING,
 *   _TYPE, _VALUE, _NAME.
 */
export function parseFilter(text: string, file: string): { definition?: FilterDefinition; faults: Fault[] } {
  const yaml = readYaml(text, file, 'E_FILTER');
  const name = basename(file).replace(/\.ya?ml$/, '');
  if (!NAME.test(name))
    yaml.fault(
      'NAME',
      undefined,
      'the file must be named with letters, digits, ".", "_" and "-", and at most 64 of them',
    );
  const definition = yaml.root && readDefinition(yaml, yaml.root);
  if (!yaml.root && yaml.faults.length === 0) yaml.fault('MISSING', undefined, 'the file is empty');
  const faults = [...yaml.faults];
  if (faults.length > 0 || !definition) return { faults };
  const hash = createHash('sha256').update(text).digest('hex');
  return { definition: { name, file, hash, ...definition }, faults };
}

type Body = Omit<FilterDefinition, 'name' | 'file' | 'hash'>;

function readDefinition(yaml: YamlReader, root: Node): Body | undefined {
  const entries = yaml.entries(root, 'a filter', KEYS);
  if (!entries) return undefined;
  const has = (key: (typeof KEYS)[number]): boolean => entries.some((entry) => entry.key === key);
  const read = <T>(
    key: (typeof KEYS)[number],
    as: (node: Node, what: string) => T | undefined,
  ): T | undefined => {
    const entry = entries.find((candidate) => candidate.key === key);
    return entry && as(entry.value, `"${key}"`);
  };
  const missing = (key: string, why: string): undefined =>
    yaml.fault('MISSING', root, `"${key}" is missing: ${why}`);

  const layout = read('layout', (node, what) => yaml.word(node, what, LAYOUTS));
  for (const { key, keyNode } of entries) {
    const layouts = BELONGS_TO[key as keyof typeof BELONGS_TO];
    if (layout && layouts && !layouts.includes(layout))
      yaml.fault(
        'VALUE',
        keyNode,
        `"${key}" means nothing with layout ${layout}; it belongs to ${layouts.join(' and ')}`,
      );
  }
  if (!has('service')) missing('service', 'say whose log lines these are');
  if (!has('layout')) missing('layout', `say how a line is framed (${LAYOUTS.join(', ')})`);
  if ((layout === 'syslog' || layout === 'plain') && !has('match'))
    missing('match', 'the patterns of the lines that count');
  const isOfRecords = layout === 'json' || layout === 'logfmt';
  const hasCases = BY_FIELDS.includes(layout);
  if (hasCases && !has('where') && !has('match'))
    missing('where', 'the conditions on the fields of the lines that count ({} for every line)');
  if (isOfRecords && !has('address')) missing('address', 'the fields to look for the address in');

  const patterns = (node: Node, what: string): PatternDefinition[] => readPatterns(yaml, node, what, layout);
  const cases = (node: Node, what: string): CaseDefinition[] =>
    readCases(yaml, node, what, layout, has('session'));
  const conditions = (node: Node, what: string): Conditions | undefined => readConditions(yaml, node, what);
  const texts = (node: Node, what: string): string[] => readTexts(yaml, node, what);
  // Lines of syslog may say that the one before came again.
  const areJoined = has('opens') || has('closes') || layout === 'syslog';
  const samples = (node: Node, what: string): Sample[] => readSamples(yaml, node, what, areJoined);
  if (has('protects') && !has('success'))
    missing('success', 'where no line tells of a log-in, none protects anybody');
  const closes = read('closes', patterns) ?? [];
  if (has('closes') && !has('opens') && !closes.some(({ regex }) => /<(?:ip|HOST|ADDR)>/.test(regex)))
    missing('opens', 'where no line tells whose session it is, none needs to be ended');
  const exceptsByFields = hasCases || isMap(entries.find(({ key }) => key === 'except')?.value);
  return {
    service: read('service', yaml.text) ?? '',
    description: read('description', yaml.text) ?? '',
    layout: layout ?? 'plain',
    layoutAt: yaml.placeOf(entries.find(({ key }) => key === 'layout')?.value),
    program: read('program', texts) ?? [],
    match: (hasCases ? undefined : read('match', patterns)) ?? [],
    success: (isOfRecords ? undefined : read('success', patterns)) ?? [],
    protects: read('protects', (node, what) => yaml.word(node, what, PROTECTS)) ?? 'jail',
    opens: read('opens', patterns) ?? [],
    closes,
    except: (exceptsByFields ? undefined : read('except', patterns)) ?? [],
    limits: read('limits', (node, what) => readLimits(yaml, node, what)) ?? [],
    where: read('where', conditions),
    exceptWhere: exceptsByFields ? read('except', conditions) : undefined,
    matchWhere: (hasCases ? read('match', cases) : undefined) ?? [],
    successWhere: (isOfRecords ? read('success', cases) : undefined) ?? [],
    address: read('address', texts) ?? [],
    time: read('time', texts) ?? [],
    session: read('session', texts) ?? [],
    samples: read('samples', samples) ?? [],
    forged: read('forged', samples) ?? [],
  };
}

/** A pattern, or a list of patterns: each a text, or `{ regex, counts, mode, literals }`, counts: a number or `session`. */
function readPatterns(
  yaml: YamlReader,
  node: Node,
  what: string,
  layout: LayoutName | undefined,
): PatternDefinition[] {
  const members = isSeq(node) ? (node.items as Node[]) : [node];
  return members.flatMap((member) => {
    const read = isMap(member)
      ? readPatternMapping(yaml, member, what, layout)
      : { regex: yaml.text(member, `a pattern of ${what}`) };
    if (read?.regex === undefined) return [];
    return [{ counts: 1, mode: 'normal' as const, ...read, regex: read.regex, ...yaml.placeOf(member) }];
  });
}

/** A mapping: the field, and what in the service limits it. */
function readLimits(yaml: YamlReader, node: Node, what: string): Limit[] {
  return (yaml.entries(node, what) ?? []).flatMap(({ key, keyNode, value }) => {
    const why = yaml.text(value, `"${key}" of ${what}`);
    return why === undefined ? [] : [{ field: key, why, ...yaml.placeOf(keyNode) }];
  });
}

/** Conditions, or a list of them: each a mapping of fields, or `{ where, counts, mode }`. */
function readCases(
  yaml: YamlReader,
  node: Node,
  what: string,
  layout: LayoutName | undefined,
  hasSession: boolean,
): CaseDefinition[] {
  const members = isSeq(node) ? (node.items as Node[]) : [node];
  return members.flatMap((member) => {
    const where = isMap(member) ? member.get('where', true) : undefined;
    if (!isMap(where)) {
      const conditions = readConditions(yaml, member, `a member of ${what}`);
      return conditions
        ? [{ where: conditions, counts: 1, mode: 'normal' as const, ...yaml.placeOf(member) }]
        : [];
    }
    let counts: CaseDefinition['counts'] = 1;
    let mode: CaseDefinition['mode'] = 'normal';
    for (const { key, value } of yaml.entries(member, `a member of ${what}`, CASE_KEYS) ?? []) {
      if (key === 'mode') mode = yaml.word(value, '"mode"', ['normal', 'aggressive']) ?? mode;
      if (key === 'counts') counts = readCounts(yaml, value, layout, hasSession) ?? counts;
    }
    const conditions = readConditions(yaml, where, `"where" of ${what}`);
    return conditions ? [{ where: conditions, counts, mode, ...yaml.placeOf(member) }] : [];
  });
}

interface WrittenPattern {
  regex?: string;
  counts?: PatternDefinition['counts'];
  mode?: PatternDefinition['mode'];
  literals?: readonly string[];
}

function readPatternMapping(
  yaml: YamlReader,
  node: Node,
  what: string,
  layout: LayoutName | undefined,
): WrittenPattern {
  const read: WrittenPattern = {};
  const keys = what === '"opens"' || what === '"closes"' ? TELLING_KEYS : PATTERN_KEYS;
  const entries = yaml.entries(node, `a pattern of ${what}`, keys) ?? [];
  for (const { key, value } of entries) {
    if (key === 'regex') read.regex = yaml.text(value, '"regex"') ?? '';
    else if (key === 'mode') read.mode = yaml.word(value, '"mode"', ['normal', 'aggressive']) ?? 'normal';
    else if (key === 'literals') read.literals = readLiterals(yaml, value);
    else read.counts = readCounts(yaml, value, layout) ?? 1;
  }
  // Without either, it would count every line.
  if (read.counts === 'session' && layout === 'plain' && !/<(?:F-SESSION|session)>/.test(read.regex ?? ''))
    yaml.fault('VALUE', node, '"counts: session" needs <session> with layout plain, whose lines bear no pid');
  if (read.regex === undefined) yaml.fault('MISSING', node, `a pattern of ${what} has no "regex"`);
  return read;
}

function readLiterals(yaml: YamlReader, node: Node): readonly string[] {
  const texts = readTexts(yaml, node, '"literals"');
  const isFit = (text: string): boolean => {
    const { length } = Buffer.from(text, 'utf8');
    return length >= SHORTEST_STATED && length <= LONGEST_STATED && !text.includes('\n');
  };
  if (texts.length === 0 || texts.length > MOST_STATED || !texts.every(isFit))
    yaml.fault(
      'VALUE',
      node,
      `"literals" are up to ${MOST_STATED} texts of ${SHORTEST_STATED} to ${LONGEST_STATED} bytes, each a part of one line`,
    );
  return texts;
}

function readCounts(
  yaml: YamlReader,
  node: Node,
  layout: LayoutName | undefined,
  hasSession = false,
): PatternDefinition['counts'] | undefined {
  const value = isScalar(node) ? node.value : undefined;
  if (Number.isInteger(value) && Number(value) >= 0) return Number(value);
  if (value !== 'session')
    return yaml.fault('TYPE', node, '"counts" must be a whole number that is not negative, or "session"');
  // Where lines bear no pid and no id, it would count every one of them: of plain ones the pattern itself must tell.
  if (layout === undefined || layout === 'syslog' || layout === 'plain' || hasSession) return value;
  if (layout === 'json' || layout === 'logfmt')
    return yaml.fault(
      'VALUE',
      node,
      '"counts: session" needs to know where the id of a request or connection stands',
      'name the field: session: reqId',
    );
  return yaml.fault(
    'VALUE',
    node,
    `"counts: session" means nothing with layout ${layout}; it belongs to syslog, plain, json and logfmt`,
  );
}

/** A text, or a list of texts. */
function readTexts(yaml: YamlReader, node: Node, what: string): string[] {
  const members = isSeq(node) ? (node.items as Node[]) : [node];
  return members.flatMap((member) => yaml.text(member, isSeq(node) ? `a member of ${what}` : what) ?? []);
}

function readConditions(yaml: YamlReader, node: Node, what: string): Conditions | undefined {
  const entries = yaml.entries(node, what);
  return (
    entries &&
    // fromEntries: a field may be named __proto__.
    Object.fromEntries(
      entries.flatMap(({ key, value }) => {
        const condition = readCondition(yaml, value, `"${key}" of ${what}`);
        return condition === undefined ? [] : [[key, condition] as const];
      }),
    )
  );
}

function readCondition(yaml: YamlReader, node: Node, what: string): Condition | undefined {
  if (isSeq(node)) {
    const members = (node.items as Node[]).flatMap(
      (member) => readValue(yaml, member, `a member of ${what}`) ?? [],
    );
    return members.length > 0
      ? members
      : yaml.fault('VALUE', node, `${what} is an empty list: it would never hold`);
  }
  if (isMap(node)) return readTests(yaml, node, what);
  if (isScalar(node) && typeof node.value === 'boolean') return node.value;
  return readValue(yaml, node, what);
}

/** A number stays one where it is written as numbers are; `007` and `1.0` are texts. */
function readValue(yaml: YamlReader, node: Node, what: string): string | number | undefined {
  if (isScalar(node)) {
    if (typeof node.value === 'string') return node.value;
    if (typeof node.value === 'number')
      return String(node.value) === sourceOf(node) ? node.value : sourceOf(node);
  }
  return yaml.fault(
    'TYPE',
    node,
    `${what} must be a text, a number, a list of these, or tests (${TESTS.join(', ')})`,
  );
}

function readTests(yaml: YamlReader, node: Node, what: string): ConditionTests | undefined {
  const tests: Record<string, boolean | readonly string[]> = {};
  for (const { key, value } of yaml.entries(node, what, TESTS) ?? []) {
    if (key !== 'present') tests[key] = readTexts(yaml, value, `"${key}" of ${what}`);
    else if (isScalar(value) && typeof value.value === 'boolean') tests[key] = value.value;
    else yaml.fault('TYPE', value, `"present" of ${what} must be true or false`);
  }
  return Object.keys(tests).length > 0 ? tests : yaml.fault('VALUE', node, `${what} has no test`);
}

/** @param areJoined may a sample be several lines, of which the last one is judged? Else it is one. */
function readSamples(yaml: YamlReader, node: Node, what: string, areJoined: boolean): Sample[] {
  const members = yaml.list(node, what) ?? [];
  return members.flatMap((member) => {
    const entries = yaml.entries(member, `a member of ${what}`, ['line', 'yields']);
    if (!entries) return [];
    const lineEntry = entries.find(({ key }) => key === 'line');
    const yieldsEntry = entries.find(({ key }) => key === 'yields');
    if (!lineEntry) yaml.fault('MISSING', member, `a member of ${what} has no "line"`);
    if (!yieldsEntry)
      yaml.fault(
        'MISSING',
        member,
        `a member of ${what} has no "yields"`,
        'write the fields that it gives, or "none"',
      );
    const text = lineEntry && yaml.text(lineEntry.value, '"line"')?.replace(/\n$/, '');
    if (text !== undefined && /\r/.test(text)) yaml.fault('VALUE', member, '"line" must be one line');
    else if (text?.includes('\n') === true && !areJoined)
      yaml.fault(
        'VALUE',
        member,
        '"line" must be one line',
        'several lines are for layout syslog, and for a filter that "opens" or "closes" sessions',
      );
    const yields = yieldsEntry && readYields(yaml, yieldsEntry.value);
    return text === undefined || yields === undefined ? [] : [{ text, yields, ...yaml.placeOf(member) }];
  });
}

/** Values are kept as they are written: they are compared as texts. */
function readYields(yaml: YamlReader, node: Node): Sample['yields'] | undefined {
  if (isScalar(node) && node.value === 'none') return 'none';
  if (!isMap(node))
    return yaml.fault('TYPE', node, '"yields" must be a mapping of fields to values, or "none"');
  const entries = yaml.entries(node, '"yields"') ?? [];
  return Object.fromEntries(
    entries.flatMap(({ key, value }) => {
      if (isScalar(value))
        return [[key, typeof value.value === 'string' ? value.value : sourceOf(value)] as const];
      yaml.fault('TYPE', value, `"${key}" of "yields" must be a text`);
      return [];
    }),
  );
}
