// The daemon's own log. Its lines quote what the logs say, so this is on control.sock alone.
import * as v from 'valibot';
import { LOG_LEVELS } from '../contract.ts';
import { jailField } from '../fields.ts';
import { route } from '../route.ts';

/** Seconds. A client waits 30 s for an answer, and a connection may be silent for 60 s. */
const LONGEST_WAIT = 20;

const wholeField = v.pipe(
  v.string(),
  v.regex(/^\d{1,15}$/, 'a whole number'),
  v.transform((text) => Number(text)),
);

export const logRoutes = [
  route({
    method: 'GET',
    path: '/v1/log',
    roles: ['control'],
    summary:
      "The daemon's own log, its latest lines, a page at a time, oldest first. With `wait` the answer comes with the next line where there is none yet. Facts may be hostile text.",
    query: {
      level: v.optional(
        v.pipe(v.picklist(LOG_LEVELS), v.description('This level and the more pressing ones.')),
      ),
      jail: v.optional(jailField),
      since: v.optional(v.pipe(v.string(), v.isoTimestamp(), v.description('ISO 8601 in UTC.'))),
      after: v.optional(v.pipe(wholeField, v.description('`next` of the page before, or `last`.'))),
      wait: v.optional(
        v.pipe(
          wholeField,
          v.maxValue(LONGEST_WAIT, `at most ${LONGEST_WAIT}`),
          v.description(`Seconds to wait for a line, at most ${LONGEST_WAIT}.`),
        ),
      ),
    },
    body: {},
    answers: 'LogPage',
    handle: ({ control, query }) => control.log(query),
  }),
];
