// In: the path of jails.json, the names of the filters that exist; the path of an allow list.
// Out: a checked Config with every value filled in, or all faults at once, each with file, line and column.
// Never: compiles a filter, resolves a name, looks at a log, or lets a file's faults become an exception.
export { readAllowFile } from './allow.ts';
export { CONFIG_CODES } from './codes.ts';
export { loadConfig, readJailNames } from './load.ts';
export type { Loaded } from './load.ts';
export type { Origin } from './origin.ts';
export { checkOwnership } from './ownership.ts';
export type { Trusted } from './ownership.ts';
