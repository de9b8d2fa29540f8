// In: paths and globs to follow, the positions that the ledger knows, and the disk. Out: chunks of whole lines, each
// with the position after it; every line of every file once and in order, whatever rotation and crashes do.
// It never looks into a line (stamps are asked for at a first sight only), writes nothing, and forgets nothing itself.
export { createSources } from './sources.ts';
export { readWhole } from './whole.ts';
