// Unix sockets and the folder that they stand in: who may open them, and what may already be there.
import { chmodSync, chownSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { BailiffError, reasonOf } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import { checkSocketPath } from './paths.ts';

export interface SocketAccess {
  readonly mode: number;
  /** undefined: the group that the process has. */
  readonly group: number | undefined;
}

/**
 * Makes the folder with mode 0711: everyone may reach a socket in it, whose own mode then decides; nobody may list it.
 * A folder that is there already and holds other things keeps its mode.
 * @throws BailiffError E_NOT_PERMITTED where it can't be made, or where others could swap the sockets in it.
 */
export function prepareFolder(folder: string): void {
  try {
    const isMade = makeFolder(folder, 0o711);
    const stats = lstatSync(folder);
    const why = whyUnsafe(stats);
    if (why !== undefined)
      throw new BailiffError('E_NOT_PERMITTED', `the folder ${folder} ${why}; name another with --runtime`, {
        folder,
      });
    const ours = ['control.sock', 'status.sock', 'report.sock'];
    const isOurs = isMade || readdirSync(folder).every((name) => ours.includes(name));
    if (isOurs && stats.uid === process.geteuid!()) chmodSync(folder, 0o711);
  } catch (error) {
    if (error instanceof BailiffError) throw error;
    const why = reasonOf(error);
    throw new BailiffError(
      'E_NOT_PERMITTED',
      `the folder ${folder} for the sockets can't be made or used (${why}); run as root or name another with --runtime`,
      { folder, why },
      error,
    );
  }
}

/**
 * Opens a unix socket that nobody else can open before it has its group and mode.
 * A socket file that no one answers on any more is replaced.
 * @throws BailiffError E_SOCKET_PATH, E_ALREADY_RUNNING, E_NOT_PERMITTED.
 */
export async function listen(server: Server, path: string, access: SocketAccess): Promise<void> {
  checkSocketPath(path);
  await clearStale(path);
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // The file is made within this very call. With the usual mask anyone could connect until chmod came.
  const mask = process.umask(0o177);
  try {
    server.listen({ path, backlog: 128 });
  } finally {
    process.umask(mask);
  }
  try {
    await listening;
    if (access.group !== undefined) chownSync(path, -1, access.group);
    chmodSync(path, access.mode);
  } catch (error) {
    const why = reasonOf(error);
    if (why === 'EADDRINUSE') throw alreadyRunning(path);
    throw new BailiffError(
      'E_NOT_PERMITTED',
      `the socket ${path} can't be opened (${why}); run as root`,
      { path, why },
      error,
    );
  }
}

/** Removes what a dead daemon left behind. */
async function clearStale(path: string): Promise<void> {
  let stats: Stats;
  try {
    stats = lstatSync(path);
  } catch {
    return; // nothing there, or nothing that we can see: listen() will say
  }
  if (!stats.isSocket())
    throw new BailiffError('E_SOCKET_PATH', `${path} is in the way and is no socket; move it away`, { path });
  if (await isAnswered(path)) throw alreadyRunning(path);
  try {
    unlinkSync(path);
  } catch (error) {
    // Gone by itself is what we wanted; anything else shows as EADDRINUSE in a moment.
    if (reasonOf(error) !== 'ENOENT') return;
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only ECONNREFUSED proves that no one listens: a full backlog (EAGAIN) and EACCES are signs of life.
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(reasonOf(error))));
  });
}

function alreadyRunning(path: string): BailiffError {
  return new BailiffError(
    'E_ALREADY_RUNNING',
    `another daemon answers on ${path}; stop it first, or name another folder with --runtime`,
    { path },
  );
}

function whyUnsafe(stats: Stats): string | undefined {
  if (!stats.isDirectory()) return 'is no folder (or a symbolic link to one)';
  const self = process.geteuid!();
  if (stats.uid !== self && stats.uid !== 0 && self !== 0) return 'belongs to someone else';
  const isSticky = (stats.mode & 0o1000) !== 0;
  if ((stats.mode & 0o002) !== 0 && !isSticky) return 'may be written by everyone';
  if ((stats.mode & 0o020) !== 0 && !isSticky && stats.gid !== process.getegid!())
    return 'may be written by its group';
  return undefined;
}
