// The routes of a socket, asked over a real connection, without the daemon around them.
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { once } from 'node:events';
import type { App } from '../../src/api/app.ts';

const servers = new WeakMap<App, { readonly server: Server; readonly path: string }>();
let made = 0;

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends one request and waits for the whole answer. What serves it keeps no process alive. */
export async function ask(
  app: App,
  path: string,
  { method = 'GET', headers, body }: Asked = {},
): Promise<Answered> {
  // Node says it of its own accord only with some methods.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const sent = request({
    ...{ socketPath: await serve(app), path, method, agent: false },
    headers: { ...length, ...headers },
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer) text += piece as string;
  const told = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return { status: answer.statusCode!, headers: new Headers(told), text };
}

async function serve(app: App): Promise<string> {
  const known = servers.get(app);
  if (known) return known.path;
  const server = createServer((incoming, outgoing) => void app(incoming, outgoing)).unref();
  // No file: such a name goes with whoever listens.
  const path = `\0bailiff-app-${process.pid}-${made++}`;
  servers.set(app, { server, path });
  await once(server.listen(path), 'listening');
  return path;
}
