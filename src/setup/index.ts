// In: a config file and filter files. Out: a Setup, jails with compiled and proven filters, ready to run.
// `check`, `replay` and the daemon share it, so that they can't differ.
// It never follows a log, opens the ledger or touches the firewall.
export { answerOf, prepareAside } from './aside.ts';
export type { AskProver, ProverAnswer, ProverTask } from './aside.ts';
export { noProofs, takenAsProven } from './prove.ts';
export type { Proofs } from './prove.ts';
export { costOfLooking } from './cost.ts';
export { formatOfLog } from './formats.ts';
export { compileNamed, describeShelf, openShelf } from './shelf.ts';
export type { Shelf } from './shelf.ts';
export { hasAggressive, showpiece } from '../filters/index.ts';
export type { Described } from '../filters/index.ts';
export { createPlans } from './plan.ts';
export type { Plan, Plans } from './plan.ts';
export { tracesOf } from './traces.ts';
export { prepareSetup, scopeOf } from './prepare.ts';
export type { ReadFrom, ReadyJail, Resolved, Setup, SetupOptions, SetupResult } from './prepare.ts';
