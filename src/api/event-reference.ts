// docs/events.md from the table of events. Pure.
import * as v from 'valibot';
import { EVENTS_REMEMBERED } from './contract.ts';
import { HEAD, KINDS } from './event-shapes.ts';
import { page, table } from './reference.ts';
import { STREAM_LIMITS } from './streams.ts';

/** docs/events.md: every kind of event and its fields. */
export function eventsPage(): string {
  const { readers, backlog, heartbeat } = STREAM_LIMITS;
  return page([
    '# Events',
    '`GET /v1/events` tells what happens, as it happens: server-sent events, each with `id`, `event` (its kind) and `data` (one line of JSON). `bailiff watch` shows them; `bailiff watch --json` prints the `data` of each as a line.',
    '```\ncurl -N --unix-socket /run/bailiff/status.sock "http://bailiff/v1/events?kind=ban&kind=release"\n```',
    'The query filters: `jail`, `kind`, `address` (a network takes in what lies inside it). Each may be repeated: any of its values will do, and all of the keys must hold. An event without a jail is not told to who asks for one; a `gap` always is.',
    'An event is told when it is decided, a moment before it is committed. After a crash the same lines are read again, and what they led to may be told once more: a ban bears the same number both times.',
    `The latest ${EVENTS_REMEMBERED} events are remembered. Who comes back with the last \`id\` that he saw, as the header \`Last-Event-ID\` or as \`after\`, is told what he missed; where that can't be done, a \`gap\` comes first. Without an id, \`last=20\` begins with the latest twenty. Matches are put into words only while someone wants them, and for a minute after.`,
    `One socket takes ${readers} readers; one more gets \`E_TOO_MANY_READERS\`. Who lets ${backlog} events wait is cut off, so that nobody has to wait for him; he may come back with his \`id\`. A comment comes every ${heartbeat / 1_000} seconds as a sign of life.`,
    'What a client wrote stands in the fields marked as hostile text, and only on control.sock: make it printable before you show it.',
    '## Every event',
    fieldTable({ kind: v.pipe(v.string(), v.description('One of the kinds below.')), ...HEAD }),
    ...Object.entries(KINDS).flatMap(([kind, { summary, fields }]) => {
      const { kind: _, ...own } = fields;
      return [`## ${kind}`, summary, fieldTable(own)];
    }),
  ]);
}

function fieldTable(fields: v.ObjectEntries): string {
  const rows = Object.entries(fields).map(([name, schema]) => [
    `\`${name}${unwrap(schema).isOptional ? '?' : ''}\``,
    unwrap(schema).type,
    descriptionOf(schema),
  ]);
  return table(['Field', 'Value', 'Means'], rows);
}

type Schema = v.ObjectEntries[string];

function descriptionOf(schema: Schema): string {
  return v.getDescription(schema) ?? '';
}

/** What a schema takes, in a word. */
function unwrap(schema: Schema): { type: string; isOptional: boolean } {
  const { wrapped, options, item } = schema as Schema & {
    wrapped?: Schema;
    options?: string[];
    item?: Schema;
  };
  switch (schema.type) {
    case 'optional':
      return { type: unwrap(wrapped!).type, isOptional: true };
    case 'nullable':
      return { type: `${unwrap(wrapped!).type} or null`, isOptional: false };
    case 'picklist':
      return { type: options!.map((each) => `\`${each}\``).join(', '), isOptional: false };
    case 'array':
      return { type: `list of ${unwrap(item!).type}s`, isOptional: false };
    case 'record':
      return { type: 'object', isOptional: false };
    default:
      return { type: schema.type === 'string' ? 'text' : schema.type, isOptional: false };
  }
}
