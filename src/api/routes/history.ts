// All that is known of one address. Evidence is hostile text, so this is on control.sock alone.
import * as v from 'valibot';
import { route } from '../route.ts';
import { addressField } from '../fields.ts';

export const historyRoutes = [
  route({
    method: 'GET',
    path: '/v1/history',
    roles: ['control'],
    summary:
      'Bans with their evidence, counts that are running, and what the next ban would be. Evidence is hostile text.',
    query: { address: v.pipe(addressField, v.description('An address or a network.')) },
    body: {},
    answers: 'HistoryView',
    handle: ({ control, query }) => control.history(query.address),
  }),
];
