// What a route is. The table in routes.ts is read by the server, by the OpenAPI document and by docs/http.md.
import type * as v from 'valibot';
import type { Control, Role } from './contract.ts';
import type { ShapeName } from './shapes.ts';
import type { Subscribe } from './streams.ts';

/** The fields that a query or a body may have; any other is refused. */
export type Fields = v.ObjectEntries;

/** One request, checked. */
export interface Call<Query extends Fields, Body extends Fields> {
  readonly control: Control;
  /** The socket that it came in by. */
  readonly role: Role;
  readonly query: v.InferOutput<v.ObjectSchema<Query, undefined>>;
  readonly body: v.InferOutput<v.ObjectSchema<Body, undefined>>;
  readonly routes: readonly Route[];
  header(name: string): string | undefined;
  /** An answer that goes on: server-sent events until the client goes, or doesn't keep up. */
  stream(subscribe: Subscribe): void;
}

export interface Route<Query extends Fields = Fields, Body extends Fields = Fields> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** The sockets that serve it. */
  readonly roles: readonly Role[];
  readonly summary: string;
  readonly query: Query;
  readonly body: Body;
  /** The shape of its answer. */
  readonly answers: ShapeName;
  /** Is the answer a stream of server-sent events, each of that shape? Then `handle` opens one. */
  readonly streams?: true;
  handle(call: Call<Query, Body>): Promise<unknown>;
}

/** Checks a route's own types, then forgets them so that routes of all kinds fit one table. */
export function route<Query extends Fields, Body extends Fields>(definition: Route<Query, Body>): Route {
  return definition;
}
