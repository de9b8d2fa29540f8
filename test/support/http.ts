// HTTP as a client in a namespace speaks it: single requests by curl, and one connection that is kept open.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Host } from './namespaces.ts';
import { program } from './programs.ts';
import { ended } from './run.ts';

export interface HttpRequest {
  method?: string;
  /** `user:password` for basic authentication. */
  login?: string;
  headers?: Record<string, string>;
  /** Milliseconds until the request counts as unanswered: a dropped packet says nothing. */
  patience?: number;
}

export type HttpAnswer =
  { outcome: 'answered'; status: number; body: string } | { outcome: 'silence' | 'refused' };

/** One request on a connection of its own. */
export async function request(host: Host, url: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const args = [
    ...['--silent', '--globoff', '--noproxy', '*', '--max-time', String((options.patience ?? 5_000) / 1_000)],
    ...['--path-as-is', '--request', options.method ?? 'GET', '--write-out', '\n%{http_code}'],
    ...(options.login === undefined ? [] : ['--user', options.login]),
    ...Object.entries(options.headers ?? {}).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    url,
  ];
  const ran = await host.run(program('curl'), args);
  const CURL = { timeout: 28, couldNotConnect: 7, emptyReply: 52, reset: 56 };
  if (ran.code === 0) {
    const cut = ran.stdout.lastIndexOf('\n');
    return {
      outcome: 'answered',
      status: Number(ran.stdout.slice(cut + 1)),
      body: ran.stdout.slice(0, cut),
    };
  }
  if (ran.code === CURL.timeout) return { outcome: 'silence' };
  if ([CURL.couldNotConnect, CURL.emptyReply, CURL.reset].includes(ran.code ?? -1))
    return { outcome: 'refused' };
  throw new Error(`curl ${url} ended with ${ran.code ?? ran.signal}: ${ran.stderr}`);
}

/** A connection that stays open from request to request. */
export interface KeptConnection {
  /** Asks on the one connection; `silence` where no answer comes within `patience` ms. */
  get(path: string, patience?: number): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Opens a connection from the namespace to `address`, port 80, and keeps it. */
export async function keepConnection(host: Host, address: string): Promise<KeptConnection> {
  const program = fileURLToPath(new URL('./kept-connection.ts', import.meta.url));
  const child = host.spawn(process.execPath, [program, address]);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the kept connection has ended');
    return JSON.parse(value) as unknown;
  };
  await next(); // It says so once it is connected.
  return {
    async get(path, patience = 5_000) {
      child.stdin!.write(`${JSON.stringify({ path, patience })}\n`);
      return (await next()) as HttpAnswer;
    },
    async close() {
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}
