// Where the sockets are, and how long their paths may be.
import { join } from 'node:path';
import { BailiffError } from '../errors.ts';
import { SUN_PATH } from './contract.ts';
import type { Role } from './contract.ts';

/** The socket of a role; both stand in the runtime folder. */
export function socketPath(folder: string, role: Role): string {
  return join(folder, `${role}.sock`);
}

/** @throws BailiffError E_SOCKET_PATH when the path doesn't fit the system's address structure. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SUN_PATH) return;
  throw new BailiffError(
    'E_SOCKET_PATH',
    `the socket path ${path} has ${bytes} bytes and the system allows ${SUN_PATH}; name a shorter folder with --runtime`,
    { path, bytes, limit: SUN_PATH },
  );
}
