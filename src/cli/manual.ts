// docs/man/bailiff.8 and docs/verbs.md, from the same table as the help. Pure, and imported by bin/generate.ts and the
// tests alone.
import { EXIT_MEANS } from '../errors.ts';
import { bold, italic, paragraphs, section, tagged, verbatim } from '../roff.ts';
import { ENVIRONMENT, FILES, PURPOSE } from './globals.ts';
import type { ArgumentTerm, OptionTerm, Surface, VerbTerm } from './surface.ts';

const DURATIONS =
  'Durations are written as `90` or `90s`, `10m`, `1h30m`, `1d`, `1w` or `forever`. Addresses are `192.0.2.7` or `2001:db8::1`, networks `192.0.2.0/24` or `2001:db8::/64`.';
const OUTPUT =
  'Results go to standard output: tables on a terminal, columns separated by tabs elsewhere, JSON with `--json`. Errors go to standard error, each one sentence with what to do next.';
const ABOUT =
  'The daemon is `bailiff run`; every other verb asks it over its sockets, or works without one and says so. Options stand before the verb or after it.';

const EXAMPLES: readonly (readonly [says: string, command: string])[] = [
  ['Is the config sound, and does every filter prove itself?', 'bailiff check'],
  ['Whom would it have banned last week?', 'bailiff replay /var/log/auth.log.1 /var/log/auth.log'],
  ['Why is this address banned?', 'bailiff history 192.0.2.7'],
  ['Let it in again.', 'bailiff unban 192.0.2.7'],
  ['Which value holds, and who wrote it?', 'bailiff config show sshd'],
  ['What does the daemon complain of?', 'bailiff logs --level warn --follow'],
];

/** docs/verbs.md, whole. */
export function verbsPage({ globals, verbs }: Surface): string {
  return `${[
    '# Verbs',
    '<!-- Made from the table of verbs (src/cli/verbs.ts) by `npm run generate`. Change it there. -->',
    `${ABOUT} ${OUTPUT} ${DURATIONS}`,
    '`bailiff VERB --help` tells the same; so does the man page, bailiff(8).',
    '## Options of every verb',
    terms(globals),
    ...verbs.flatMap((verb) => [
      `## ${verb.name}`,
      `\`\`\`text\n${synopsis(verb)}\n\`\`\``,
      `${capital(verb.summary)}.`,
      ...(verb.arguments.length + verb.options.length > 0
        ? [terms([...verb.arguments, ...verb.options])]
        : []),
      ...detailsOf(verb).map((part) => (part.isVerbatim ? `\`\`\`text\n${part.text}\n\`\`\`` : part.text)),
    ]),
    '## Exit statuses',
    EXIT_MEANS.map(([status, means]) => `- ${status}: ${means}`).join('\n'),
    '## Environment',
    ENVIRONMENT.map(([name, says]) => `- \`${name}\`: ${says}.`).join('\n'),
    '## Files',
    FILES.map(([path, holds]) => `- \`${path}\`: ${holds}.`).join('\n'),
  ].join('\n\n')}\n`;
}

/** docs/man/bailiff.8, whole. */
export function manualPage({ globals, verbs }: Surface, version: string): string {
  return [
    '.\\" Made from the table of verbs (src/cli/verbs.ts) by "npm run generate". Change it there.\n',
    `.TH BAILIFF 8 "" "Bailiff ${version}" "System administration"\n`,
    '.nh\n.ad l\n',
    section('SH', 'NAME'),
    `bailiff \\- ${PURPOSE.replace(/^F/, 'f').replace(/\.$/, '')}\n`,
    section('SH', 'SYNOPSIS'),
    `${bold('bailiff')} [${italic('options')}] ${italic('verb')} [${italic('argument')} ...]\n`,
    section('SH', 'DESCRIPTION'),
    paragraphs(`${ABOUT} ${OUTPUT}`, DURATIONS),
    section('SH', 'OPTIONS'),
    ...globals.map(taggedTerm),
    section('SH', 'VERBS'),
    ...verbs.flatMap((verb) => [
      section('SS', synopsis(verb).replace('bailiff ', '')),
      paragraphs(`${capital(verb.summary)}.`),
      ...[...verb.arguments, ...verb.options].map(taggedTerm),
      ...detailsOf(verb).map(({ text, isVerbatim }) => (isVerbatim ? verbatim(text) : paragraphs(text))),
    ]),
    section('SH', 'EXIT STATUS'),
    ...EXIT_MEANS.map(([status, means]) => tagged(bold(String(status)), means)),
    section('SH', 'ENVIRONMENT'),
    ...ENVIRONMENT.map(([name, says]) => tagged(bold(name), `${capital(says)}.`)),
    section('SH', 'FILES'),
    ...FILES.map(([path, holds]) => tagged(italic(path), `${capital(holds)}.`)),
    section('SH', 'EXAMPLES'),
    ...EXAMPLES.map(([says, command]) => paragraphs(says) + verbatim(command)),
    section('SH', 'SEE ALSO'),
    `${bold('jails.json')}(5), ${bold('nft')}(8), ${bold('iptables')}(8), ${bold('journalctl')}(1)\n`,
  ].join('');
}

function synopsis({ name, arguments: args, options }: VerbTerm): string {
  return [
    'bailiff',
    name,
    ...(options.length > 0 ? ['[options]'] : []),
    ...args.map(({ term }) => term),
  ].join(' ');
}

type Said = Pick<OptionTerm | ArgumentTerm, 'term' | 'summary'>;

function terms(all: readonly Said[]): string {
  return all.map(({ term, summary }) => `- \`${term}\`: ${summary}`).join('\n');
}

/** Names in bold, what stands for something in italics: `--jail <name>`, `[jail]`, `-f, --follow`. */
function taggedTerm({ term, summary }: Said): string {
  const parts = term.split(/(<[^>]+>|\[[^\]]+\]|, )/).map((part) => {
    if (part === ', ') return part;
    const inner = /^[<[](.*?)(\.\.\.)?[\]>]$/.exec(part);
    if (!inner) return part.trim() === '' ? part : bold(part.trim()) + (part.endsWith(' ') ? ' ' : '');
    const shown = italic(inner[1]!) + (inner[2] === undefined ? '' : ' ...');
    return part.startsWith('[') ? `[${shown}]` : shown;
  });
  // As in the help, without a capital: it may begin with a word that is to be typed.
  return tagged(parts.join(''), summary);
}

interface Part {
  readonly text: string;
  /** Its lines are laid out: columns, commands. */
  readonly isVerbatim: boolean;
}

/** Lines with columns stay as they are; the others are one paragraph. */
function detailsOf({ details }: VerbTerm): Part[] {
  const parts: Part[] = [];
  for (const line of details?.split('\n') ?? []) {
    const isVerbatim = / {2,}/.test(line);
    const last = parts.at(-1);
    if (last?.isVerbatim !== isVerbatim) parts.push({ text: line, isVerbatim });
    else parts[parts.length - 1] = { text: `${last.text}${isVerbatim ? '\n' : ' '}${line}`, isVerbatim };
  }
  return parts;
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
