// The API, described in OpenAPI 3.1 from the very table that serves it.
import { route } from '../route.ts';

export const openapiRoutes = [
  route({
    method: 'GET',
    path: '/v1/openapi.json',
    roles: ['status', 'control'],
    summary: 'This description.',
    query: {},
    body: {},
    answers: 'OpenApi',
    async handle({ control, routes }) {
      // Asked for once in a blue moon: its libraries are loaded by the first request.
      const { describeApi } = await import('../openapi.ts');
      return describeApi(routes, control.ping().version);
    },
  }),
];
