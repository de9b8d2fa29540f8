// Every benchmark, in the order in which they run.
import type { Bench } from './lib/bench.ts';
import { bursts, restart } from './suite/bursts.ts';
import { latency } from './suite/latency.ts';
import { everything, selective, shipped } from './suite/access.ts';
import { json, sshd } from './suite/logs.ts';

export const BENCHES: readonly Bench[] = [
  selective,
  shipped,
  everything,
  sshd,
  json,
  latency,
  bursts,
  restart,
];
