// Whether bans are in force at all.
import { addressField } from '../fields.ts';
import { route } from '../route.ts';

export const standingRoutes = [
  route({
    method: 'POST',
    path: '/v1/administrators',
    roles: ['control'],
    summary:
      'An administrator speaks to the daemon from this address: every jail protects it as after a log-in. The CLI says so over ssh.',
    query: {},
    body: { address: addressField },
    answers: 'PresentView',
    handle: ({ control, body }) => control.present(body),
  }),
  route({
    method: 'POST',
    path: '/v1/teardown',
    roles: ['control'],
    summary: 'Takes everything out of the kernel and enforces nothing until it is armed again.',
    query: {},
    body: {},
    answers: 'StandingView',
    handle: ({ control }) => control.teardown(),
  }),
  route({
    method: 'POST',
    path: '/v1/arm',
    roles: ['control'],
    summary: 'Puts enforcement back in force.',
    query: {},
    body: {},
    answers: 'StandingView',
    handle: ({ control }) => control.arm(),
  }),
];
