// What is tried on a filter to bend it: each pattern with the lines that it takes, in each mode in which it is taken in.
import { parseAddress } from '../address.ts';
import { BailiffError, formatFault } from '../errors.ts';
import type { Instant } from '../model.ts';
import { compileFilter } from './compile.ts';
import { failuresOf, templateOf, isJsonFormat } from './by-json.ts';
import type {
  CaseDefinition,
  Filter,
  FilterDefinition,
  FilterOptions,
  PatternDefinition,
  SessionMemory,
} from './contract.ts';
import { CLIENTS, honestLine } from './forgeries.ts';
import type { Frame } from './forgeries.ts';
import { skeletonsOfAccess } from './format-skeletons.ts';
import { skeletonsOfJsonAccess, skeletonsOfRecord } from './json-skeletons.ts';
import { NO_SESSIONS, createSessionMemory } from './sessions.ts';
import { skeletonsOfPattern } from './skeletons.ts';
import type { Skeleton } from './skeletons.ts';

/** One way of writing a line that a filter takes, and what is needed to forge it. */
export interface Trial {
  readonly filter: Filter;
  /** undefined: a filter by fields. */
  readonly pattern: PatternDefinition | undefined;
  /** What the lines are: such as speak against somebody or for him, or tell that a session begins or ends. */
  readonly outcome: 'failure' | 'success' | 'opened' | 'closed';
  readonly skeletons: readonly Skeleton[];
  /** The first skeleton of every pattern; undefined where the other mode is tried in full. */
  readonly others: readonly Skeleton[] | undefined;
  readonly frame: Frame;
  /** How a session is opened: a way for each pattern that says so. Where none does, what waits for its end tells it. */
  readonly openings: readonly Skeleton[];
  /** Must an honest line match? Where nginx writes it, whatever the client sent. */
  readonly mustMatch: boolean;
}

/** All that can be tried: a filter by fields for the log format of its options, a filter by patterns in both modes. */
export function trials(filter: Filter): Trial[] {
  const { layout } = filter.definition;
  if (layout === 'json' || layout === 'logfmt') return trialsOfRecords(filter.definition);
  // Without conditions: who reads the address wrongly where they hold does so elsewhere too.
  const definition = { ...filter.definition, where: undefined, exceptWhere: undefined, matchWhere: [] };
  return definition.layout === 'access'
    ? trialsOfFormat({ ...definition, where: {} }, filter.options.logFormat)
    : trialsOfPatterns(definition);
}

function trialsOfFormat(definition: FilterDefinition, logFormat: string | undefined): Trial[] {
  const skeletons = isJsonFormat(logFormat)
    ? skeletonsOfJsonAccess(templateOf(logFormat ?? ''))
    : skeletonsOfAccess(logFormat ?? 'combined');
  const filter = bothModes(definition, logFormat).normal;
  const trial = {
    filter,
    pattern: undefined,
    outcome: 'failure',
    skeletons,
    others: [],
    frame: asItIs,
  } as const;
  return [{ ...trial, openings: [], mustMatch: true }];
}

/** Each pattern as a client leaves its lines who connects himself, and, if it reads forwarding headers, one behind a proxy. */
function trialsOfPatterns(definition: FilterDefinition): Trial[] {
  return [...trialsReached(definition, undefined), ...trialsReached(definition, PROXY)];
}

/** Whose header is believed where forgeries come through him. */
const PROXY = '198.51.100.2';

function trialsReached(definition: FilterDefinition, proxy: string | undefined): Trial[] {
  const limits = new Set(definition.limits.map(({ field }) => field));
  const patterns = [
    ...definition.match.map((pattern) => ({ pattern, outcome: 'failure' as const })),
    ...definition.success.map((pattern) => ({ pattern, outcome: 'success' as const })),
    ...definition.opens.map((pattern) => ({ pattern, outcome: 'opened' as const })),
    ...definition.closes.map((pattern) => ({ pattern, outcome: 'closed' as const })),
  ].map((entry) => ({ ...entry, skeletons: skeletonsReached(entry.pattern, limits, proxy) }));
  if (patterns.every(({ skeletons }) => skeletons.length === 0) && proxy !== undefined) return [];
  const { normal, aggressive } = bothModes(definition, undefined, proxy);
  const isFirst = ({ outcome, skeletons }: (typeof patterns)[number]): boolean =>
    definition.opens.length > 0
      ? outcome === 'opened'
      : outcome === 'failure' && !skeletons[0]?.some(({ kind }) => kind === 'address');
  const openings = patterns.filter(isFirst).flatMap(({ skeletons }) => skeletons.slice(0, 1));
  const others = patterns.flatMap(({ skeletons }) => skeletons.slice(0, 1));
  const hasModes = patterns.some(({ pattern }) => pattern.mode === 'aggressive');
  const tried = patterns.filter(({ skeletons }) => proxy === undefined || skeletons.length > 0);
  return tried.flatMap((entry) => {
    const asWritten = { others, openings, frame: frameOf(definition), mustMatch: false };
    const trial: Trial = { ...entry, filter: normal, ...asWritten };
    if (!hasModes) return [trial];
    const inAggressive = { ...trial, filter: aggressive };
    return entry.pattern.mode === 'normal' ? [{ ...trial, others: undefined }, inAggressive] : [inAggressive];
  });
}

/** Of lines that a proxy has handed on, those whose header names the client. */
function skeletonsReached(
  pattern: PatternDefinition,
  limits: ReadonlySet<string>,
  proxy: string | undefined,
): Skeleton[] {
  const skeletons = skeletonsOfPattern(pattern, limits, proxy);
  if (proxy === undefined) return skeletons;
  return skeletons.filter((skeleton) => skeleton.some(({ kind }) => kind === 'address'));
}

/**
 * Cases of records, each with its own conditions: an encoder writes what a client sends in one field only, so that the line
 * must match whatever he sends in the others. Where no record could be made up that fulfils them, they are left out.
 */
function trialsOfRecords(written: FilterDefinition): Trial[] {
  const definition = { ...written, exceptWhere: undefined };
  const { normal, aggressive } = bothModes(definition, undefined);
  const open = bothModes({ ...definition, where: {}, matchWhere: [], successWhere: [] }, undefined).normal;
  const cases = [
    ...failuresOf(definition).map((each) => ({ each, outcome: 'failure' as const })),
    ...definition.successWhere.map((each) => ({ each, outcome: 'success' as const })),
  ].map((entry, index) => ({
    ...entry,
    skeletons: skeletonsOfRecord(definition, entry.each, entry.outcome, index === 0),
  }));
  const others = cases.flatMap(({ skeletons }) => skeletons.slice(0, 1));
  return cases.map(({ each, outcome, skeletons }) => {
    const strict = each.mode === 'normal' ? normal : aggressive;
    const takes = CLIENTS.every(({ honest }) =>
      skeletons.every(
        (skeleton) => 'match' in strict.judge(honestLine(skeleton, asItIs, honest), Date.UTC(2026, 0, 6)),
      ),
    );
    return {
      filter: takes ? strict : open,
      pattern: asPattern(each),
      outcome: takes ? outcome : 'failure',
      skeletons,
      others,
      frame: asItIs,
      openings: [],
      mustMatch: true,
    };
  });
}

/** What a filter knows once a client and whom he would frame have each opened a session; nothing that follows changes it. */
export function sessionsOf(
  { filter, openings, frame }: Trial,
  clients: (typeof CLIENTS)[number],
  arrivedAt: Instant,
): SessionMemory {
  const sessions = createSessionMemory();
  for (const address of [clients.honest, clients.framed]) {
    const owner = parseAddress(address)!;
    const told: SessionMemory = {
      ...sessions,
      wait: (name, session, _waiting, at, until) => sessions.open(name, session, owner, at, until),
    };
    for (const opening of openings) filter.judge(honestLine(opening, frame, address), arrivedAt, told);
  }
  return { ...NO_SESSIONS, find: sessions.find };
}

const asItIs: Frame = (line) => line;

/** For the eye, and for its place in the file. */
function asPattern({ where, ...rest }: CaseDefinition): PatternDefinition {
  return { regex: JSON.stringify(where), ...rest };
}

/** A filter as its file means it: in UTC, without what a jail narrows. */
export interface Modes {
  readonly normal: Filter;
  readonly aggressive: Filter;
}

/**
 * @param proxy the one whose forwarding headers are believed.
 * @throws BailiffError E_INTERNAL where the filter doesn't compile for that log format: whoever asks has compiled it.
 */
export function bothModes(
  definition: FilterDefinition,
  logFormat: string | undefined,
  proxy?: string,
): Modes {
  const trustedProxies = proxy === undefined ? [] : [parseAddress(proxy)!];
  const compile = (mode: FilterOptions['mode']): Filter => {
    const options: FilterOptions = {
      ...{ logFormat, zone: 'UTC', mode, trustedProxies },
      ...{ where: undefined, except: undefined },
    };
    const compiled = compileFilter(definition, options);
    if (compiled.ok) return compiled.filter;
    const faults = compiled.faults.map(formatFault);
    throw new BailiffError('E_INTERNAL', `the filter ${definition.name} can't be tried`, { faults });
  };
  return { normal: compile('normal'), aggressive: compile('aggressive') };
}

function frameOf(definition: FilterDefinition): Frame {
  if (definition.layout === 'plain') return (message) => `2026/01/05 10:11:12 ${message}`;
  const program = (definition.program[0] ?? 'service').replace(/\*$/, 'x');
  return (message, session) => `Jan  5 10:11:12 web ${program}[${session}]: ${message}`;
}
