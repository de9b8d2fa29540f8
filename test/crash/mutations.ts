// The points of the promise (docs/architecture.md), each broken on purpose. The crash harness must notice every one:
// `node test/crash/mutate.ts` runs them; that each still applies is checked in `npm test`.

export interface Mutation {
  readonly name: string;
  /** The point of the promise that it breaks, 1 to 9. */
  readonly point: number;
  /** From the root of the checkout. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'positions-without-offenders',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: 'await ledger.commit({ ...taken, offenders }, durable);',
    replace: 'await ledger.commit({ ...taken, offenders: offenders.slice(0, 0) }, durable);',
  },
  {
    name: 'offenders-without-positions',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: 'await ledger.commit({ ...taken, offenders }, durable);',
    replace: 'await ledger.commit({ ...taken, offenders, positions: [] }, durable);',
  },
  {
    name: 'positions-in-a-transaction-of-their-own',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: 'await ledger.commit({ ...taken, offenders }, durable);',
    replace: `await ledger.commit({ ...taken, offenders: [], bans: [], events: [] }, durable);
      at('after-commit');
      await ledger.commit({ ...taken, positions: [], offenders }, durable);`,
  },
  {
    name: 'bans-after-their-chunk',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: 'await ledger.commit({ ...taken, offenders }, durable);',
    replace: `await ledger.commit({ ...taken, offenders, bans: [], events: [] }, durable);
      bans.restore(taken);`,
  },
  {
    name: 'log-ins-in-no-commit',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: 'welcomes: logIns.flatMap(({ welcomes }) => welcomes),',
    replace: 'welcomes: [],',
  },
  {
    name: 'brakes-in-no-commit',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: '      ...hints.brakes.takeDirty(),\n',
    replace: '      brakes: [],\n',
  },
  {
    name: 'position-noted-after-the-chunk',
    point: 1,
    file: 'src/daemon/applying.ts',
    find: 'committer.moved(chunk.position);',
    replace: 'setImmediate(() => committer.moved(chunk.position));',
  },
  {
    name: 'reload-forgets-what-is-not-committed',
    point: 1,
    file: 'src/daemon/sitting.ts',
    find: 'offenders: known.offenders(), welcomes',
    replace: 'offenders: remembered(name).offenders, welcomes',
  },
  {
    name: 'reload-commits-positions-alone',
    point: 1,
    file: 'src/daemon/sitting.ts',
    find: 'jail.restore(known.takeDirty());',
    replace: 'known.takeDirty();',
  },
  {
    name: 'journal-position-in-a-transaction-of-its-own',
    point: 1,
    file: 'src/daemon/committer.ts',
    find: 'await ledger.commit({ ...taken, offenders }, durable);',
    replace: `const isJournal = ({ kind }) => kind === 'journal';
      const nothing = Object.fromEntries(Object.keys(taken).map((key) => [key, []]));
      await ledger.commit({ ...nothing, positions: taken.positions.filter(isJournal) }, durable);
      at('after-commit');
      await ledger.commit({ ...taken, positions: taken.positions.filter((each) => !isJournal(each)), offenders }, durable);`,
  },
  {
    name: 'sentence-from-the-clock',
    point: 2,
    file: 'src/daemon/judge.ts',
    find: 'since: verdict.since,',
    replace: 'since: now,',
  },
  {
    name: 'arrival-for-the-stamp',
    point: 2,
    file: 'src/daemon/pipeline.ts',
    find: 'found.at === undefined || isFuture ? chunk.arrivedAt : found.at;',
    replace: 'chunk.arrivedAt;',
  },
  {
    name: 'counting-while-banned',
    point: 3,
    file: 'src/jails/tally.ts',
    find: 'return tally.lastSince <= at && at < tally.lastUntil;',
    replace: 'return false && tally.lastSince <= at;',
  },
  {
    name: 'forgiveness-forgotten',
    point: 3,
    file: 'src/jails/tally.ts',
    find: 'tally.forgivenUntil = offender.forgivenUntil ?? -Infinity;',
    replace: '',
  },
  {
    name: 'boot-does-not-list-the-kernel',
    point: 4,
    file: 'src/daemon/kernel/relisted.ts',
    find: 'if (!held.listed(block)) changed.push(block.network);',
    replace: 'void block;',
  },
  {
    name: 'boot-does-not-tell-the-kernel',
    point: 4,
    file: 'src/daemon/enforcer.ts',
    find: 'await tell(lost ? await everything(await reconcile()) : whatChanged());',
    replace: `if (lost) await reconcile();
      else await tell(whatChanged());`,
  },
  {
    name: 'removals-before-the-backlog',
    point: 4,
    file: 'src/daemon/enforcer.ts',
    find: 'release: !deferred?.has(network.text)',
    replace: 'release: true',
  },
  {
    name: 'failed-commit-is-forgotten',
    point: 5,
    file: 'src/daemon/committer.ts',
    find: '      giveBack(taken);\n',
    replace: '',
  },
  {
    name: 'failed-commit-keeps-positions-only',
    point: 5,
    file: 'src/daemon/committer.ts',
    find: 'jail.restore(dirty.get(jail.rules.name) ?? []);',
    replace: '',
  },
  {
    name: 'failed-commit-loses-bans',
    point: 5,
    file: 'src/daemon/committer.ts',
    find: '    bans.restore(taken);\n',
    replace: '',
  },
  {
    name: 'failed-commit-loses-sessions',
    point: 5,
    file: 'src/daemon/committer.ts',
    find: '    sessions.restore(taken);\n',
    replace: '',
  },
  {
    name: 'failed-commit-loses-log-ins',
    point: 5,
    file: 'src/daemon/committer.ts',
    find: '      jail.welcomes.restore(taken);\n',
    replace: '',
  },
  {
    name: 'rotated-file-is-left',
    point: 6,
    file: 'src/sources/trace.ts',
    find: 'lineage.older.push(lineage.live);',
    replace: '',
  },
  {
    name: 'copies-are-not-looked-for',
    point: 6,
    file: 'src/sources/siblings.ts',
    find: '  ownByContent(registry, lineage, siblings, headOf, owners, places);\n',
    replace: '',
  },
  {
    name: 'missed-rotations-are-skipped',
    point: 6,
    file: 'src/sources/siblings.ts',
    find: 'return siblings.filter((sibling) => missed.includes(sibling));',
    replace: 'return siblings.filter(() => false);',
  },
  {
    name: 'inode-is-proof-enough',
    point: 6,
    file: 'src/sources/trace.ts',
    find: 'if (!isSameFile(idle, file)) continue;',
    replace: 'if (idle.inode !== file.inode) continue;',
  },
  {
    name: 'half-a-line-is-a-line',
    point: 6,
    file: 'src/sources/lines.ts',
    find: 'skipping: boolean, final = false)',
    replace: 'skipping: boolean, final = true)',
  },
  {
    name: 'rest-of-a-long-line-is-a-line',
    point: 6,
    file: 'src/ledger/rows.ts',
    find: "skipping: row['skipping'] === 1,",
    replace: 'skipping: false,',
  },
  {
    name: 'journal-reads-its-last-entry-again',
    point: 6,
    file: 'src/sources/journal.ts',
    find: 'if (isOurs) continue;',
    replace: '',
  },
  {
    name: 'pattern-known-before-its-files',
    point: 7,
    file: 'src/sources/sources.ts',
    find: 'adopt(registry, positions);',
    replace: `adopt(registry, positions);
    for (const { pattern } of watches)
      if (!markers.has(markerOf(pattern))) announced.push(announceMarker(pattern, clock));`,
  },
  {
    name: 'answered-before-it-is-committed',
    point: 8,
    file: 'src/daemon/control.ts',
    find: 'const durable = await committer.commit(true);',
    replace: 'const durable = true;',
  },
  {
    name: 'reports-answered-before-they-are-committed',
    point: 8,
    file: 'src/daemon/reports/reports.ts',
    find: 'const isWritten = await commitTogether();',
    replace: 'const isWritten = true;',
  },
  {
    name: 'reports-without-a-memory',
    point: 8,
    file: 'src/ledger/write.ts',
    find: 'report.run(reportRow(each));',
    replace: 'reportRow(each);',
  },
  {
    name: 'reports-remembered-after-they-are-counted',
    point: 8,
    file: 'src/daemon/committer.ts',
    find: '      ...reports.takeDirty(),\n',
    replace: '      ...(dirtySince === undefined ? { reports: [] } : reports.takeDirty()),\n',
  },
  {
    name: 'sessions-forgotten',
    point: 9,
    file: 'src/daemon/recall.ts',
    find: 'createSessions(remembered.sessions,',
    replace: 'createSessions([],',
  },
  {
    name: 'last-line-forgotten',
    point: 9,
    file: 'src/daemon/recall.ts',
    find: ', remembered.lastLines)',
    replace: ')',
  },
  {
    name: 'brakes-forgotten',
    point: 9,
    file: 'src/daemon/recall.ts',
    find: '    remembered.brakes,\n',
    replace: '    [],\n',
  },
  {
    name: 'log-ins-forgotten',
    point: 9,
    file: 'src/daemon/recall.ts',
    find: 'welcomes: welcomes.get(jail) ?? []',
    replace: 'welcomes: []',
  },
  {
    name: 'waiting-forgotten',
    point: 9,
    file: 'src/ledger/rows.ts',
    find: 'until, waiting ?? null];',
    replace: 'until, null];',
  },
  {
    name: 'sentence-forgotten',
    point: 9,
    file: 'src/jails/tally.ts',
    find: 'tally.lastUntil = offender.lastUntil ?? (isSentenced ? Infinity : -Infinity);',
    replace: 'tally.lastUntil = isSentenced ? -Infinity : -Infinity;',
  },
  {
    name: 'number-of-sentences-forgotten',
    point: 9,
    file: 'src/jails/tally.ts',
    find: '  tally.number(offender.nth, offender.overall ?? offender.nth);\n',
    replace: '',
  },
  {
    name: 'evidence-forgotten',
    point: 9,
    file: 'src/jails/tally.ts',
    find: 'tally.evidence = offender.evidence.slice(-EVIDENCE_LINES);',
    replace: 'tally.evidence = [];',
  },
];

/** @throws where the text stands not exactly once: then the table must follow the code. */
export function applyTo(source: string, { name, file, find, replace }: Mutation): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`mutation ${name}: its text stands ${parts.length - 1} times in ${file}`);
  return parts.join(replace);
}
