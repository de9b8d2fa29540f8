// Every benchmark, in the order in which they run.
import type { Bench } from './lib/bench.ts';
import { everything, selective, shipped } from './suite/access.ts';
import { bursts, restart } from './suite/bursts.ts';
import { growth } from './suite/growth.ts';
import { latency } from './suite/latency.ts';
import { hostile, start } from './suite/lines.ts';
import { json, sshd } from './suite/logs.ts';
import { fail2ban, peerLatency } from './suite/peers.ts';
import { idle, memory, status } from './suite/rest.ts';

export const BENCHES: readonly Bench[] = [
  // Whole logs.
  selective,
  shipped,
  everything,
  sshd,
  json,
  fail2ban,
  // From a line to the kernel.
  latency,
  peerLatency,
  bursts,
  restart,
  // What it costs otherwise.
  status,
  idle,
  memory,
  growth,
  hostile,
  start,
];
