// Match terms of the journal, as journalctl takes them: `FIELD=value`, and `+` between groups of them.

/**
 * Fields that journald writes itself, but that tell no program from another, or that a user may choose: the name of a
 * program, and of a unit of his own manager.
 */
const TELLS_NOTHING =
  /^_(?:TRANSPORT=(?!kernel$|audit$|driver$)|(?:HOSTNAME|MACHINE_ID|BOOT_ID|RUNTIME_SCOPE|COMM|CMDLINE|STREAM_ID|SYSTEMD_(?:USER_UNIT|USER_SLICE|SLICE))=)/;

/** The same terms in another order are the same source: they come out alike. */
export function settleTerms(terms: readonly string[]): string[] {
  const groups = groupsOf(terms).map((group) => [...new Set(group)].toSorted());
  const byText = new Map(groups.map((group) => [group.join('\0'), group]));
  return [...byText]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group], i) => (i === 0 ? group : ['+', ...group]));
}

/** May any local user write entries that match? Only of fields that begin with `_` journald says who wrote them. */
export function isForgeable(terms: readonly string[]): boolean {
  return groupsOf(terms).some(
    (group) => !group.some((term) => term.startsWith('_') && !TELLS_NOTHING.test(term)),
  );
}

function groupsOf(terms: readonly string[]): string[][] {
  if (terms.length === 0) return [];
  const groups: string[][] = [[]];
  for (const term of terms)
    if (term === '+') groups.push([]);
    else groups.at(-1)!.push(term);
  return groups;
}
