// Access logs in JSON: under which keys web servers write what `path`, `status` and the rest are read from. A table.
// Read from the sources and manuals of nginx (with the names of its variables as keys), Caddy 2, Traefik 2 and 3,
// pino-http, and from log formats that are usual with Apache.
import { FORWARDING_VARIABLES } from './forwarded.ts';
import { ADDRESS_VARIABLE, TIME_VARIABLES, isNumericVariable } from './logformat.ts';
import { pathOf, queryOf, splitRequest } from './path.ts';
import { isFixed } from './variables.ts';

/** The first of these paths that has a value, in the line that is open. */
export type FirstOf<L> = (paths: readonly string[]) => (line: L) => string | undefined;

/** What the fields of a record are called, and where in it they stand. */
export interface Vocabulary {
  readonly address: readonly string[];
  readonly time: readonly string[];
  /** Where a forwarding header stands, the most telling first. */
  readonly forwarding: readonly string[];
  /** Fields that every line is asked for, so that filters of one source share what they read. */
  readonly usual: readonly string[];
  /** The names that can be told; any path is one too. */
  readonly names: readonly string[];
  /** Is it the address, as it was read? */
  isAddress(name: string): boolean;
  isNumeric(name: string): boolean;
  /** How a field is read; `first` is told of all paths that it may stand under. */
  reader<L>(name: string, first: FirstOf<L>): (line: L) => string | undefined;
  /** Does the value stand in the line as it is, so that a text in it can be searched for? */
  isVerbatim(name: string): boolean;
}

/**
 * Where the address of who connected stands. Traefik's ClientHost comes after its ClientAddr, because it is the client's own
 * X-Forwarded-For where there is one; so does Caddy's client_ip after its remote_ip.
 */
const ADDRESS = [
  'remote_addr',
  'request.remote_ip',
  'ClientAddr',
  'req.remoteAddress',
  'remoteAddress',
  'remote_ip',
  'remoteIP',
  'remoteIp',
  'remoteAddr',
  'remote_host',
  'remoteHost',
  'remote_address',
  'request.remote_addr',
  'request.client_ip',
  'ClientHost',
  'client_ip',
  'clientIp',
  'clientip',
  'client_addr',
  'client',
  'ip',
];

const TIME = [
  'msec',
  'time_iso8601',
  'time_local',
  'ts',
  'time',
  'timestamp',
  '@timestamp',
  'StartUTC',
  'datetime',
  'date',
  't',
];

const METHOD = ['request_method', 'request.method', 'RequestMethod', 'req.method', 'method', 'http_method'];
/** The target as it was sent. */
const TARGET = ['request_uri', 'request.uri', 'RequestPath', 'req.url', 'requestURI', 'requestUri'];
/** The target as well, or what the server made of it: behind the request line itself. */
const RESOLVED_TARGET = ['url', 'uri', 'path', 'request_path'];
/** `GET /login HTTP/1.1`; in Apache's formats often the path alone. */
const LINE = ['request', 'request_line', 'requestLine'];
const QUERY = ['args', 'query_string', 'query', 'queryString'];
const PROTOCOL = ['server_protocol', 'request.proto', 'RequestProtocol', 'protocol', 'proto'];

/** The fields that are read as they stand. */
const PLAIN: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'status',
    [
      'status',
      'DownstreamStatus',
      'res.statusCode',
      'statusCode',
      'status_code',
      'response.status',
      'OriginStatus',
    ],
  ],
  ['user', ['remote_user', 'user_id', 'ClientUsername', 'remoteUser', 'user', 'username']],
  ['host', ['host', 'http_host', 'request.host', 'RequestHost', 'req.headers.host', 'vhost', 'server_name']],
  [
    'bytes',
    [
      'body_bytes_sent',
      'bytes_sent',
      'size',
      'DownstreamContentSize',
      'bytes',
      'bytesSent',
      'res.headers.content-length',
    ],
  ],
  ['referer', [...headerPaths('referer'), 'referer', 'referrer']],
  ['user_agent', [...headerPaths('user_agent'), 'user_agent', 'userAgent', 'agent']],
]);

/** Forwarding headers, where services log them as headers. */
export const FORWARDING_PATHS: readonly string[] = FORWARDING_VARIABLES.flatMap((name) =>
  name.startsWith('http_') ? headerPaths(name.slice('http_'.length)) : [name],
);

/** nginx's names for fields. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['remote_addr', 'ip'],
  ['remote_user', 'user'],
  ['http_referer', 'referer'],
  ['http_user_agent', 'user_agent'],
  ['body_bytes_sent', 'bytes'],
  ['request_method', 'method'],
  ['server_protocol', 'protocol'],
]);

const NAMES = ['ip', 'method', 'path', 'query', 'protocol', 'request', 'request_uri', ...PLAIN.keys()];

/** What is read of each line, because nearly every filter asks for it. */
const USUAL = ['method', 'path', 'status'];

/** The names of access logs, for lines in JSON under the usual keys. */
export function accessVocabulary(): Vocabulary {
  // Traefik's ClientHost is the header where there is one.
  return vocabularyOf((paths) => paths, ADDRESS, TIME, [...FORWARDING_PATHS, 'ClientHost']);
}

/**
 * The same for lines of an nginx `log_format escape=json {…}`, in which the format itself tells what is under which key.
 * @returns why not, where it can't be told.
 */
export function templateVocabulary(
  template: string,
): { ok: true; vocabulary: Vocabulary } | { ok: false; message: string; hint?: string } {
  const refuse = (message: string, hint?: string) =>
    ({ ok: false, message, ...(hint === undefined ? {} : { hint }) }) as const;
  const { json, bare } = withMarks(template);
  const open = bare.find(
    (name) => !isFixed(name) && !isNumericVariable(name) && !name.startsWith('upstream_'),
  );
  if (open !== undefined)
    return refuse(
      `in the log format $${open} stands without quotes, so that a client can make the line unreadable`,
      `write "$${open}"`,
    );
  const read = objectIn(json);
  if (read === undefined)
    return refuse(
      'what the log format with escape=json writes is not a JSON object',
      'write {"key":"$variable", …}, or use the default escaping',
    );
  const paths = new Map<string, string>();
  collect(read, [], paths);
  const ofVariables = (names: readonly string[]): string[] => names.flatMap((name) => paths.get(name) ?? []);
  const address = ofVariables([ADDRESS_VARIABLE]);
  if (address.length === 0)
    return refuse(
      'the log format has no $remote_addr as a value of its own, so that no line names a client',
      'put "remote_addr":"$remote_addr" into it',
    );
  const times = ofVariables(TIME_VARIABLES);
  const vocabulary = vocabularyOf(ofVariables, address, times, ofVariables(FORWARDING_VARIABLES));
  return { ok: true, vocabulary };
}

function vocabularyOf(
  placed: (paths: readonly string[]) => readonly string[],
  address: readonly string[],
  time: readonly string[],
  forwarding: readonly string[],
): Vocabulary {
  return {
    address,
    time,
    forwarding,
    usual: USUAL,
    names: NAMES,
    isAddress: (name) => (ALIASES.get(name) ?? name) === 'ip',
    isNumeric: (name) => isNumericVariable(name) || !isTextual(name),
    isVerbatim: (name) => name === 'method' || name === 'request_method' || name === 'status',
    reader<L>(name: string, firstOf: FirstOf<L>) {
      const first = (paths: readonly string[]): Get<L> => {
        const read = firstOf(placed(paths));
        return (line) => orNothing(read(line));
      };
      const field = ALIASES.get(name) ?? name;
      return derived(field, first) ?? first(PLAIN.get(field) ?? [...headerPathsOf(field), field]);
    },
  };
}

type Get<L> = (line: L) => string | undefined;

/** What is made of the request line or of its parts, whichever of them stand in the record. */
function derived<L>(field: string, first: (paths: readonly string[]) => Get<L>): Get<L> | undefined {
  switch (field) {
    case 'method':
      return partOf('method', METHOD, first);
    case 'protocol':
      return partOf('protocol', PROTOCOL, first);
    case 'request_uri':
      return targetOf(first);
    case 'path': {
      const target = targetOf(first);
      return (line) => pathOf(target(line) ?? '');
    }
    case 'query': {
      const [query, target] = [first(QUERY), targetOf(first)];
      // Apache's %q begins with the mark.
      return (line) => orNothing(query(line)?.replace(/^\?/, '') ?? queryOf(target(line) ?? ''));
    }
    case 'request': {
      const whole = first(LINE);
      const parts = [partOf('method', METHOD, first), targetOf(first), partOf('protocol', PROTOCOL, first)];
      return (line) => {
        const own = whole(line);
        if (own !== undefined && pathIn(own) === undefined) return own;
        const values = parts.map((part) => part(line)).filter((part) => part !== undefined);
        return orNothing(values.join(' '));
      };
    }
    default:
      return undefined;
  }
}

function partOf<L>(
  part: 'method' | 'protocol',
  paths: readonly string[],
  first: (paths: readonly string[]) => Get<L>,
): Get<L> {
  const [own, whole] = [first(paths), first(LINE)];
  return (line) => own(line) ?? orNothing(splitRequest(whole(line) ?? '')[part]);
}

function targetOf<L>(first: (paths: readonly string[]) => Get<L>): Get<L> {
  const [sent, whole, resolved] = [first(TARGET), first(LINE), first(RESOLVED_TARGET)];
  return (line) => {
    const own = sent(line);
    if (own !== undefined) return own;
    const request = whole(line) ?? '';
    return orNothing(splitRequest(request).target) ?? pathIn(request) ?? resolved(line);
  };
}

/** What is compared as text, whatever it looks like. */
function isTextual(name: string): boolean {
  return NAMES.includes(name) || ALIASES.has(name) || name.startsWith('http_');
}

function headerPathsOf(variable: string): string[] {
  return variable.startsWith('http_') ? headerPaths(variable.slice(5)) : [];
}

/** Where a request's header stands, by the name that nginx has for it: `x_forwarded_for`. */
function headerPaths(name: string): string[] {
  const words = name.split('_');
  const canonical = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('-');
  return [
    `http_${name}`,
    `request.headers.${canonical}.0`,
    `request_${canonical}`,
    `req.headers.${words.join('-')}`,
  ];
}

function orNothing(value: string | undefined): string | undefined {
  return value === '' || value === '-' ? undefined : value;
}

function pathIn(line: string): string | undefined {
  return line.startsWith('/') ? line : undefined;
}

// ── escape=json ──────────────────────────────────────────────────────────────────────────────────────────────────

const ONLY_A_VARIABLE = /^\u0001(\w+)\u0001$/;

/** The format with each variable as a text that JSON takes, and the variables that stand outside of quotes. */
function withMarks(template: string): { json: string; bare: string[] } {
  const bare: string[] = [];
  let isQuoted = false;
  const json = template.replace(
    /\\.|"|\$\{(\w+)\}|\$(\w+)|\u0001/g,
    (found, braced?: string, plain?: string) => {
      if (found === '"') isQuoted = !isQuoted;
      const name = braced ?? plain;
      if (name === undefined) return found;
      if (!isQuoted) bare.push(name);
      const mark = `\\u0001${name}\\u0001`;
      return isQuoted ? mark : `"${mark}"`;
    },
  );
  return { json, bare };
}

function objectIn(json: string): object | undefined {
  try {
    const read: unknown = JSON.parse(json);
    return typeof read === 'object' && read !== null ? read : undefined;
  } catch {
    return undefined;
  }
}

/** By variable the path at which it is the whole value. */
function collect(value: unknown, path: readonly string[], into: Map<string, string>): void {
  if (typeof value === 'string') {
    const name = ONLY_A_VARIABLE.exec(value)?.[1];
    if (name !== undefined && !into.has(name)) into.set(name, path.join('.'));
  } else if (typeof value === 'object' && value !== null)
    for (const [key, member] of Object.entries(value)) collect(member, [...path, key], into);
}
