// The routes of one socket. Paths hold no parameters, so that a table finds them; requests and answers are Node's own, not the
// web's `Request` and `Response`, with which Node loads a whole web client (docs/decisions/0060).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BailiffError } from '../errors.ts';
import type { Log } from '../ports.ts';
import { nearest } from '../text.ts';
import type { Control, Role } from './contract.ts';
import type { Route } from './route.ts';
import { createStreams } from './streams.ts';
import type { Streams, Subscribe } from './streams.ts';
import { createTurns } from './turns.ts';
import { createCheck, readJson, readQuery } from './validate.ts';
import { answer, createIntake } from './wire.ts';

/** Answers one request. It never throws: what goes wrong is answered. */
export type App = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/** Bytes of all the bodies that one socket has in hand: 256 connections may each send a sixteenth of the largest. */
const IN_HAND = 16 * 1024 * 1024;
/** Cost of a round of the event loop, and of a request besides its body: some forty single reports, or two or three hundred of a batch. */
const A_ROUND = 16 * 1024;
const A_REQUEST = 256;

/** The application that serves `role`. Every answer is JSON; a fault is `{code, message, …facts}`. */
export function createApp(
  control: Control,
  role: Role,
  routes: readonly Route[],
  log: Log,
  streams: Streams = createStreams(role, log),
): App {
  const intake = createIntake(IN_HAND);
  const turns = createTurns(A_ROUND);
  const checked = routes.map((route) => ({
    ...route,
    checkQuery: createCheck(route.query, 'query'),
    checkBody: createCheck(route.body, 'body'),
  }));
  const byPath = Map.groupBy(checked, (each) => each.path);

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    // Browsers alone send an Origin, and no page has any business here, whatever proxy it came through.
    if (incoming.headers.origin !== undefined)
      throw new BailiffError(
        'E_NOT_PERMITTED',
        'requests with an Origin header are refused: no browser may come here',
      );
    const { path, search } = targetOf(incoming);
    const here = byPath.get(path);
    if (!here) throw unknownRoute(path, routes);
    // HEAD asks what GET would answer.
    const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
    const route = here.find((each) => each.method === method);
    if (!route) {
      const allowed = here.map((each) => each.method);
      throw new BailiffError('E_METHOD', `${path} takes ${allowed.join(', ')}`, { allowed });
    }
    if (!route.roles.includes(role))
      throw new BailiffError(
        'E_NOT_PERMITTED',
        `${method} ${path} is served on ${route.roles.map((each) => `${each}.sock`).join(' and ')} only`,
      );
    const query = route.checkQuery(readQuery(search));
    await intake.receive(incoming, async (sent, size) => {
      await turns.take(A_REQUEST + size);
      const body = route.checkBody(readJson(sent, incoming.headers['content-type']));
      if (route.streams && incoming.method === 'HEAD')
        return void outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).end();
      const header = (name: string): string | undefined => [incoming.headers[name]].flat()[0];
      const stream = (subscribe: Subscribe): void => streams.open(subscribe, outgoing);
      const value = await route.handle({ control, role, query, body, routes, header, stream });
      if (!route.streams) answer(incoming, outgoing, 200, value);
    });
  }

  return async (incoming, outgoing) => {
    try {
      await serve(incoming, outgoing);
    } catch (error) {
      refuse(incoming, outgoing, error, log);
    }
  };
}

/** What a request asks for. @throws BailiffError E_USAGE for what is no address of a resource. */
function targetOf({ url = '' }: IncomingMessage): {
  readonly path: string;
  readonly search: URLSearchParams;
} {
  // Whoever writes a host before the path means nothing by it on a unix socket. `URL` would take \\ for a slash.
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const parsed = /^\/[^\\]*$/.test(path) ? URL.parse(`http://bailiff${target}`) : null;
  if (!parsed) throw new BailiffError('E_USAGE', 'what is asked for is no path');
  return { path: decoded(parsed.pathname), search: parsed.searchParams };
}

/** A path with its escapes read, as far as they are UTF-8. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, error: unknown, log: Log): void {
  const path = incoming.url;
  if (error instanceof BailiffError) {
    const { code, message, facts } = error;
    if (error.http >= 500) log.warn({ code, message, path }, 'request failed');
    const { allowed } = facts;
    const more = Array.isArray(allowed) ? { allow: allowed.join(', ') } : undefined;
    return answer(incoming, outgoing, error.http, { ...facts, code, message }, more);
  }
  log.error({ err: error, method: incoming.method, path }, 'request met a defect');
  answer(incoming, outgoing, 500, {
    code: 'E_INTERNAL',
    message: 'a promise inside Bailiff was broken; its log tells more, and a report of it is welcome',
  });
}

function unknownRoute(path: string, routes: readonly Route[]): BailiffError {
  const near = nearest(
    path,
    routes.map((route) => route.path),
  );
  const hint = near === undefined ? 'GET /v1/openapi.json lists all' : `did you mean ${near}?`;
  return new BailiffError('E_UNKNOWN_ROUTE', `there is no ${path}; ${hint}`, { path });
}
