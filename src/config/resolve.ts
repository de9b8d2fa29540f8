// From what was written to what holds: defaults filled in, names looked up, contradictions told.
import { normalize } from 'node:path/posix';
import { isDeepStrictEqual } from 'node:util';
import { parseDuration } from '../time.ts';
import type { Fault } from '../errors.ts';
import { readAllowEntry } from './allow.ts';
import { RECIDIVE } from './contract.ts';
import type { AllowEntry, Config, History, JailConfig, Limits, Place } from './contract.ts';
import { findDisagreements } from './agreement.ts';
import { isForgeable, settleTerms } from './journal-terms.ts';
import { labelOf } from './keys.ts';
import { faultAt, shown, suggest } from './place.ts';
import type { ConfigInput, JailInput } from './schema.ts';
import { respondConflicts, stepsOf } from './respond.ts';
import { BUILT_IN } from './schema.ts';
import { readBrake } from './values.ts';
import { banTimeConflicts, layBanTime, sentenceOf } from './sentence.ts';
import type { Said } from './sentence.ts';
import type { Path, Tree } from './tree.ts';
import { keyAt, valueAt } from './tree.ts';

interface Context {
  /** The sound part of what was written, fitting the input key by key and index by index. */
  readonly tree: Tree;
  /** Is a fault told already that explains why this key is missing? */
  readonly isTold: (path: Path) => boolean;
  readonly filters: ReadonlySet<string>;
  readonly faults: Fault[];
  readonly warnings: Fault[];
}

/** What `defaults` says, read once for all jails. */
interface Inherited {
  readonly keys: JailInput;
  readonly banTime: Said;
  readonly ignore: readonly AllowEntry[];
}

/** Faults and warnings go into `context`; where there are faults, the config is not to be used. */
export function resolve(file: string, input: ConfigInput, context: Context): Config {
  const { tree, warnings, faults } = context;
  const defaults = input.defaults ?? {};
  checkLevel(defaults, ['defaults'], context);
  const inherited: Inherited = {
    keys: defaults,
    banTime: layBanTime({}, defaults.banTime),
    ignore: readEntries(defaults.ignore ?? [], ['defaults', 'ignore'], context),
  };
  faults.push(...banTimeConflicts(defaults.banTime, inherited.banTime, tree, ['defaults', 'banTime']));
  const { ipv6Prefix } = { ...BUILT_IN, ...defaults };
  faults.push(
    ...respondConflicts(defaults.respond, ipv6Prefix, tree, ['defaults', 'respond'], context.isTold),
  );
  const trustedProxies = readEntries(input.trustedProxies ?? [], ['trustedProxies'], context);
  // Whom to believe must not hang on an answer of the name service.
  if (trustedProxies.some(({ kind }) => kind === 'name')) {
    const message = 'a trusted proxy is written as an address, a network or file:/path, not as a name';
    faults.push(faultAt(keyAt(tree, ['trustedProxies']), 'E_CONFIG_ADDRESS', message));
  }
  const allow = readEntries(input.allow ?? [], ['allow'], context);
  const names = Object.keys(input.jails ?? {});
  const jails = names.map((name) => resolveJail(name, input.jails![name]!, inherited, context));
  faults.push(...findDisagreements(jails, tree));
  if (jails.length === 0 && !context.isTold(['jails'])) {
    const message = 'there are no jails: nothing is watched, only bans by hand work';
    warnings.push(faultAt({ file, line: 0, column: 0 }, 'W_CONFIG_NO_JAILS', message));
  }
  const history = historyOf(input.history);
  const limits = limitsOf(input.limits);
  const { journalDirectory } = input;
  const banTime = sentenceOf(inherited.banTime);
  return { file, allow, trustedProxies, journalDirectory, banTime, history, limits, jails };
}

function historyOf({ keep, maxSize }: NonNullable<ConfigInput['history']> = {}): History {
  return {
    keep: keep ?? parseDuration(BUILT_IN.history.keep)!,
    maxSize: (maxSize ?? BUILT_IN.history.maxSize) * 1_024 * 1_024,
  };
}

function limitsOf(written: ConfigInput['limits']): Limits {
  const limits = { ...BUILT_IN.limits, ...written };
  return { ...limits, evidence: limits.evidence * 1_024 * 1_024 };
}

function resolveJail(name: string, own: JailInput, inherited: Inherited, context: Context): JailConfig {
  const { tree, faults, isTold } = context;
  const path = ['jails', name];
  checkLevel(own, path, context);
  const banTime = layBanTime(inherited.banTime, own.banTime);
  faults.push(...banTimeConflicts(own.banTime, banTime, tree, [...path, 'banTime']));
  const ignore = own.ignore ? readEntries(own.ignore, [...path, 'ignore'], context) : inherited.ignore;
  const both = { ...inherited.keys, ...own };
  const writtenAt = (key: 'logFormat' | 'where' | 'except'): Path => [
    ...(own[key] === undefined ? ['defaults'] : path),
    key,
  ];
  const logFormatPath = both.logFormat === undefined ? path : writtenAt('logFormat');
  const conditionsAt = (key: 'where' | 'except'): Map<string, Place> =>
    new Map(Object.keys(both[key] ?? {}).map((field) => [field, keyAt(tree, [...writtenAt(key), field])]));
  const jail: JailConfig = {
    name,
    enabled: both.enabled ?? BUILT_IN.enabled,
    filters: [...new Set([both.filter ?? []].flat())],
    logs: [...new Set((both.logs ?? []).map((log) => normalize(log)))],
    journal: settleTerms(both.journal ?? []),
    sources: both.sources,
    reports: both.reports ?? BUILT_IN.reports,
    start: both.start,
    ...countingOf(own, inherited.keys),
    banTime: sentenceOf(banTime),
    respond: stepsOf(both.respond ?? BUILT_IN.respond),
    ports: [...new Set(both.ports ?? BUILT_IN.ports)].toSorted((a, b) => a - b),
    protocol: both.protocol ?? BUILT_IN.protocol,
    ignore,
    ipv6Prefix: both.ipv6Prefix ?? BUILT_IN.ipv6Prefix,
    brake: readBrake(both.brake ?? BUILT_IN.brake),
    mode: both.mode ?? BUILT_IN.mode,
    dryRun: both.dryRun ?? BUILT_IN.dryRun,
    resetOnSuccess: both.resetOnSuccess ?? BUILT_IN.resetOnSuccess,
    protectAfterSuccess: both.protectAfterSuccess ?? parseDuration(BUILT_IN.protectAfterSuccess)!,
    zone: both.zone,
    logFormat: both.logFormat,
    where: both.where,
    except: both.except,
    conditionsAt: { where: conditionsAt('where'), except: conditionsAt('except') },
    at: keyAt(tree, path),
    logFormatAt: keyAt(tree, logFormatPath),
  };
  const respondPath = own.respond === undefined ? ['defaults', 'respond'] : [...path, 'respond'];
  // Of what stands in `defaults` a contradiction is told once.
  for (const fault of respondConflicts(both.respond, jail.ipv6Prefix, tree, respondPath, isTold))
    if (!faults.some((told) => isDeepStrictEqual(told, fault))) faults.push(fault);
  const missing = (keys: readonly string[], message: string): void => {
    if (keys.some((key) => isTold([...path, key]) || isTold(['defaults', key]))) return;
    faults.push(faultAt(jail.at, 'E_CONFIG_MISSING', `${labelOf(path)}: ${message}`, `add "${keys[0]}"`));
  };
  const isWatching = jail.logs.length > 0 || jail.journal.length > 0;
  // Whoever takes reports needs no log. What stands half there is a slip.
  if (jail.reports && jail.filters.length === 0 && !isWatching) return jail;
  if (jail.filters.length === 0) missing(['filter'], 'a jail needs a filter');
  if (jail.filters.includes(RECIDIVE)) checkRecidive(jail, path, context);
  else if (!isWatching) missing(['logs', 'journal'], 'a jail needs something to watch');
  return jail;
}

/** A jail that counts bans has no lines to read. */
function checkRecidive(jail: JailConfig, path: Path, { tree, faults }: Context): void {
  const conflict = (key: string, message: string): void => {
    const at = keyAt(tree, [...path, key]);
    faults.push(
      faultAt(at, 'E_CONFIG_CONFLICT', `${labelOf([...path, key])}: ${message}`, 'make two jails of it'),
    );
  };
  const what = `the filter "${RECIDIVE}" counts the bans of the other jails`;
  if (jail.filters.length > 1) conflict('filter', `${what}, and stands alone`);
  for (const key of ['logs', 'journal'] as const)
    if (jail[key].length > 0) conflict(key, `${what}, and reads no log`);
}

/** What can be wrong with the keys of a jail, or of `defaults`, on their own. */
function checkLevel(level: JailInput, path: Path, { tree, filters, faults, warnings }: Context): void {
  for (const key of ['maxRetry', 'findTime'] as const)
    if (level.limit && level[key] !== undefined) {
      const message = `${labelOf(path)}: "limit" stands instead of "${key}", not beside it`;
      faults.push(
        faultAt(keyAt(tree, [...path, key]), 'E_CONFIG_CONFLICT', message, 'take one of them away'),
      );
    }
  const isList = Array.isArray(level.filter);
  for (const [i, name] of [level.filter ?? []].flat().entries()) {
    if (filters.has(name) || name === RECIDIVE) continue;
    const { at } = valueAt(tree, [...path, 'filter', ...(isList ? [i] : [])]);
    const message = `${labelOf([...path, 'filter'])}: there is no filter ${shown(name)}`;
    faults.push(faultAt(at, 'E_CONFIG_UNKNOWN_FILTER', message, suggest(name, filters, 'there are')));
  }
  if (isForgeable(level.journal ?? [])) {
    const message = `${labelOf([...path, 'journal'])}: any local user can write entries that these terms match`;
    const hint = 'add a field that journald vouches for, such as _SYSTEMD_UNIT=ssh.service';
    warnings.push(faultAt(keyAt(tree, [...path, 'journal']), 'W_CONFIG_FORGEABLE', message, hint));
  }
}

/** `limit` says both how many and how long; what the jail says goes before what `defaults` says. */
function countingOf(own: JailInput, defaults: JailInput): Pick<JailConfig, 'maxRetry' | 'findTime'> {
  const level = ({ limit, maxRetry, findTime }: JailInput) =>
    limit ? { maxRetry: limit.count + 1, findTime: limit.window } : { maxRetry, findTime };
  const [mine, theirs] = [level(own), level(defaults)];
  return {
    maxRetry: mine.maxRetry ?? theirs.maxRetry ?? BUILT_IN.maxRetry,
    findTime: mine.findTime ?? theirs.findTime ?? parseDuration(BUILT_IN.findTime)!,
  };
}

function readEntries(written: readonly string[], path: Path, { tree, warnings }: Context): AllowEntry[] {
  const entries: AllowEntry[] = [];
  for (const [i, text] of written.entries()) {
    const read = readAllowEntry(text);
    if (read.kind !== 'entry') continue;
    entries.push(read.entry);
    if (read.warning) warnings.push(faultAt(valueAt(tree, [...path, i]).at, ...read.warning));
  }
  return entries;
}
