// A systemd unit as a table, and what of it a test can put in force without systemd.
import { readFileSync } from 'node:fs';

/** Every value that a directive of `[Service]` was given, in order. An empty one takes back those before it. */
export type Unit = ReadonlyMap<string, readonly string[]>;

export function readUnit(file: string): Unit {
  const unit = new Map<string, string[]>();
  let section = '';
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[(\w+)\]$/.exec(line);
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (header) section = header[1]!;
    else if (key === undefined) throw new Error(`${file}: not a directive: ${line}`);
    else if (section === 'Service') unit.set(key, value === '' ? [] : [...(unit.get(key) ?? []), value!]);
  }
  return unit;
}

/** The one value of a directive. @throws where it has none, or several. */
export function valueOf(unit: Unit, key: string): string {
  const values = unit.get(key) ?? [];
  if (values.length !== 1) throw new Error(`${key} has ${values.length} values`);
  return values[0]!;
}

/** All values of a directive, split into words. */
export const wordsOf = (unit: Unit, key: string): string[] =>
  (unit.get(key) ?? []).flatMap((value) => value.split(' '));
