// docs/errors.md from the catalogue and docs/http.md from the route table. Pure: the same tables give the same pages.
import { CATALOGUE, EXIT_MEANS } from '../errors.ts';
import { SUN_PATH } from './contract.ts';
import type { Fields, Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { BODY_LIMIT } from './wire.ts';

const MADE = '<!-- Made by `npm run generate`. Edit the table that it is made from, not this page. -->';

/** docs/errors.md: every code that Bailiff raises on purpose. */
export function errorsPage(): string {
  const rows = Object.entries(CATALOGUE).map(([code, { exit, http, when }]) => [
    `\`${code}\``,
    exit,
    http,
    when,
  ]);
  return page([
    '# Errors',
    'Every fault has a code that stays the same from one version to the next. On the command line it is one sentence on standard error and an exit status; on a socket it is `{code, message, …facts}` and an HTTP status.',
    table(['Code', 'Exit', 'HTTP', 'When'], rows),
    '## Exit statuses',
    table(['Status', 'Means'], EXIT_MEANS),
  ]);
}

/** docs/http.md: every route of the sockets. */
export function httpPage(routes: readonly Route[] = ROUTES): string {
  return page([
    '# HTTP on the sockets',
    'HTTP/1.1 with JSON on three unix sockets in the runtime folder (`/run/bailiff` unless `--runtime` says otherwise):',
    [
      '- `control.sock`, mode 0600: every route.',
      "- `status.sock`, mode 0660 and the service's group (`run --status-group`): reads without hostile text.",
      '- `report.sock`, mode 0660 and a group of its own (`run --report-group`): reports by applications, and nothing else ([reports.md](reports.md)).',
    ].join('\n'),
    'What one socket puts up with is its own: 64 connections (256 on `report.sock`; one more is closed at once), eight unanswered requests on each, headers of 16 KiB within ten seconds and the whole request within twenty, a minute without a byte, and 16 MiB of bodies at a time (then 503, `E_BUSY`). Each round of the event loop works on so much of a socket and no more: a crowd on one holds up neither the others nor the logs. Whoever closes his end of a connection before the answer gets none.',
    '```\ncurl --unix-socket /run/bailiff/status.sock http://bailiff/v1/status\n```',
    'Answers have the shapes that `--json` prints; `GET /v1/openapi.json` has them all as an OpenAPI 3.1 document. Instants are ISO 8601 in UTC, durations are seconds, null for no end. Lists that can grow come as `{items, next}`: hand `next` back as `after` until it is null.',
    `Faults are \`{code, message, …facts}\` with a fitting status; [errors.md](errors.md) lists the codes. Refused are what is no HTTP (400, 413, 431), requests that are not whole in time (408), bodies over ${BODY_LIMIT} bytes (413), bodies that are not \`application/json\` (400), unknown keys in a body or a query (400), unknown routes (404), other methods (405), routes that belong to another socket (403), and requests with an \`Origin\` header, which only browsers send (403). Who is refused before his body has come may send two MiB more within a second, and is cut off then. A socket path holds at most ${SUN_PATH} bytes.`,
    table(
      ['Route', 'Sockets', 'Query', 'Body', 'What it does'],
      routes.map((route) => [
        `\`${route.method} ${route.path}\``,
        route.roles.join(', '),
        names(route.query),
        names(route.body),
        route.summary,
      ]),
    ),
    'What stands with a question mark may be left out.',
  ]);
}

function names(fields: Fields): string {
  const all = Object.entries(fields).map(
    ([name, schema]) => `\`${name}${schema.type === 'optional' ? '?' : ''}\``,
  );
  return all.length === 0 ? '–' : all.join(', ');
}

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function page(parts: readonly string[]): string {
  return `${[parts[0], MADE, ...parts.slice(1)].join('\n\n')}\n`;
}
