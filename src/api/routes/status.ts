// Is it alive, does it work, does it keep up.
import { route } from '../route.ts';

export const statusRoutes = [
  route({
    method: 'GET',
    path: '/v1/ping',
    roles: ['status', 'control'],
    summary: 'Is the daemon alive.',
    query: {},
    body: {},
    answers: 'Alive',
    handle: async ({ control }) => control.ping(),
  }),
  route({
    method: 'GET',
    path: '/v1/status',
    roles: ['status', 'control'],
    summary:
      'Is it working, is it keeping up, what is it not seeing. Commits first, so that `caughtUp` speaks for everything that was there at the call.',
    query: {},
    body: {},
    answers: 'StatusView',
    handle: ({ control }) => control.status(),
  }),
];
