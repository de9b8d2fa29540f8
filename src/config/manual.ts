// docs/man/jails.json.5: the reference page as a man page, so that no key can be missing from either. Only bin/generate.ts
// and the tests import this file.
import { bold, paragraphs, section, tagged, verbatim } from '../roff.ts';
import { referencePage } from './reference.ts';

const EXAMPLE = `{
  "defaults": { "maxRetry": 5, "findTime": "10m" },
  "allow": ["198.51.100.0/24"],
  "jails": {
    "sshd": { "filter": "sshd", "logs": ["/var/log/auth.log"], "ports": [22] }
  }
}`;

export function manualPage(version: string): string {
  // The head of the page and the remark that it is made stand here in roff's own words.
  const [introduction = '', ...sections] = referencePage()
    .replace(/^# .*\n+<!--[^]*?-->\n+/, '')
    .split(/^## /m);
  return [
    '.\\" Made from src/config/schema.ts by "npm run generate". Change it there.\n',
    `.TH JAILS.JSON 5 "" "Bailiff ${version}" "File formats"\n`,
    '.nh\n.ad l\n',
    section('SH', 'NAME'),
    'jails.json \\- the configuration of bailiff\n',
    section('SH', 'SYNOPSIS'),
    `${bold('/etc/bailiff/jails.json')}\n`,
    section('SH', 'DESCRIPTION'),
    paragraphs(...blocksOf(introduction)),
    ...sections.flatMap((text) => {
      const [title = '', ...rest] = text.split('\n');
      return [section('SH', title.toUpperCase()), ...rest.join('\n').split(/^### /m).map(entry)];
    }),
    section('SH', 'EXAMPLE'),
    verbatim(EXAMPLE),
    section('SH', 'SEE ALSO'),
    `${bold('bailiff')}(8)\n`,
  ].join('');
}

/** What stands before the first key of a section, or one key: its name, what it does, and a line of facts each. */
function entry(text: string, at: number): string {
  if (at === 0) return blocksOf(text).map(block).join('');
  const [name = '', ...rest] = text.split('\n');
  const [says = '', ...facts] = blocksOf(rest.join('\n')).flatMap((each) =>
    each.split(/^- /m).filter(Boolean),
  );
  const told = facts.map((fact) => `.br\n${paragraphs(loose(fact.trim())).replace('.PP\n', '')}`);
  return tagged(bold(name), says) + told.join('');
}

/** A default in JSON may be longer than a line: it may be broken behind its commas. */
function loose(fact: string): string {
  return fact.replaceAll(',"', ', "');
}

function block(text: string): string {
  if (!text.startsWith('- ')) return paragraphs(text);
  const items = text.split(/^- /m).filter(Boolean);
  return items
    .map((item) => {
      const [, term = '', says = ''] = /^`([^`]+)`: ([^]*)$/.exec(item.trim()) ?? [];
      return tagged(bold(term), says);
    })
    .join('');
}

function blocksOf(text: string): string[] {
  return text
    .split(/\n{2,}/)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
