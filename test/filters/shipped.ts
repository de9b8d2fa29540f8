// The filters that Bailiff ships, for tests: by name, and all there are.
import { readFileSync, readdirSync } from 'node:fs';
import { compileFilter, parseFilter } from '../../src/filters/index.ts';
import type { Filter, FilterOptions } from '../../src/filters/contract.ts';

const FOLDER = new URL('../../filters/', import.meta.url);

export const SHIPPED: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

/** A shipped filter for the options of a jail; in UTC and in mode normal unless they say otherwise. @throws its faults. */
export function shippedFilter(name: string, options: Partial<FilterOptions> = {}): Filter {
  const file = `filters/${name}.yaml`;
  const { definition, faults } = parseFilter(readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8'), file);
  if (!definition || faults.length > 0) throw new Error(`${file}: ${JSON.stringify(faults)}`);
  const compiled = compileFilter(definition, {
    logFormat: undefined,
    zone: 'UTC',
    mode: 'normal',
    where: undefined,
    except: undefined,
    ...options,
  });
  if (!compiled.ok) throw new Error(`${file}: ${JSON.stringify(compiled.faults)}`);
  return compiled.filter;
}
