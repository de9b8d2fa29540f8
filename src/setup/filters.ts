// A filter's name and a jail's options → a compiled and proven filter, or its faults, at the place where they are mended.
import type { JailConfig, Place } from '../config/contract.ts';
import type { Trusted } from '../config/index.ts';
import type { Fault } from '../errors.ts';
import type { Filter, FilterDefinition, FilterFault, FilterOptions } from '../filters/contract.ts';
import { compileFilter, contradiction } from '../filters/index.ts';
import type { Network } from '../model.ts';
import { prove, provesByDefault } from './prove.ts';
import type { Proofs } from './prove.ts';
import type { Shelf } from './shelf.ts';
import { checkTrust } from './trust.ts';

export interface Preparer {
  /** The filter for a jail: one object for the same options. None where there are faults. */
  prepare(name: string, jail: JailConfig, trustedProxies: readonly Network[]): Filter[];
  /**
   * Tells the faults of a filter that no jail names, as its file means it.
   * @param isCertain false where the config can't be read: a jail that names it may have a log format of its own.
   */
  prepareUnnamed(name: string, isCertain: boolean): void;
}

interface Options {
  readonly trusted: Trusted;
  readonly proofs: Proofs;
  readonly version: string;
}

const AS_WRITTEN: FilterOptions = {
  logFormat: undefined,
  zone: undefined,
  mode: 'normal',
  where: undefined,
  except: undefined,
};

/** Compiles and proves each distinct (filter, options) once; what is wrong goes into `faults` and `warnings`. */
export function createPreparer(shelf: Shelf, options: Options, faults: Fault[], warnings: Fault[]): Preparer {
  const compiled = new Map<string, Filter | undefined>();
  return {
    prepare(name, jail, trustedProxies) {
      const { logFormat, zone, mode, where, except } = jail;
      const filterOptions: FilterOptions = { logFormat, zone, mode, where, except, trustedProxies };
      const key = JSON.stringify([name, filterOptions]);
      if (!compiled.has(key)) compiled.set(key, prepareOne(name, filterOptions, jail));
      const filter = compiled.get(key);
      return filter ? [filter] : [];
    },
    prepareUnnamed(name, isCertain) {
      const isReadable = isCertain || shelf.read(name).definition?.layout !== 'access';
      if (isReadable) prepareOne(name, AS_WRITTEN);
      else checkTrust(shelf.files.get(name)!, options, faults);
    },
  };

  function prepareOne(name: string, filterOptions: FilterOptions, jail?: JailConfig): Filter | undefined {
    const { definition, faults: ofFile } = shelf.read(name);
    faults.push(...ofFile);
    checkTrust(shelf.files.get(name)!, options, faults);
    if (!definition) return undefined;
    const result = compileFilter(definition, filterOptions);
    if (!result.ok) {
      faults.push(...result.faults.map((fault) => (jail ? placed(fault, definition, jail) : fault)));
      return undefined;
    }
    warnings.push(...result.warnings, ...(jail ? idleConditions(definition, filterOptions, jail) : []));
    const refuted = prove(result.filter, options.proofs, options.version);
    // Samples and patterns that hold in `combined` are not to blame for a format in which a client can bend them.
    const isOfJail =
      jail?.logFormat !== undefined &&
      refuted.length > 0 &&
      provesByDefault(compileFilter(definition, AS_WRITTEN));
    faults.push(
      ...(isOfJail ? refuted.map((fault) => blamed(fault, definition, jail, jail.logFormatAt)) : refuted),
    );
    return result.filter;
  }
}

function idleConditions(definition: FilterDefinition, options: FilterOptions, jail: JailConfig): Fault[] {
  const field = contradiction(definition, options);
  if (field === undefined) return [];
  const { file, line, column } = jail.conditionsAt.where.get(field) ?? jail.at;
  const message = `the "where" of the jail ${jail.name}: no line that the filter ${definition.name} takes has such a "${field}", so that it counts nothing: a jail narrows its filter`;
  const hint = 'for other values write a filter of your own in filters/';
  return [{ code: 'W_FILTER_IDLE', file, line, column, message, hint }];
}

/** A fault of the jail's own options stands in the config; the filter's faults name their file themselves. */
function placed(told: FilterFault, definition: FilterDefinition, jail: JailConfig): Fault {
  const { option, ...fault } = told;
  if (option) {
    const at = jail.conditionsAt[option.key].get(option.field) ?? jail.at;
    return { ...fault, ...at, message: `the "${option.key}" of the jail ${jail.name}: ${fault.message}` };
  }
  if (fault.code === 'E_FILTER_LOG_FORMAT') return blamed(fault, definition, jail, jail.logFormatAt);
  if (fault.file === '') return { ...fault, ...jail.at };
  const isOfFormat = jail.logFormat !== undefined && compileFilter(definition, AS_WRITTEN).ok;
  return isOfFormat ? blamed(fault, definition, jail, jail.logFormatAt) : fault;
}

function blamed(
  fault: Fault,
  { name }: FilterDefinition,
  jail: JailConfig,
  { file, line, column }: Place,
): Fault {
  const what =
    fault.code === 'E_FILTER_UNPROVEN'
      ? `with the "logFormat" of the jail ${jail.name} a client can bend the filter ${name}`
      : `the "logFormat" of the jail ${jail.name} does not do for the filter ${name}`;
  return { ...fault, file, line, column, message: `${what}: ${fault.message}` };
}
