// What happens, as it happens.
import * as v from 'valibot';
import { NEWS_KINDS } from '../contract.ts';
import { addressField, jailField } from '../fields.ts';
import { route } from '../route.ts';

/** Values of one key; more are refused. */
const MOST = 100;

/** A key that may stand several times. */
const several = <S extends v.GenericSchema<string>>(one: S, text: string) =>
  v.optional(v.pipe(v.union([one, v.pipe(v.array(one), v.maxLength(MOST))]), v.description(text)));

const listOf = <T>(given: T | T[] | undefined): T[] | undefined =>
  given === undefined ? undefined : ([given].flat() as T[]);

const lastId = v.pipe(v.string(), v.nonEmpty(), v.maxLength(64));

export const eventsRoutes = [
  route({
    method: 'GET',
    path: '/v1/events',
    roles: ['status', 'control'],
    summary:
      'What happens, as it happens: server-sent events, which [events.md](events.md) describes. On status.sock without hostile text.',
    query: {
      jail: several(jailField, 'Events of this jail. May be repeated.'),
      kind: several(v.picklist(NEWS_KINDS), 'Events of this kind. May be repeated.'),
      address: several(
        addressField,
        'Events about this address, or about one inside this network. May be repeated.',
      ),
      after: v.optional(v.pipe(lastId, v.description('As the header `Last-Event-ID`, which wins.'))),
      last: v.optional(
        v.pipe(
          v.string(),
          v.regex(/^\d{1,4}$/),
          v.transform(Number),
          v.description('So many remembered events are told first.'),
        ),
      ),
    },
    body: {},
    answers: 'LiveEvent',
    streams: true,
    async handle({ control, query, header, stream }) {
      const after = header('last-event-id') ?? query.after;
      const jail = listOf(query.jail);
      const kind = listOf(query.kind);
      const address = listOf(query.address);
      return stream((tell) =>
        control.events(
          {
            ...(jail && { jail }),
            ...(kind && { kind }),
            ...(address && { address }),
            ...(after !== undefined && { after }),
            ...(query.last !== undefined && { last: query.last }),
          },
          tell,
        ),
      );
    },
  }),
];
