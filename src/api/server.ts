// Three HTTP servers, one a role, each with its own cap on connections: a crowd on status.sock can't shut control.sock.
import { createServer as createHttpServer } from 'node:http';
import type { Server as HttpServer, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Log } from '../ports.ts';
import { createApp } from './app.ts';
import type { Control, Role } from './contract.ts';
import { refuseMalformed } from './malformed.ts';
import { checkSocketPath, socketPath } from './paths.ts';
import { ROUTES } from './routes.ts';
import { listen, prepareFolder } from './sockets.ts';
import type { SocketAccess } from './sockets.ts';
import { createStreams, STREAM_LIMITS } from './streams.ts';
import type { StreamLimits } from './streams.ts';

export interface ServerOptions {
  /** Where the sockets stand; made with mode 0711 where it doesn't exist. */
  readonly folder: string;
  /** Who may open status.sock besides its owner: a group's number. undefined: the group that the process has. */
  readonly statusGroup?: number;
  /** Who may open report.sock besides its owner: a group's number. undefined: root's group where that is the process's, else nobody. */
  readonly reportGroup?: number | undefined;
  readonly version: string;
  /** How much one socket puts up with; for tests. */
  readonly limits?: Partial<Limits>;
}

/** Times in milliseconds. */
export interface Limits extends StreamLimits {
  /** Connections of one socket; one more is closed at once. */
  readonly connections: number;
  /** From the opening of a connection, or the first byte of a request, to the end of its headers. */
  readonly headers: number;
  /** The same to the end of its body. */
  readonly request: number;
  /** Without a byte in either direction. */
  readonly silence: number;
  /** How often `headers` and `request` are looked at. */
  readonly interval: number;
  /** How long answers may take to reach their clients once the server closes. */
  readonly grace: number;
}

export interface ServerPorts {
  readonly log: Log;
}

export interface Server {
  /** Takes no more requests, lets those in work be answered, then closes every connection. Harmless when called again. */
  close(): Promise<void>;
  /** The sockets, by their absolute paths. */
  readonly paths: string[];
}

const LIMITS: Limits = {
  ...STREAM_LIMITS,
  connections: 64,
  headers: 10_000,
  request: 20_000,
  silence: 60_000,
  interval: 5_000,
  grace: 2_000,
};

/** Requests that a connection may send before the first of them is answered. Clients send one; more would gather here. */
const PIPELINED = 8;

/** Opens all sockets. See `createServer` of the room for what it throws. */
export async function createServer(
  control: Control,
  options: ServerOptions,
  ports: ServerPorts,
): Promise<Server> {
  const limits = { ...LIMITS, ...options.limits };
  const roles: Role[] = ['control', 'status', 'report'];
  const paths = roles.map((role) => socketPath(options.folder, role));
  paths.forEach(checkSocketPath);
  prepareFolder(options.folder);
  const servers: Serving[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    for (const role of roles) {
      const serving = serve(control, role, options.version, limits, ports.log);
      // Kept before it listens: what fails half-way is closed as well.
      servers.push(serving);
      await listen(serving.http, socketPath(options.folder, role), accessOf(role, options));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { paths, close };
}

function accessOf(role: Role, { statusGroup, reportGroup }: ServerOptions): SocketAccess {
  switch (role) {
    case 'control':
      return { mode: 0o600, group: undefined };
    case 'status':
      return { mode: 0o660, group: statusGroup };
    case 'report': {
      // The process's own group may see; who may see must not report. Root's group may do anything in any case.
      const isOpen = reportGroup !== undefined || process.getegid!() === 0;
      return { mode: isOpen ? 0o660 : 0o600, group: reportGroup };
    }
  }
}

interface Serving {
  readonly http: HttpServer;
  close(): Promise<void>;
}

function serve(control: Control, role: Role, version: string, limits: Limits, log: Log): Serving {
  const streams = createStreams(role, log, limits);
  const answer = createApp(control, role, ROUTES, log, streams);
  const inWork = new Set<ServerResponse>();
  const unanswered = new WeakMap<Socket, number>();
  let closing: Promise<void> | undefined;

  const http = createHttpServer(
    {
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      connectionsCheckingInterval: limits.interval,
      keepAliveTimeout: 5_000,
      requireHostHeader: false,
    },
    (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return;
      const before = unanswered.get(socket) ?? 0;
      if (before >= PIPELINED) {
        log.warn({ socket: role, limit: PIPELINED }, 'connection cut off: it waits for no answer');
        return void socket.destroy();
      }
      unanswered.set(socket, before + 1);
      inWork.add(response);
      response.once('close', () => {
        unanswered.set(socket, unanswered.get(socket)! - 1);
        inWork.delete(response);
        if (closing && inWork.size === 0) http.closeAllConnections();
      });
      response.setHeader('server', `bailiff/${version}`);
      void answer(request, response);
    },
  );
  // Each worker of each application may hold a connection to report.sock.
  http.maxConnections = role === 'report' ? limits.connections * 4 : limits.connections;
  http.timeout = limits.silence;
  http.on('drop', () =>
    log.warn({ socket: role, limit: http.maxConnections }, 'connection refused: too many'),
  );

  http.on('clientError', (error, socket) => {
    const isAnswering = [...inWork].some((response) => response.socket === socket && response.headersSent);
    refuseMalformed(error, socket, isAnswering);
  });

  const shut = async (): Promise<void> => {
    // Not http's own close(): it cuts connections whose answer was given and is still on its way.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(http, () => resolve()));
    streams.close();
    if (inWork.size === 0) http.closeAllConnections();
    // A client that doesn't take its answer must not hold up the end.
    const impatience = setTimeout(() => http.closeAllConnections(), limits.grace);
    await closed;
    clearTimeout(impatience);
    http.close(); // what is left of it: the check on slow requests
  };
  return {
    http,
    close() {
      closing ??= shut();
      return closing;
    },
  };
}
