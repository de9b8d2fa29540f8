// The route table as an OpenAPI 3.1 document. Pure.
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import type { Fields, Route } from './route.ts';
import { FaultShape, SHAPES } from './shapes.ts';

/** Describes every route, with the shapes of requests, answers and faults. */
export function describeApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = (paths[route.path] ??= {});
    operations[route.method.toLowerCase()] = operation(route);
  }
  const schemas = Object.entries({ ...SHAPES, Fault: FaultShape }).map(([name, schema]) => [
    name,
    shape(schema),
  ]);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Bailiff',
      version,
      description:
        'HTTP/1.1 with JSON on unix sockets. x-sockets names those that serve a route; docs/errors.md lists the codes.',
    },
    paths,
    components: { schemas: Object.fromEntries(schemas) },
  };
}

function operation(route: Route): Record<string, unknown> {
  const parameters = Object.entries(route.query).map(([name, schema]) => ({
    name,
    in: 'query',
    required: isRequired(schema),
    schema: shape(schema),
  }));
  return {
    summary: route.summary,
    'x-sockets': route.roles.map((role) => `${role}.sock`),
    ...(parameters.length > 0 && { parameters }),
    ...(Object.keys(route.body).length > 0 && {
      requestBody: { required: true, content: json(shape(v.strictObject(route.body))) },
    }),
    responses: {
      200: {
        description: 'Done.',
        content: {
          [route.streams ? 'text/event-stream' : 'application/json']: { schema: reference(route.answers) },
        },
      },
      default: { description: 'A fault.', content: json(reference('Fault')) },
    },
  };
}

function isRequired(schema: Fields[string]): boolean {
  return schema.type !== 'optional';
}

/** What goes in, before it is transformed: that is what a client has to send. */
function shape(schema: Fields[string]): Record<string, unknown> {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode: 'input',
    errorMode: 'ignore',
  });
  return rest;
}

function json(schema: unknown): Record<string, unknown> {
  return { 'application/json': { schema } };
}

function reference(name: string): Record<string, unknown> {
  return { $ref: `#/components/schemas/${name}` };
}
