// In: paths and globs, match terms of the journal, standard input; the positions that the ledger knows. Out: chunks of whole
// lines, each with the position after it; every line of every file and of the journal once and in order, whatever rotation
// and crashes do.
// It never looks into a line (stamps are asked for at a first sight only), writes nothing, and forgets nothing itself.
export { createSources } from './sources.ts';
export { createInput, INPUT } from './input.ts';
export { createJournals } from './journals.ts';
export { joinSources } from './joined.ts';
export type { JoinedSources } from './joined.ts';
export { readWhole } from './whole.ts';
