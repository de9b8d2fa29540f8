// How long it takes from the reading of a line that bans to the kernel's answer.
import type { StatusView } from '../../api/contract.ts';
import type { Duration, Network } from '../../model.ts';
import type { Clock } from '../../ports.ts';

/** The last bans that are remembered, and those that may wait for the kernel at a time: more are not measured. */
const SAMPLES = 1_000;
const MOST_WAITING = 10_000;

export interface Latency {
  /** @param readAt when the deciding line was read, by the monotonic clock. The first of several counts. */
  decided(network: Network, readAt: Duration): void;
  /** The kernel has it. */
  blocked(network: Network): void;
  /** There is nothing more to wait for, whatever became of them. */
  settled(networks: Iterable<Network>): void;
  view(): NonNullable<StatusView['latency']>;
}

export function createLatency(clock: Clock): Latency {
  const waiting = new Map<string, Duration>();
  const samples: Duration[] = [];
  let next = 0;
  return {
    decided({ text }, readAt) {
      if (waiting.size < MOST_WAITING && !waiting.has(text)) waiting.set(text, readAt);
    },
    blocked(network) {
      // After a start a hundred thousand, of which none was decided just now.
      if (waiting.size === 0) return;
      const { text } = network;
      const readAt = waiting.get(text);
      if (readAt === undefined) return;
      waiting.delete(text);
      samples[next++ % SAMPLES] = clock.monotonic() - readAt;
    },
    settled(networks) {
      if (waiting.size > 0) for (const { text } of networks) waiting.delete(text);
    },
    view() {
      const sorted = samples.toSorted((a, b) => a - b);
      // The nearest rank: the least sample that so many in a hundred do not exceed.
      const at = (share: number): number | null => {
        const sample = sorted[Math.ceil(sorted.length * share) - 1];
        return sample === undefined ? null : Math.round(sample * 1_000) / 1_000_000;
      };
      return { bans: sorted.length, median: at(0.5), p99: at(0.99) };
    },
  };
}
