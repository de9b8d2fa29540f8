// The ways in which a log format is written down: a name, nginx's log_format, Apache's LogFormat → its pieces, each with
// what is known of how far it goes. What the server makes is of known characters; everything else a client may fill.
import { nearest } from '../text.ts';
import { APACHE_FIELDS, APACHE_HEADERS } from './apache.ts';
import { byteSet } from './bytes.ts';
import type { ByteSet } from './bytes.ts';
import { extentOf } from './variables.ts';
import type { Extent } from './variables.ts';

/** What the server writes instead of a quote that a client sent: `\x22` or `\"`, `#22`, or the quote itself. */
export type Escaping = 'backslash' | 'hash' | 'none';

export interface Variable {
  readonly name: string;
  /** As the format has it: `$remote_addr`, `%h`. */
  readonly written: string;
  readonly extent: Extent;
}

/** Fixed text (latin1) or a variable. */
export type Piece = string | Variable;

export type ReadFormat =
  | { readonly ok: true; readonly pieces: readonly Piece[]; readonly escaping: Escaping }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

const NGINX_COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
/** What the names of log formats stand for; Apache's `common` and `combined` are the same lines as nginx's. */
const NAMED: Readonly<Record<string, () => ReadFormat>> = {
  combined: () => readNginx(NGINX_COMBINED),
  common: () => readNginx('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'),
  vhost_combined: () => readApache('%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'),
  haproxy: readHaproxy,
  traefik: readTraefik,
};

/** The names that a log format may have. */
export const FORMAT_NAMES: readonly string[] = Object.keys(NAMED);

export function readFormat(written: string): ReadFormat {
  const text = written.trim();
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named) return named();
  const escape = /^escape=(\w+)\s+/.exec(text);
  if (escape && escape[1] !== 'default') return refuseEscape(escape[1]!);
  if (text.includes('$')) return readNginx(unquoted(escape ? text.slice(escape[0].length) : text));
  if (/%[!<>\d,]*(?:\{[^}]*\})?[A-Za-z]/.test(text)) return readApache(text);
  const near = nearest(text, FORMAT_NAMES);
  return refuse(
    `${JSON.stringify(text)} is neither the name of a log format (${FORMAT_NAMES.join(', ')}, json) nor the text of nginx's log_format or Apache's LogFormat`,
    near === undefined ? undefined : `did you mean "${near}"?`,
  );
}

function refuse(message: string, hint?: string): ReadFormat {
  return { ok: false, message, ...(hint === undefined ? {} : { hint }) };
}

function refuseEscape(escape: string): ReadFormat {
  if (escape === 'none')
    return refuse(
      'with escape=none a client can write quotes and whole fields into the line',
      'use the default escaping',
    );
  return refuse(`escape=${escape} is not one of nginx's`, 'use the default escaping');
}

// ── nginx ────────────────────────────────────────────────────────────────────────────────────────────────────────

function readNginx(text: string): ReadFormat {
  const pieces = text
    .split(/(\$\{\w+\}|\$\w+)/)
    .filter((part) => part !== '')
    .map((part): Piece => {
      const name = /^\$\{?(\w+)\}?$/.exec(part)?.[1];
      return name === undefined ? toBytes(part) : { name, written: `$${name}`, extent: extentOf(name) };
    });
  return { ok: true, pieces, escaping: 'backslash' };
}

/** `'$remote_addr …' '"$request" …'`: the texts of a log_format as they stand in nginx's config, put together. */
function unquoted(text: string): string {
  if (!/^(?:'(?:[^'\\]|\\.)*'\s*)+;?$/.test(text)) return text;
  return [...text.matchAll(/'((?:[^'\\]|\\.)*)'/g)]
    .map(([, part]) => part!.replace(/\\(['"\\])/g, '$1'))
    .join('');
}

// ── Apache ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Read from mod_log_config.c of Apache 2.4: which directives there are, and that all of a client's text is escaped. */
function readApache(written: string): ReadFormat {
  const text = /^LogFormat\s+"((?:[^"\\]|\\.)*)"(?:\s+\S+)?$/.exec(written)?.[1] ?? written;
  const directives = /%(?:%|(?:!?\d{3}(?:,\d{3})*|[<>])*(?:\{([^}]*)\})?(\^t[io]|[A-Za-z]))/g;
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(directives)) {
    const [directive, argument, letter] = found;
    const read = letter === undefined ? ['%'] : apachePieces(letter, argument, directive);
    if (!read)
      return refuse(
        `Apache's ${directive} is not read`,
        letter === 't' ? 'of times, %t, %{sec}t, %{msec}t and %{usec}t are read' : undefined,
      );
    pieces.push(...literalOf(text.slice(from, found.index)), ...read);
    from = found.index + directive.length;
  }
  pieces.push(...literalOf(text.slice(from)));
  return { ok: true, pieces: joined(pieces), escaping: 'backslash' };
}

function apachePieces(letter: string, argument: string | undefined, written: string): Piece[] | undefined {
  const variable = (name: string, extent: Extent): Variable => ({ name, written, extent });
  if (letter === 'l') return ['-'];
  if (letter === 't' && argument === undefined)
    return ['[', variable('time_local', extentOf('time_local')), ']'];
  const prefix = APACHE_HEADERS[letter];
  if (prefix !== undefined && argument === undefined) return undefined;
  const name =
    prefix === undefined
      ? APACHE_FIELDS[letter]?.[argument ?? '']
      : prefix + argument!.toLowerCase().replace(/\W/g, '_');
  if (name === undefined) return undefined;
  const isChosen = prefix !== undefined || APACHE_CHOSEN.has(name);
  return [variable(name, isChosen ? FREE : extentOf(name))];
}

const FREE: Extent = { kind: 'free' };
/** Of nginx's variables with the same meaning these are of known characters there, but not with Apache. */
const APACHE_CHOSEN: ReadonlySet<string> = new Set(['host', 'uri']);

/** As Apache's config has it: `\"` is a quote. */
function literalOf(text: string): Piece[] {
  const plain = text.replace(/\\([\\"nt])/g, (_, mark: string) =>
    mark === 'n' ? '\n' : mark === 't' ? '\t' : mark,
  );
  return plain === '' ? [] : [toBytes(plain)];
}

function joined(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const last = whole.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') whole[whole.length - 1] = last + piece;
    else whole.push(piece);
  }
  return whole;
}

// ── HAProxy ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `option httplog`, as log.c of HAProxy 2 and 3 has it: quotes, `#` and what isn't printable are written as `#22`. Names of
 * proxies and servers are the administrator's, but for `<NOSRV>` and the like. What stands before the request are counters
 * and captured headers. (A captured cookie is written as it came: with a quote in it, a client hides his own request.)
 */
function readHaproxy(): ReadFormat {
  const name: Extent = { kind: 'run', characters: charactersOf(/[\w.:<>~-]/) };
  const counters: Extent = { kind: 'run', characters: charactersOf(/[\d/+-]/) };
  return {
    ok: true,
    escaping: 'hash',
    pieces: [
      ...[field('remote_addr'), ':', field('remote_port'), ' [', field('accept_date'), '] '],
      ...[field('frontend', name), ' ', field('backend', name), '/', field('server', name), ' '],
      ...[field('timers', counters), ' ', field('status'), ' ', field('bytes_read', counters), ' '],
      ...[field('details', FREE), ' "', field('request', FREE), '"'],
    ],
  };
}

// ── Traefik ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The common log form of Traefik 2 and 3 (accesslog/logger_formatters.go). It escapes nothing. A client's address stands
 * before all that he chooses; but with a quote in the name that he gives for Basic authentication, or over HTTP/2 in a
 * query, he may misstate his own stamp and status. Traefik's JSON has no such holes.
 */
function readTraefik(): ReadFormat {
  return {
    ok: true,
    escaping: 'none',
    pieces: [
      ...[field('remote_addr'), ' - ', field('remote_user'), ' [', field('time_local'), '] "'],
      ...[field('request', FREE), '" ', field('status'), ' ', field('body_bytes_sent'), ' "'],
      ...[
        field('http_referer', FREE),
        '" "',
        field('http_user_agent', FREE),
        '" ',
        field('request_count'),
        ' "',
      ],
      ...[field('router', FREE), '" "', field('service_url', FREE), '" ', field('request_time_ms'), 'ms'],
    ],
  };
}

function field(name: string, extent: Extent = extentOf(name)): Variable {
  return { name, written: `$${name}`, extent };
}

function charactersOf(pattern: RegExp): ByteSet {
  const members = Array.from({ length: 256 }, (_, code) => code).filter((code) =>
    pattern.test(String.fromCharCode(code)),
  );
  return byteSet(members.map((code) => [code, code] as const));
}

function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
