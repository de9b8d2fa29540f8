// The routes of one socket as a hono application. It knows nothing of sockets, so tests call it directly.
import { Hono } from 'hono/tiny';
import type { Context } from 'hono';
import { BailiffError } from '../errors.ts';
import type { Log } from '../ports.ts';
import { nearest } from '../text.ts';
import type { Control, Role } from './contract.ts';
import type { Route } from './route.ts';
import { createStreams } from './streams.ts';
import type { Streams, Subscribe } from './streams.ts';
import { createTurns } from './turns.ts';
import { createCheck, readJson, readQuery } from './validate.ts';
import { answer, createIntake, cutOffOf } from './wire.ts';

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
): Hono {
  const app = new Hono();
  const intake = createIntake(IN_HAND);
  const turns = createTurns(A_ROUND);
  app.onError((error, context) => refuse(context, error, log));
  app.notFound((context) => refuse(context, unknownRoute(context.req.path, routes), log));
  app.use(async (context, next) => {
    // Browsers alone send an Origin, and no page has any business here, whatever proxy it came through.
    if (context.req.header('origin') !== undefined)
      throw new BailiffError(
        'E_NOT_PERMITTED',
        'requests with an Origin header are refused: no browser may come here',
      );
    await next();
  });
  const checked = routes.map((route) => ({
    ...route,
    checkQuery: createCheck(route.query, 'query'),
    checkBody: createCheck(route.body, 'body'),
  }));
  for (const [path, here] of Map.groupBy(checked, (each) => each.path)) {
    app.all(path, async (context) => {
      // HEAD asks what GET would answer.
      const method = context.req.method === 'HEAD' ? 'GET' : context.req.method;
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
      const query = route.checkQuery(readQuery(new URL(context.req.url).searchParams));
      return intake.receive(context, async (sent, size) => {
        await turns.take(A_REQUEST + size);
        const body = route.checkBody(readJson(sent, context.req.header('content-type')));
        // hono drops the body of an answer to HEAD: nobody would ever end the stream.
        if (route.streams && context.req.method === 'HEAD')
          return context.body(null, 200, { 'content-type': 'text/event-stream' });
        const header = (name: string): string | undefined => context.req.header(name);
        const stream = (subscribe: Subscribe): Response => streams.open(subscribe, cutOffOf(context));
        const value = await route.handle({ control, role, query, body, routes, header, stream });
        return value instanceof Response ? value : answer(context, 200, value);
      });
    });
  }
  return app;
}

function refuse(context: Context, error: unknown, log: Log): Response {
  if (error instanceof BailiffError) {
    const { code, message, facts } = error;
    if (error.http >= 500) log.warn({ code, message, path: context.req.path }, 'request failed');
    const { allowed } = facts;
    const more = Array.isArray(allowed) ? { allow: allowed.join(', ') } : undefined;
    return answer(context, error.http, { ...facts, code, message }, more);
  }
  log.error({ err: error, method: context.req.method, path: context.req.path }, 'request met a defect');
  return answer(context, 500, {
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
