// In: a `Control`, which the daemon implements; requests on three unix sockets.
// Out: JSON answers in the shapes of contract.ts, and a client that speaks them.
// Never: decides, blocks or remembers anything; shows hostile text on status.sock, or anything but its outcome to a reporter.
import type { Control, Role } from './contract.ts';
import type { Server, ServerOptions, ServerPorts } from './server.ts';

export { createClient, type Client } from './client.ts';

export type { Server, ServerOptions, ServerPorts, Role };

/**
 * Opens `control.sock`, `status.sock` and `report.sock` in `options.folder` and answers on them until closed.
 * The server's libraries are loaded by the first call, so that the client's users don't pay for them.
 * @throws BailiffError E_SOCKET_PATH, E_ALREADY_RUNNING, E_NOT_PERMITTED; then nothing is left open.
 */
export async function createServer(
  control: Control,
  options: ServerOptions,
  ports: ServerPorts,
): Promise<Server> {
  const server = await import('./server.ts');
  return server.createServer(control, options, ports);
}

/** The reference pages that are made from the catalogue, the route table and that of events: path in the checkout → text. */
export async function referencePages(): Promise<Record<string, string>> {
  const [reference, events] = await Promise.all([import('./reference.ts'), import('./event-reference.ts')]);
  return {
    'docs/errors.md': reference.errorsPage(),
    'docs/http.md': reference.httpPage(),
    'docs/events.md': events.eventsPage(),
  };
}
