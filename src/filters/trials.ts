// What is tried on a filter to bend it: each pattern with the lines that it takes, in each mode in which it is taken in.
import { BailiffError, formatFault } from '../errors.ts';
import { compileFilter } from './compile.ts';
import type { Filter, FilterDefinition, FilterOptions, PatternDefinition } from './contract.ts';
import type { Frame } from './forgeries.ts';
import { skeletonOfFormat, skeletonsOfPattern } from './skeletons.ts';
import type { Skeleton } from './skeletons.ts';

/** One way of writing a line that a filter takes, and what is needed to forge it. */
export interface Trial {
  readonly filter: Filter;
  /** undefined: a filter by fields. */
  readonly pattern: PatternDefinition | undefined;
  readonly outcome: 'failure' | 'success';
  readonly skeletons: readonly Skeleton[];
  /** The first skeleton of every pattern; undefined where the other mode is tried in full. */
  readonly others: readonly Skeleton[] | undefined;
  readonly frame: Frame;
  /** Must an honest line match? Where nginx writes it, whatever the client sent. */
  readonly mustMatch: boolean;
}

/** All that can be tried: a filter by fields for the log format of its options, a filter by patterns in both modes. */
export function trials(filter: Filter): Trial[] {
  // Without conditions: who reads the address wrongly where they hold does so elsewhere too.
  const definition = { ...filter.definition, where: undefined, exceptWhere: undefined };
  return definition.layout === 'access'
    ? trialsOfFormat({ ...definition, where: {} }, filter.options.logFormat)
    : trialsOfPatterns(definition);
}

function trialsOfFormat(definition: FilterDefinition, logFormat: string | undefined): Trial[] {
  const skeletons = [skeletonOfFormat(logFormat ?? 'combined')];
  const filter = bothModes(definition, logFormat).normal;
  const frame: Frame = (line) => line;
  return [{ filter, pattern: undefined, outcome: 'failure', skeletons, others: [], frame, mustMatch: true }];
}

function trialsOfPatterns(definition: FilterDefinition): Trial[] {
  const { normal, aggressive } = bothModes(definition, undefined);
  const patterns = [
    ...definition.match.map((pattern) => ({ pattern, outcome: 'failure' as const })),
    ...definition.success.map((pattern) => ({ pattern, outcome: 'success' as const })),
  ].map((entry) => ({ ...entry, skeletons: skeletonsOfPattern(entry.pattern) }));
  const others = patterns.flatMap(({ skeletons }) => skeletons.slice(0, 1));
  const hasModes = patterns.some(({ pattern }) => pattern.mode === 'aggressive');
  return patterns.flatMap((entry) => {
    const trial: Trial = { ...entry, filter: normal, others, frame: frameOf(definition), mustMatch: false };
    if (!hasModes) return [trial];
    const inAggressive = { ...trial, filter: aggressive };
    return entry.pattern.mode === 'normal' ? [{ ...trial, others: undefined }, inAggressive] : [inAggressive];
  });
}

/** A filter as its file means it: in UTC, without what a jail narrows. */
export interface Modes {
  readonly normal: Filter;
  readonly aggressive: Filter;
}

/** @throws BailiffError E_INTERNAL where the filter doesn't compile for that log format: whoever asks has compiled it. */
export function bothModes(definition: FilterDefinition, logFormat: string | undefined): Modes {
  const compile = (mode: FilterOptions['mode']): Filter => {
    const options: FilterOptions = { logFormat, zone: 'UTC', mode, where: undefined, except: undefined };
    const compiled = compileFilter(definition, options);
    if (compiled.ok) return compiled.filter;
    const faults = compiled.faults.map(formatFault);
    throw new BailiffError('E_INTERNAL', `the filter ${definition.name} can't be tried`, { faults });
  };
  return { normal: compile('normal'), aggressive: compile('aggressive') };
}

function frameOf(definition: FilterDefinition): Frame {
  if (definition.layout === 'plain') return (message) => `2026/01/05 10:11:12 ${message}`;
  return (message) => `Jan  5 10:11:12 web ${definition.program[0] ?? 'service'}[812]: ${message}`;
}
