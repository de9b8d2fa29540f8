// The config in force: read anew, kept, or changed until the next time.
import * as v from 'valibot';
import { durationField, jailField } from '../fields.ts';
import { route } from '../route.ts';

const jailsField = v.pipe(v.array(jailField), v.nonEmpty(), v.maxLength(1_000));

export const configRoutes = [
  route({
    method: 'POST',
    path: '/v1/reload',
    roles: ['control'],
    summary:
      'Reads the config anew and puts it in force in one step. A faulty one is refused with every fault in `faults`, and the one before stays.',
    query: {},
    body: {
      confirm: v.optional(
        v.pipe(
          durationField,
          v.description('The config before comes back after this time, unless `/v1/confirm` is called.'),
        ),
      ),
      release: v.optional(
        v.pipe(
          v.boolean(),
          v.description('Lift the bans of jails that are gone; else they stay until they end.'),
        ),
      ),
    },
    answers: 'ReloadView',
    handle: ({ control, body }) => control.reload(body),
  }),
  route({
    method: 'POST',
    path: '/v1/confirm',
    roles: ['control'],
    summary: 'The config of the last reload stays.',
    query: {},
    body: {},
    answers: 'ConfirmView',
    handle: ({ control }) => control.confirm(),
  }),
  route({
    method: 'POST',
    path: '/v1/jails/enable',
    roles: ['control'],
    summary: 'Puts jails in session until the next reload, and those whose brake has tripped back in force.',
    query: {},
    body: { jails: jailsField },
    answers: 'JailSwitches',
    handle: ({ control, body }) => control.enable(body.jails),
  }),
  route({
    method: 'POST',
    path: '/v1/jails/disable',
    roles: ['control'],
    summary: 'Takes jails out of session until the next reload. Their bans stay.',
    query: {},
    body: { jails: jailsField },
    answers: 'JailSwitches',
    handle: ({ control, body }) => control.disable(body.jails),
  }),
];
