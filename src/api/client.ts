// The other end of the sockets: `Control` as a client sees it.
import { BailiffError, CATALOGUE, reasonOf } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type {
  AttemptOutcome,
  BanOutcome,
  Control,
  EventsQuery,
  ReportOutcome,
  Role,
  UnbanOutcome,
} from './contract.ts';
import type { EventReader } from './event-client.ts';
import { exchange } from './exchange.ts';
import { checkSocketPath, socketPath } from './paths.ts';

/** The methods of `Control`, each a promise. Over status.sock, what it doesn't serve is E_NOT_PERMITTED. */
export type Client = {
  [Method in keyof Omit<Control, 'events'>]: (
    ...args: Parameters<Control[Method]>
  ) => Promise<Awaited<ReturnType<Control[Method]>>>;
} & {
  /** Resolves when the daemon has begun to tell. Aborting the signal ends it. */
  events(query: EventsQuery, signal: AbortSignal): Promise<EventReader>;
};

/** Milliseconds without a byte after which the daemon counts as not answering. */
const PATIENCE = 30_000;
/** `ping` asks exactly this, so it waits less. */
const PING_PATIENCE = 5_000;
/** Addresses in one request: a query must fit the 16 KiB that a header may have, a body 1 MiB. */
const IN_QUERY = 100;
const IN_BODY = 5_000;
/** Whatever stands in their fields, so many reports fit as well: the longest has some 40 kB, the usual one 200 bytes. */
const REPORTS_IN_BODY = 500;

/**
 * A client of the daemon whose sockets stand in `runtimeFolder`. Nothing is opened before the first call, and each
 * call opens a connection of its own.
 *
 * Every method throws BailiffError: E_NOT_RUNNING where no one answers, E_NOT_PERMITTED where the socket may not be
 * opened, and whatever the daemon itself answered.
 */
export function createClient(runtimeFolder: string, role: Role = 'control'): Client {
  const path = socketPath(runtimeFolder, role);
  const call = async <T>(method: string, route: string, options: Options = {}): Promise<T> => {
    checkSocketPath(path);
    return (await ask(path, method, route, options)) as T;
  };
  return {
    ping: () => call('GET', '/v1/ping', { patience: PING_PATIENCE }),
    status: () => call('GET', '/v1/status'),
    bans: (query) => call('GET', '/v1/bans', { query: { ...query } }),
    async ban(request) {
      const outcomes: BanOutcome[] = [];
      for (const addresses of batches(request.addresses, IN_BODY))
        outcomes.push(...(await call<BanOutcome[]>('POST', '/v1/bans', { body: { ...request, addresses } })));
      return outcomes;
    },
    async unban({ addresses, jail, all }) {
      if (!addresses) return call('DELETE', '/v1/bans', { query: { jail, all } });
      const outcomes: UnbanOutcome[] = [];
      for (const address of batches(addresses, IN_QUERY))
        outcomes.push(...(await call<UnbanOutcome[]>('DELETE', '/v1/bans', { query: { address, jail } })));
      return outcomes;
    },
    history: (address) => call('GET', '/v1/history', { query: { address } }),
    async report({ reports }) {
      const outcomes: ReportOutcome[] = [];
      for (const some of batches(reports, REPORTS_IN_BODY))
        outcomes.push(...(await call<ReportOutcome[]>('POST', '/v1/reports', { body: { reports: some } })));
      return outcomes;
    },
    async attempt({ addresses, jail }) {
      const outcomes: AttemptOutcome[] = [];
      for (const some of batches(addresses, REPORTS_IN_BODY))
        outcomes.push(
          ...(await call<AttemptOutcome[]>('POST', '/v1/attempts', { body: { addresses: some, jail } })),
        );
      return outcomes;
    },
    async events(query, signal) {
      checkSocketPath(path);
      const { readEvents } = await import('./event-client.ts');
      const { after: _, last, ...filters } = query;
      const asked = search({ ...filters, ...(last !== undefined && { last: String(last) }) });
      return readEvents(path, `/v1/events${asked}`, query, signal, {
        unreachable: (error) => unreachable(path, error),
        refused: (status, text) => readAnswer(path, status, text),
      });
    },
    present: (request) => call('POST', '/v1/administrators', { body: request }),
    teardown: () => call('POST', '/v1/teardown'),
    arm: () => call('POST', '/v1/arm'),
    reload: (request) => call('POST', '/v1/reload', { body: request }),
    confirm: () => call('POST', '/v1/confirm'),
    enable: (jails) => call('POST', '/v1/jails/enable', { body: { jails } }),
    disable: (jails) => call('POST', '/v1/jails/disable', { body: { jails } }),
    log: (query, signal) => call('GET', '/v1/log', { query: { ...query }, signal }),
  };
}

interface Options {
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  readonly body?: unknown;
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

async function ask(path: string, method: string, route: string, options: Options): Promise<unknown> {
  const { query = {}, body, patience = PATIENCE, signal } = options;
  const asked = {
    ...{ method, route: route + search(query), patience, signal },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
  try {
    const { status, text } = await exchange(path, asked, () => silent(path, patience));
    return readAnswer(path, status, text);
  } catch (error) {
    throw error instanceof Error ? unreachable(path, error) : error;
  }
}

function search(query: NonNullable<Options['query']>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) for (const each of [value].flat()) parameters.append(key, String(each));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

function readAnswer(path: string, status: number, text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new BailiffError(
      'E_NOT_RUNNING',
      `what answers on ${path} is no Bailiff: it sent no JSON`,
      { path },
      error,
    );
  }
  if (status >= 200 && status < 300) return answer;
  const { code, message, ...facts } = answer as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(CATALOGUE, code);
  throw new BailiffError(
    known ? (code as ErrorCode) : 'E_INTERNAL',
    typeof message === 'string' ? message : `the daemon answered with status ${status}`,
    facts,
  );
}

function silent(path: string, patience: number): BailiffError {
  return new BailiffError(
    'E_NOT_RUNNING',
    `the daemon on ${path} has been silent for ${patience / 1_000} s; look at its log, and restart it if it hangs`,
    { path },
  );
}

function unreachable(path: string, error: Error): BailiffError {
  if (error instanceof BailiffError) return error;
  const why = reasonOf(error);
  if (why === 'EACCES' || why === 'EPERM')
    return new BailiffError(
      'E_NOT_PERMITTED',
      `you may not open ${path}; try again as root${path.endsWith('/control.sock') ? '' : " or as a member of the socket's group"}`,
      { path },
      error,
    );
  if (why === 'ENOENT' || why === 'ECONNREFUSED' || why === 'ENOTDIR')
    return new BailiffError(
      'E_NOT_RUNNING',
      `the daemon does not answer on ${path}; start it with "bailiff run", or name its folder with --runtime`,
      { path },
      error,
    );
  return new BailiffError(
    'E_NOT_RUNNING',
    `the daemon on ${path} broke off without an answer (${why}); try again, and look at its log`,
    { path, why },
    error,
  );
}

function batches<T>(items: readonly T[], size: number): T[][] {
  const all: T[][] = [];
  for (let at = 0; at < items.length; at += size) all.push(items.slice(at, at + size));
  return all;
}
