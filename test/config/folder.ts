// A temporary folder with a jails.json and what stands beside it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Loaded } from '../../src/config/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import type { Config, JailConfig } from '../../src/config/contract.ts';
import type { Fault } from '../../src/errors.ts';

export const FILTERS = new Set(['sshd', 'nginx-auth', 'nginx-login', 'nginx-api']);

export interface Folder extends Disposable {
  readonly path: string;
  /** Writes a file, and the folders above it. @returns its path. */
  write(name: string, content: string | Uint8Array): string;
  /** Writes jails.json (a value as JSON) and loads it. */
  load(main: unknown): Loaded;
  /** Loads a config that must be without faults. */
  config(main: unknown): Config;
  /** Loads a config with this one jail, which must be without faults. */
  jail(keys: object, defaults?: object): JailConfig;
}

export function createFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  const write: Folder['write'] = (name, content) => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
  const load: Folder['load'] = (main) => {
    const content = typeof main === 'string' || main instanceof Uint8Array ? main : JSON.stringify(main);
    return loadConfig(write('jails.json', content), { filters: FILTERS });
  };
  const config: Folder['config'] = (main) => {
    const { config: loaded, faults } = load(main);
    if (!loaded) throw new Error(`the config has faults: ${JSON.stringify(faults)}`);
    return loaded;
  };
  return {
    path,
    write,
    load,
    config,
    jail: (keys, defaults = {}) =>
      config({ defaults, jails: { j: { filter: 'sshd', logs: ['/var/log/auth.log'], ...keys } } }).jails[0]!,
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

/** `jails.json:3:5 E_CONFIG_TYPE`: where, within the folder, and what. */
export function briefly(folder: Folder, faults: readonly Fault[]): string[] {
  return faults.map(
    ({ code, file, line, column }) => `${file.slice(folder.path.length + 1)}:${line}:${column} ${code}`,
  );
}

/** Takes the mark » out of a text. @returns the text, and the line and column where the mark stood. */
export function unmark(marked: string): { text: string; place: string } {
  const [before, after] = marked.split('»') as [string, string];
  const lines = before.split('\n');
  return { text: before + after, place: `${lines.length}:${lines.at(-1)!.length + 1}` };
}
