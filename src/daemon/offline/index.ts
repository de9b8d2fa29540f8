// What a verb does with a config and no daemon: a door of its own, so that such a verb loads neither ledger, sockets nor
// firewall. In: a Setup, logs or lines. Out: what the pipeline would have said. It changes nothing anywhere.
export { createHost } from '../host/host.ts';
export type { Host } from '../host/host.ts';
export { listLoggedIn } from '../host/logged-in.ts';
export { explain } from './explain.ts';
export type { Explanation } from './explain.ts';
export { replay } from './replay.ts';
export type { ReplayResult } from './replay.ts';
export { testFilter } from './test-filter.ts';
export type { MissedLine, TestedMatch } from './test-filter.ts';
