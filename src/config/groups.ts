// Whose group is it? Linux gives each user a group of his own; what that may write, only he may write.

/**
 * Is `gid` the group of `uid` alone? It bears his name, and nobody else is in it, as a member or by his first group.
 * Where user and group stand in no file (a container's bare numbers), equal numbers say so.
 * @param passwd the text of /etc/passwd, and `group` that of /etc/group.
 */
export function isOwnGroup(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  passwd: string,
  group: string,
): boolean {
  const users = rowsOf(passwd);
  const owner = users.find((row) => row[2] === String(uid));
  const own = rowsOf(group).find((row) => row[2] === String(gid));
  if (!owner || !own) return !owner && !own && uid === gid;
  const members = (own[3] ?? '').split(',').filter(Boolean);
  const others = users.filter((row) => row[3] === String(gid) && row[2] !== String(uid));
  return own[0] === owner[0] && others.length === 0 && members.every((name) => name === owner[0]);
}

function rowsOf(text: string): string[][] {
  return text.split('\n').map((line) => line.trim().split(':'));
}
