// What is made from the schema: the JSON Schema for editors, and the reference page. Only bin/generate.ts and the tests
// import this file: the converter is not there where Bailiff is installed.
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { CONFIG_CODES } from './codes.ts';
import type { About } from './values.ts';
import { stepObject, widerObject } from './respond.ts';
import { banTimeObject, configSchema, historySchema, jailSchema, limitsSchema } from './schema.ts';

/** The JSON Schema of jails.json (draft-07). Meant to be written with an indentation of two. */
export function jsonSchema(): object {
  const { $schema, ...schema } = toJsonSchema(configSchema, {
    // What is checked beyond kind and range is told by `bailiff check`; JSON Schema has no words for it.
    ignoreActions: ['check', 'transform'],
    overrideAction: ({ valibotAction, jsonSchema: made }) => {
      if (valibotAction.type !== 'metadata') return undefined;
      // A unit and a default in words are for the reference page.
      const { unit: _unit, otherwise: _otherwise, ...known } = made as Record<string, unknown>;
      return known;
    },
  });
  return { $schema, title: 'The configuration of Bailiff: jails.json', ...schema };
}

/** docs/config.md, whole. */
export function referencePage(): string {
  const { jails: _jails, ...top } = configSchema.entries;
  return `${[
    INTRODUCTION,
    '## The file',
    ...Object.entries(top).map(keySection),
    keySection(['jails', configSchema.entries.jails]),
    '## A jail',
    'The keys of each member of `jails`, and of `defaults`.',
    ...Object.entries(jailSchema.entries).map(keySection),
    '## banTime',
    BAN_TIME,
    ...Object.entries(banTimeObject.entries).map(keySection),
    '## respond',
    RESPOND,
    ...Object.entries(stepObject.entries).map(keySection),
    '## wider',
    WIDER,
    ...Object.entries(widerObject.entries).map(keySection),
    '## history',
    HISTORY,
    ...Object.entries(historySchema.entries).map(keySection),
    '## limits',
    LIMITS,
    ...Object.entries(limitsSchema.entries).map(keySection),
    '## How values are written',
    VALUES,
    '## Faults and warnings',
    CODES,
    ...Object.entries(CONFIG_CODES).map(([code, when]) => `- \`${code}\`: ${when}`),
  ]
    .join('\n\n')
    .replaceAll(/\n\n(?=- `)/g, '\n')
    .replace(`${CODES}\n`, `${CODES}\n\n`)}\n`;
}

const INTRODUCTION = `# jails.json

<!-- Made from src/config/schema.ts by \`npm run generate\`. Change it there. -->

Every key of the configuration, its default and its unit. The file is JSON with comments (\`//\` and \`/* */\`); a comma after the last member is fine. \`bailiff check\` tells every fault in it at once, with file, line and column, and the nearest key that exists. Editors that read \`"$schema": "./jails.schema.json"\` complete and check the keys while one types.

The files \`jails.d/*.json\` beside it are merged over it in the order of their names: objects merge, everything else is replaced, and \`null\` deletes a key. Hidden files there are passed over. An empty file is a fault; \`{}\` is a config without jails, under which bans by hand work.

The file, the folders above it and every list that a \`file:\` names must belong to root or to the user who runs Bailiff, and others must not be able to write them.`;

const BAN_TIME = `The keys of \`banTime\` where it is an object. A jail that sets one of them keeps the others from \`defaults\`. A duration in place of the object means that every ban lasts exactly so long. Of \`first\`, \`factor\` and \`steps\`, what the jail itself says goes before what \`defaults\` says.`;

const RESPOND = `The keys of a step of \`respond\`. \`"drop"\` and \`"reject"\` stand for a step that does that and nothing else. The number of the offence is the one that \`bans\` shows as NTH: \`banTime.forget\` and \`banTime.scope\` hold for it. Where several bans hold for a packet, the severest is what happens to it: drop, then reject, then throttle.`;

const WIDER = `The keys of \`wider\` in a step. \`history\` shows beforehand whom a prefix would hit.`;

const HISTORY = `The keys of \`history\`. An open ban is never forgotten, nor is how often an address was banned while \`banTime.forget\` counts it.`;

const LIMITS = `The keys of \`limits\`. What goes first where there are too many, and what that can't cost, stands in [decision.md](decision.md#when-there-are-too-many).`;

const VALUES = `**Durations** are a number of seconds (\`90\`) or a text: \`"90s"\`, \`"10m"\`, \`"1h30m"\`, \`"1d"\`, \`"1w"\`, \`"500ms"\`, \`"forever"\`. One with an end lasts at most a hundred years.

**Entries of \`allow\` and \`ignore\`** are an address (\`192.0.2.7\`, \`2001:db8::1\`), a network (\`192.0.2.0/24\`; bits beyond the prefix are dropped with a warning), a name with at least one dot (\`office.example.net\`), \`file:\` and the absolute path of a list, or \`self\`. A list has one entry a line; \`#\` begins a comment; it can't name another list.

**Names of jails** have 1 to 64 characters: \`a\` to \`z\`, \`0\` to \`9\`, \`_\`, \`.\` and \`-\`, the first a letter or digit. \`manual\` is taken: bans by hand stand under it.

**Conditions** in \`where\` and \`except\` name a field and say what it must hold: a text, a number, \`true\` or \`false\`, a list of which one must fit, or an object with one or more of \`prefix\`, \`suffix\`, \`contains\`, \`glob\`, \`regex\`, \`in\` (a network) (each a text or a list of texts) and \`present\` (\`true\` or \`false\`). All conditions must hold.

**\`start\` and \`zone\`** belong to the file, not to the jail: where two jails name the same log, they must say the same. A jail that says nothing of \`start\` goes along with the other; one that says nothing of \`zone\` means the host's.`;

const CODES = `A fault keeps Bailiff from starting (exit status 78) and leaves a running one with the config it has. A warning does not.`;

/** What the page needs of a key's schema. */
interface KeySchema {
  readonly wrapped: v.GenericSchema & { readonly message?: unknown };
}

function keySection([name, schema]: [string, KeySchema]): string {
  const about = v.getMetadata(schema.wrapped) as Omit<About, 'says'>;
  const sentence = v.getDescription(schema.wrapped) ?? '';
  const fallback = 'default' in about ? `\`${JSON.stringify(about.default)}\`` : (about.otherwise ?? '');
  const facts = [holds(schema), `default: ${fallback}`];
  if (about.unit !== undefined) facts.push(`unit: ${about.unit}`);
  return `### ${name}\n\n${sentence}\n\n${facts.map((fact) => `- ${fact[0]!.toUpperCase()}${fact.slice(1)}`).join('\n')}`;
}

/** The schema's messages are a code and what is expected; the latter says what the key holds. */
function holds({ wrapped }: KeySchema): string {
  const message = String(wrapped.message);
  return message.slice(message.indexOf(' ') + 1);
}
