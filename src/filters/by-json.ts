// Filters over records: lines of JSON or logfmt, and access logs in JSON. Conditions on fields, no regex over the line.
import type { Conditions, Instant, Network } from '../model.ts';
import type { Stamps } from '../time.ts';
import { createAddressReader, decoded } from './addresses.ts';
import { compileConditions } from './conditions.ts';
import type { Fields, Holds } from './conditions.ts';
import type { CaseDefinition, FilterDefinition, FilterOptions, LineVerdict } from './contract.ts';
import { whoseCondition } from './engine.ts';
import type { Engine, Owner, Report } from './engine.ts';
import { createForwarding } from './forwarded.ts';
import { createJsonReader } from './json.ts';
import type { RecordReader, WantedField } from './json.ts';
import { FORWARDING_PATHS, accessVocabulary, templateVocabulary } from './json-access.ts';
import type { Vocabulary } from './json-access.ts';
import { literalsOfRecord } from './json-literals.ts';
import { anyOf } from './literals.ts';
import { createLogfmtReader } from './logfmt.ts';
import { RecordMatch } from './record-match.ts';
import type { ReadRest } from './record-match.ts';

/** One line, read when it is first asked for. The layout's own: it is filled anew for the next line. */
export interface RecordLine {
  readonly reader: RecordReader;
  text: string;
  start: number;
  end: number;
  arrivedAt: Instant;
  isRead: boolean;
  /** Why it is no record; undefined: it is one. */
  fault: string | undefined;
  /** null: not asked for yet. */
  address: Network | undefined | null;
}

/** Where services put the stamp, when a filter doesn't say. Of MongoDB `t.$date`, of Serilog `@t`, of Python `asctime`. */
const USUAL_TIMES = [
  ...['time', 'timestamp', 'ts', '@timestamp', 'date', 'datetime', 't'],
  ...['t.$date', '@t', 'asctime', 'timeMillis'],
];
/** Fields that evidence shows wherever they are there. */
const SHOWN = ['user', 'username', 'login', 'email'];
const SHOWN_OF_ACCESS = ['method', 'path', 'query', 'protocol', 'status', 'user', 'host'];
/** What `yields` names that is no field of the line. */
const OURS: ReadonlySet<string> = new Set(['ip', 'time', 'counts', 'outcome', 'mode']);

/** What `<session>` takes in patterns. */
const SESSION_ID = /^[\w.-]{1,64}$/;

const NO_MATCH: LineVerdict = { outcome: 'no-match', why: "the filter's conditions do not hold" };
const NARROWED: LineVerdict = { outcome: 'no-match', why: "the jail's conditions do not hold" };
const NOBODY: LineVerdict = { outcome: 'no-match', why: 'the line names no address' };
const UNFORWARDED: LineVerdict = {
  outcome: 'no-layout',
  why: 'a trusted proxy handed the request on, and the line has no forwarding header that would name the client',
};
const UNNAMED: LineVerdict = {
  outcome: 'no-match',
  why: 'a trusted proxy handed the request on, and the forwarding header names no client',
};
const FILTER_EXCEPTS = 'what the filter says under "except" holds';
const JAIL_EXCEPTS = 'what the jail says under "except" holds';

/** Is this the format of an access log whose lines are JSON? */
export function isJsonFormat(logFormat: string | undefined): boolean {
  return logFormat !== undefined && (logFormat.trim() === 'json' || templateOf(logFormat) !== undefined);
}

/** The fields that conditions may name on access lines in JSON, besides any path. */
export function jsonAccessFields(): readonly string[] {
  return accessVocabulary().names;
}

/** Builds the engine of a filter over records; undefined where something was reported. */
export function compileByRecords(
  definition: FilterDefinition,
  options: FilterOptions,
  stamps: Stamps,
  report: Report,
): Engine<RecordLine> | undefined {
  const vocabulary = vocabularyOf(definition, options.logFormat, report);
  if (!vocabulary) return undefined;
  const createReader = definition.layout === 'logfmt' ? createLogfmtReader : createJsonReader;
  const wanted = createWanted(true);
  const addressSlots = wanted.slots(vocabulary.address);
  const timeSlots = wanted.slots(vocabulary.time);
  const sessionSlots = wanted.slots(definition.session);
  for (const name of vocabulary.usual) vocabulary.reader(name, wanted.first);
  const readAddress = createAddressReader();
  const forwarding = createForwarding(options.trustedProxies ?? [], readAddress);
  const headers = forwarding ? vocabulary.forwarding.map((path) => wanted.first([path])) : [];
  const fields: Fields<RecordLine> = {
    names: vocabulary.names,
    isNumeric: (name) => vocabulary.isNumeric(name),
    reader: (name) =>
      vocabulary.isAddress(name) ? (line) => addressOf(line)?.text : vocabulary.reader(name, wanted.first),
  };
  let isSound = true;
  const compile = (owner: Owner, conditions: Conditions | undefined): Holds<RecordLine>[] => {
    if (!conditions) return [];
    const holds = compileConditions(conditions, fields, ({ code, field, message, hint }) => {
      isSound = false;
      report(whoseCondition(owner, field), `E_FILTER_${code}`, message, hint);
    });
    return [holds];
  };
  const isInUse = ({ mode }: CaseDefinition): boolean => mode === 'normal' || options.mode === 'aggressive';
  const where = compile('filter', definition.where);
  const cases = [
    ...failuresOf(definition).map((each, index) => ({
      each,
      index,
      outcome: 'failure' as const,
      holds: [...where, ...compile('filter', each.where)],
    })),
    ...definition.successWhere.map((each, index) => ({
      each,
      index,
      outcome: 'success' as const,
      holds: compile('filter', each.where),
    })),
  ].filter(({ each }) => isInUse(each));
  const jailWhere = compile('where', options.where);
  const filterExcept = compile('filter', definition.exceptWhere);
  const jailExcept = compile('except', options.except);
  if (!isSound) return undefined;

  const literals = cases.map(({ each, outcome }) => {
    const ofFilter = outcome === 'failure' ? definition.where : undefined;
    return literalsOfRecord([ofFilter, each.where, options.where], vocabulary, definition.layout);
  });
  const readRest = createRestReader(definition, options, vocabulary, createReader);
  const openOwn = opener(createReader(wanted.fields)); // it may be asked whose a line is while another one is open
  const { layout } = definition;
  return {
    framing: {
      key: JSON.stringify(['record', layout, wanted.fields, vocabulary.address]),
      open: opener(createReader(wanted.fields)),
    },
    literals: anyOf(literals),
    misfit: { outcome: 'no-layout', why: 'the line is not a record' },
    whose(text, start, end, arrivedAt) {
      const line = openOwn(text, start, end, arrivedAt);
      const sender = faultOf(line) === undefined ? senderOf(line) : undefined;
      return !sender || 'outcome' in sender ? undefined : { address: sender.address, at: stampOf(line) };
    },
    examine(line, start, end) {
      const fault = faultOf(line);
      if (fault !== undefined) return { outcome: 'no-layout', why: fault };
      let verdict = NO_MATCH;
      for (const { each, index, outcome, holds } of cases) {
        if (!holds.every((test) => test(line))) continue;
        if (!jailWhere.every((test) => test(line))) {
          verdict = NARROWED;
          continue;
        }
        const sender = senderOf(line);
        if ('outcome' in sender) return sender;
        const { address, via } = sender;
        const match = new RecordMatch({
          ...{ text: line.text, start, end, filter: definition.name, index, outcome, address, via, readRest },
          at: stampOf(line),
          counts: outcome === 'success' ? 0 : each.counts === 'session' ? 1 : each.counts,
          oncePerSession: outcome === 'failure' && each.counts === 'session',
          session: sessionSlots.length > 0 ? sessionOf(line) : undefined,
        });
        // Exceptions speak of failures: who logged in is known whatever they say.
        if (outcome === 'success') return { outcome, match };
        if (filterExcept.some((test) => test(line)))
          return { outcome: 'excepted', why: FILTER_EXCEPTS, match };
        if (jailExcept.some((test) => test(line))) return { outcome: 'excepted', why: JAIL_EXCEPTS, match };
        return { outcome: 'match', match };
      }
      return verdict;
    },
  };

  /** Who sent it, and the proxy that handed it on; else why that can't be told. */
  function senderOf(line: RecordLine): { address: Network; via: Network | undefined } | LineVerdict {
    const connecting = addressOf(line);
    if (!connecting) return NOBODY;
    if (!forwarding?.isTrusted(connecting)) return { address: connecting, via: undefined };
    const written = headers.flatMap((header) => header(line) ?? []);
    if (written.length === 0) return UNFORWARDED;
    const client = forwarding.clientOf(written);
    if (!client) return UNNAMED;
    return { address: client, via: client === connecting ? undefined : connecting };
  }

  function addressOf(line: RecordLine): Network | undefined {
    if (line.address !== null) return line.address;
    line.address = undefined;
    for (const slot of addressSlots) {
      const value = line.reader.value(slot);
      const address = value === undefined ? undefined : readAddress(value);
      if (address) return (line.address = address);
    }
    return undefined;
  }

  /** Longer or stranger ones are no ids: what is remembered of one is small. */
  function sessionOf(line: RecordLine): string | undefined {
    for (const slot of sessionSlots) {
      const value = line.reader.value(slot);
      if (value !== undefined && SESSION_ID.test(value)) return value;
    }
    return undefined;
  }

  function stampOf(line: RecordLine): Instant | undefined {
    for (const slot of timeSlots) {
      const value = line.reader.value(slot);
      const at = value === undefined ? undefined : instantOf(value, stamps, line.arrivedAt);
      if (at !== undefined) return at;
    }
    return undefined;
  }
}

function vocabularyOf(
  definition: FilterDefinition,
  logFormat: string | undefined,
  report: Report,
): Vocabulary | undefined {
  if (definition.layout !== 'access')
    return {
      address: definition.address,
      time: definition.time.length > 0 ? definition.time : USUAL_TIMES,
      forwarding: FORWARDING_PATHS,
      usual: [],
      names: [],
      isAddress: (name) => name === 'ip',
      isNumeric: (name) => name !== 'ip',
      reader: (name, first) => first([name]),
      isVerbatim: (name) => name !== 'ip',
    };
  const template = templateOf(logFormat ?? '');
  if (template === undefined) return accessVocabulary();
  const told = templateVocabulary(template);
  if (told.ok) return told.vocabulary;
  report('jail', 'E_FILTER_LOG_FORMAT', told.message, told.hint);
  return undefined;
}

/** What a `log_format` with escape=json writes; undefined for any other. */
export function templateOf(logFormat: string): string | undefined {
  return /^\s*escape=json\s+([^]*)$/.exec(logFormat)?.[1];
}

/** What counts: the cases under `match`, or else what `where` says. */
export function failuresOf(definition: FilterDefinition): readonly CaseDefinition[] {
  if (definition.matchWhere.length > 0) return definition.matchWhere;
  return [{ where: {}, counts: 1, mode: 'normal', ...definition.layoutAt }];
}

/** The fields that a reader is to look for, gathered while conditions are compiled. */
function createWanted(once: boolean): {
  readonly fields: readonly WantedField[];
  slots(paths: readonly string[]): readonly number[];
  first(paths: readonly string[]): (line: { readonly reader: RecordReader }) => string | undefined;
} {
  const fields: WantedField[] = [];
  const known = new Map<string, number>();
  const slots = (paths: readonly string[]): number[] =>
    paths.map((path) => {
      const slot = known.get(path) ?? fields.push({ path, once }) - 1;
      known.set(path, slot);
      return slot;
    });
  return {
    fields,
    slots,
    first(paths) {
      const own = slots(paths);
      return ({ reader }) => {
        for (const slot of own) {
          const value = reader.value(slot);
          if (value !== undefined) return value;
        }
        return undefined;
      };
    },
  };
}

function opener(
  reader: RecordReader,
): (text: string, start: number, end: number, arrivedAt: Instant) => RecordLine {
  const own: RecordLine = {
    reader,
    text: '',
    start: 0,
    end: 0,
    arrivedAt: 0,
    isRead: false,
    fault: undefined,
    address: null,
  };
  return (text, start, end, arrivedAt) => {
    own.text = text;
    own.start = start;
    own.end = end;
    own.arrivedAt = arrivedAt;
    own.isRead = false;
    own.address = null;
    return own;
  };
}

function faultOf(line: RecordLine): string | undefined {
  if (!line.isRead) {
    line.fault = line.reader.read(line.text, line.start, line.end);
    line.isRead = true;
  }
  return line.fault;
}

// ── stamps ───────────────────────────────────────────────────────────────────────────────────────────────────────

const NUMBER = /^\d+(?:\.\d+)?[eE]\+?\d+$/;

/** A stamp in any form that logs have, or a number such as 1.7e9: seconds, or thousandths of thousandths of them. */
function instantOf(written: string, stamps: Stamps, now: Instant): Instant | undefined {
  const at = stamps.field(written, now);
  if (at !== undefined || !NUMBER.test(written)) return at;
  let number = Number(written);
  if (!(number >= 1e9 && number < 1e20)) return undefined;
  while (number >= 1e11) number /= 1000;
  return Math.floor(number * 1000);
}

// ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads what evidence shows of a matched line, decoded as UTF-8: what conditions and samples name, and who it was. */
function createRestReader(
  definition: FilterDefinition,
  options: FilterOptions,
  vocabulary: Vocabulary,
  createReader: (wanted: readonly WantedField[]) => RecordReader,
): ReadRest {
  const conditions = [
    definition.where,
    definition.exceptWhere,
    options.where,
    options.except,
    ...[...definition.matchWhere, ...definition.successWhere].map(({ where }) => where),
  ];
  const yielded = [...definition.samples, ...definition.forged].flatMap(({ yields }) =>
    yields === 'none' ? [] : Object.keys(yields),
  );
  const names = new Set([
    ...(definition.layout === 'access' ? SHOWN_OF_ACCESS : SHOWN),
    ...conditions.flatMap((each) => Object.keys(each ?? {})),
    ...yielded,
  ]);
  const wanted = createWanted(false);
  const kept = [...names]
    .filter((name) => !OURS.has(name) && !vocabulary.isAddress(name))
    .map((name) => [name, vocabulary.reader(name, wanted.first)] as const);
  const reader = createReader(wanted.fields); // of its own: it may be asked while another line is open
  return (text, start, end) => {
    if (reader.read(text, start, end) !== undefined) return {};
    const values = kept.flatMap(([name, read]): [string, string][] => {
      const value = read({ reader });
      return value === undefined ? [] : [[name, decoded(value)]];
    });
    // fromEntries: a field may be named __proto__.
    return Object.fromEntries(values);
  };
}
