// The last processes that were started: what the kernel announces of them is no news.

/** What they did is announced within milliseconds. */
const MOST = 32;

export interface RecentPids {
  readonly add: (pid: number) => void;
  readonly has: (pid: number) => boolean;
}

export function createRecentPids(): RecentPids {
  let pids: number[] = [];
  return {
    add: (pid) => void (pids = [...pids, pid].slice(-MOST)),
    has: (pid) => pids.includes(pid),
  };
}
