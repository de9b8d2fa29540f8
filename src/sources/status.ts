// What the sources say of themselves: one row for each watched path with a file, one for each pattern without.
import type { SourceStatus, Watch } from './contract.ts';
import { lagOf } from './follower.ts';
import { openFollowers, type Lineage } from './lineage.ts';

export function statusOf(lineages: Iterable<Lineage>, watches: readonly Watch[]): SourceStatus[] {
  const rows: SourceStatus[] = [];
  const named = new Set<string>();
  for (const lineage of lineages) {
    for (const pattern of lineage.patterns) named.add(pattern);
    // The file is another row's, or a copy of another row's file.
    if (openFollowers(lineage).length === 0 && (lineage.alias || lineage.copyOf?.content)) continue;
    rows.push(rowOf(lineage));
  }
  for (const { pattern } of watches) {
    if (named.has(pattern)) continue;
    named.add(pattern);
    rows.push({
      id: pattern,
      kind: 'file',
      path: pattern,
      state: 'waiting',
      lag: 0,
      lines: 0,
      skipped: 0,
      faults: [],
    });
  }
  return rows;
}

function rowOf(lineage: Lineage): SourceStatus {
  const followers = openFollowers(lineage);
  const { live } = lineage;
  const firstLine = lineage.firstLine ?? (live && !lineage.unplaced ? live.lines + 1 : undefined);
  return {
    id: lineage.source,
    kind: 'file',
    path: lineage.live?.path ?? lineage.source,
    state: stateOf(lineage, followers.length > 0),
    lag: followers.reduce((sum, follower) => sum + lagOf(follower), 0),
    ...(firstLine === undefined ? {} : { firstLine }),
    lines: lineage.lines,
    skipped: lineage.skipped,
    faults: lineage.faults.list(),
  };
}

function stateOf(lineage: Lineage, hasFile: boolean): SourceStatus['state'] {
  if (lineage.blockedBy && !lineage.live) return 'failed';
  if (!hasFile) return 'waiting';
  return lineage.caughtUpOnce ? 'following' : 'catching-up';
}
