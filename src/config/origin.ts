// A checked config value by value, each with where it comes from. The keys are the schema's, so that none is left out.
// Values that several keys decide are the Config's own; where they were said follows the rules of resolve.ts (`limit`)
// and sentence.ts (`banTime`).
import * as v from 'valibot';
import type { Sentence } from '../model.ts';
import type { Config, JailConfig } from './contract.ts';
import type { Place } from './place.ts';
import { configSchema, historySchema, jailSchema, limitsSchema } from './schema.ts';
import type { ObjectTree, Tree } from './tree.ts';
import { plain } from './tree.ts';
import type { About } from './values.ts';

/** Durations are told apart from counts, since both are numbers: milliseconds, Infinity for good. */
export type Held =
  | { readonly kind: 'plain'; readonly value: unknown }
  | { readonly kind: 'duration'; readonly value: number | readonly number[] };

export interface Origin {
  /** `jails.sshd.banTime.first`, step by step. */
  readonly path: readonly string[];
  readonly held: Held;
  /** `config`: written at its own place; `defaults`: written there; `built-in`: nobody wrote it. */
  readonly from: 'config' | 'defaults' | 'built-in';
  /** Of the value; undefined where it is built in. */
  readonly at?: Place;
  /** The key that says it where that is another one: `limit` says `maxRetry` and `findTime`, `steps` says `first`. */
  readonly by?: string;
}

type Path = readonly string[];
type Source = Pick<Origin, 'from' | 'at' | 'by'>;
/** What may say something, the nearest first. */
type Levels = readonly (readonly ['config' | 'defaults', ObjectTree])[];

const BUILT_IN: Source = { from: 'built-in' };

/** @param tree the merged config, which was found to be without a fault. */
export function originsOf(config: Config, tree: Tree): Origin[] {
  const levels = levelsOf(asObject(tree));
  const [defaults, jails] = [childOf(tree, 'defaults'), childOf(tree, 'jails')];
  return Object.keys(configSchema.entries).flatMap((key): Origin[] => {
    if (key === '$schema') return [];
    if (key === 'history') return historyOrigins(config, levelsOf(childOf(tree, key)));
    if (key === 'limits') return limitsOrigins(levelsOf(childOf(tree, key)));
    if (key === 'defaults') return defaultOrigins(config, levelsOf(defaults));
    if (key !== 'jails') return keyOrigins([key], configSchema.entries, levels);
    return config.jails.flatMap((jail) => {
      const own = jails && childOf(jails, jail.name);
      return jailOrigins(jail, [...levelsOf(own), ...levelsOf(defaults, 'defaults')]);
    });
  });
}

/** What is written there, and how long bans by hand last. */
function defaultOrigins(config: Config, levels: Levels): Origin[] {
  const written = levels.flatMap(([, tree]) => [...tree.entries.keys()]);
  return Object.keys(jailSchema.entries).flatMap((key) => {
    if (key === 'banTime') return banTimeOrigins(['defaults', key], config.banTime, levels);
    return written.includes(key) ? keyOrigins(['defaults', key], jailSchema.entries, levels) : [];
  });
}

function historyOrigins({ history }: Config, levels: Levels): Origin[] {
  const keep: Origin = {
    path: ['history', 'keep'],
    held: { kind: 'duration', value: history.keep },
    ...sourceOf('keep', levels),
  };
  const others = Object.keys(historySchema.entries).filter((key) => key !== 'keep');
  return [keep, ...others.flatMap((key) => keyOrigins(['history', key], historySchema.entries, levels))];
}

function limitsOrigins(levels: Levels): Origin[] {
  return Object.keys(limitsSchema.entries).flatMap((key) =>
    keyOrigins(['limits', key], limitsSchema.entries, levels),
  );
}

function jailOrigins(jail: JailConfig, levels: Levels): Origin[] {
  return Object.keys(jailSchema.entries).flatMap((key) => {
    const path = ['jails', jail.name, key];
    // Told by what it says: of maxRetry and of findTime.
    if (key === 'limit') return [];
    if (key === 'maxRetry') return [countOrigin(path, { kind: 'plain', value: jail.maxRetry }, levels)];
    if (key === 'findTime') return [countOrigin(path, { kind: 'duration', value: jail.findTime }, levels)];
    if (key === 'banTime') return banTimeOrigins(path, jail.banTime, levels);
    if (key === 'where' || key === 'except') return conditionOrigins(path, levels);
    return keyOrigins(path, jailSchema.entries, levels);
  });
}

/** A key that stands for itself: as it was written, else what is built in; nothing where there is neither. */
function keyOrigins(path: Path, schema: Readonly<Record<string, KeySchema>>, levels: Levels): Origin[] {
  const key = path.at(-1)!;
  const [found] = said(key, levels);
  if (found) return [{ path, held: { kind: 'plain', value: plain(found.tree) }, ...found.source }];
  const about = v.getMetadata(schema[key]!.wrapped) as Omit<About, 'says'>;
  return 'default' in about ? [{ path, held: { kind: 'plain', value: about.default }, ...BUILT_IN }] : [];
}

interface KeySchema {
  readonly wrapped: v.GenericSchema;
}

/** What `limit` says at one level is said of both there. */
function countOrigin(path: Path, held: Held, levels: Levels): Origin {
  for (const level of levels) {
    const [limit] = said('limit', [level]);
    if (limit) return { path, held, ...limit.source, by: 'limit' };
    const [own] = said(path.at(-1)!, [level]);
    if (own) return { path, held, ...own.source };
  }
  return { path, held, ...BUILT_IN };
}

/** `steps` say `first` as well; a bare duration says both, and puts out the `max` before it. */
function banTimeOrigins(path: Path, sentence: Sentence, levels: Levels): Origin[] {
  const sources = new Map<string, Source>();
  for (const { tree, source } of said('banTime', levels).toReversed()) {
    if (tree.kind !== 'object') {
      sources.delete('max');
      for (const key of ['first', 'factor']) sources.set(key, { ...source, by: 'banTime' });
      continue;
    }
    const { entries } = tree;
    for (const [key, { value }] of entries) sources.set(key, { from: source.from, at: value.at });
    const steps = entries.get('steps');
    if (steps) sources.set('first', { from: source.from, at: steps.value.at, by: 'steps' });
  }
  const row = (key: keyof Sentence, kind: Held['kind']): Origin => ({
    path: [...path, key],
    held: { kind, value: sentence[key] } as Held,
    ...(sources.get(key) ?? BUILT_IN),
  });
  const growth = sentence.steps ? row('steps', 'duration') : row('factor', 'plain');
  return [
    row('first', 'duration'),
    growth,
    row('max', 'duration'),
    row('forget', 'duration'),
    row('scope', 'plain'),
  ];
}

/** The nearest level's conditions hold as a whole; within them each field has its own place. */
function conditionOrigins(path: Path, levels: Levels): Origin[] {
  const [found] = said(path.at(-1)!, levels);
  return [...(found ? asObject(found.tree).entries : [])].map(([field, { value }]) => ({
    path: [...path, field],
    held: { kind: 'plain', value: plain(value) },
    ...{ from: found!.source.from, at: value.at },
  }));
}

function sourceOf(key: string, levels: Levels): Source {
  return said(key, levels)[0]?.source ?? BUILT_IN;
}

/** What each level says of a key. */
function said(key: string, levels: Levels): { tree: Tree; source: Source }[] {
  return levels.flatMap(([from, { entries }]) => {
    const tree = entries.get(key)?.value;
    return tree ? [{ tree, source: { from, at: tree.at } }] : [];
  });
}

function levelsOf(tree: ObjectTree | undefined, from: 'config' | 'defaults' = 'config'): Levels {
  return tree ? [[from, tree]] : [];
}

function childOf(tree: Tree, key: string): ObjectTree | undefined {
  const value = asObject(tree).entries.get(key)?.value;
  return value && asObject(value);
}

function asObject(tree: Tree): ObjectTree {
  return tree.kind === 'object' ? tree : { kind: 'object', at: tree.at, entries: new Map() };
}
