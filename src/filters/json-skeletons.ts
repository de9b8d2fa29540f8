// What records that a filter takes are made of, so that forgeries can be tried in each field: lines of JSON and logfmt as
// encoders write them, and access logs in JSON as web servers do. It is written without the readers that it tries.
import type { Condition, ConditionTests, Conditions } from '../model.ts';
import { toBytes } from './conditions.ts';
import type { CaseDefinition, FilterDefinition } from './contract.ts';
import { escapedByNginx, skeletonOfFormat, skeletonsOfPattern } from './skeletons.ts';
import type { Piece, Skeleton } from './skeletons.ts';

/** More than these fields of a client's choice, filled with the longest texts, would make a line that nothing reads. */
const MOST_FREE_FIELDS = 6;
const MOST_ADDRESS_FIELDS = 24;
/** Every service logs something like these. */
const CLIENTS_FIELDS = ['user', 'url'];
/** What `yields` names that is no field of the line. */
const OURS: ReadonlySet<string> = new Set(['ip', 'time', 'counts', 'outcome', 'mode']);
const STAMP = '2026-01-05T10:11:12.123Z';

/** What an honest record has in a field: pieces of its text, before the encoder; `bare` as numbers are. */
interface Value {
  readonly pieces: readonly Piece[];
  readonly bare: boolean;
}
type Field = readonly [path: string, value: Value];

/** How a service writes a text into a record: latin1 in, latin1 out, without quotes around it. */
type Encode = (text: string) => string;

/**
 * Records that a case of a filter takes, by several encoders. What conditions leave open, and fields that the filter says
 * nothing of, are a client's.
 * @param isFirst with each of the fields that the address may stand in: that is tried on one case, it is the same for all.
 */
export function skeletonsOfRecord(
  definition: FilterDefinition,
  { where }: CaseDefinition,
  outcome: 'failure' | 'success',
  isFirst: boolean,
): Skeleton[] {
  const addresses = definition.address.slice(0, isFirst ? MOST_ADDRESS_FIELDS : 1);
  const conditions = outcome === 'failure' ? { ...definition.where, ...where } : where;
  const record = (address: string): Field[] => fieldsOf(definition, conditions, address);
  if (definition.layout === 'logfmt')
    return [
      ...addresses.map((address) => logfmtOf(record(address), asGoLogfmt)),
      logfmtOf(record(addresses[0]!), asLogrus),
    ];
  return [
    ...addresses.map((address) => jsonOf(record(address), asJson)),
    jsonOf(record(addresses[0]!), asCarefulJson),
    jsonOf(record(addresses[0]!), asJsonOfBytes),
  ];
}

/** Access logs in JSON as web servers write them, or as the object of an `escape=json` format says. */
export function skeletonsOfJsonAccess(template: string | undefined): Skeleton[] {
  if (template !== undefined) return [ofNginx(template)];
  return [
    ofNginx(NGINX),
    shaped(CADDY, asJson),
    shaped(TRAEFIK, asJson),
    shaped(PINO_HTTP, asJson),
    shaped(APACHE, asApache),
  ];
}

function fieldsOf(definition: FilterDefinition, conditions: Conditions, address: string): Field[] {
  const pinned = Object.entries(conditions).flatMap(([path, condition]): Field[] => {
    const value = path === 'ip' ? undefined : honestValue(condition);
    return value ? [[path, value]] : [];
  });
  const time = definition.time[0] ?? 'time';
  const taken = [...Object.keys(conditions), ...definition.address, time];
  const yielded = [...definition.samples, ...definition.forged].flatMap(({ yields }) =>
    yields === 'none' ? [] : Object.keys(yields),
  );
  const free = [...new Set([...CLIENTS_FIELDS, ...yielded])]
    .filter((path) => !OURS.has(path) && !taken.some((other) => isWithin(path, other)))
    .slice(0, MOST_FREE_FIELDS)
    .map((path): Field => [path, { pieces: [anything], bare: false }]);
  const stamp: Field[] = Object.hasOwn(conditions, time) ? [] : [[time, fixed(STAMP)]];
  // Some of what a client chooses before the address, some behind it.
  return [
    ...stamp,
    ...free.slice(0, 1),
    ...pinned,
    [address, { pieces: [{ kind: 'address' }], bare: false }],
    ...free.slice(1),
  ];
}

/** Would the one be a part of the other? */
function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`) || other.startsWith(`${path}.`);
}

// ── values that conditions demand ────────────────────────────────────────────────────────────────────────────────

const anything: Piece = { kind: 'free', benign: 'x', write: (text) => text };
const something: Piece = { ...anything, write: (text) => (text === '' ? undefined : text) };

/** undefined: the field must not be there, or nothing could be made up that would do. */
function honestValue(condition: Condition): Value | undefined {
  if (typeof condition === 'boolean' || typeof condition === 'number') return fixed(String(condition), true);
  if (typeof condition === 'string') return fixed(honestText(condition), /^\d+-\d+$/.test(condition));
  if (isList(condition)) return honestValue(condition[0]!);
  if (condition.present === false) return undefined;
  const parts = partsOf(condition);
  const isOpen = condition.regex === undefined && condition.glob === undefined && condition.in === undefined;
  if (!isOpen) return fixed(parts.join(''));
  const opensBefore = condition.prefix === undefined;
  const opensBehind = condition.suffix === undefined;
  const pieces: Piece[] = [
    ...(opensBefore && parts.length > 0 ? [anything] : []),
    ...(parts.length > 0 ? [{ kind: 'text' as const, text: toBytes(parts.join('')) }] : [something]),
    ...(opensBehind && parts.length > 0 ? [anything] : []),
  ];
  return { pieces, bare: false };
}

function partsOf({ prefix, contains, glob, regex, suffix, in: networks }: ConditionTests): string[] {
  const first = (tests: string | readonly string[] | undefined): string[] => [tests ?? []].flat().slice(0, 1);
  const ofRegex = first(regex).map((source) => {
    const place = { counts: 1, mode: 'normal', line: 0, column: 0 } as const;
    const [skeleton = []] = skeletonsOfPattern({ regex: source, ...place });
    const plain = skeleton.map((piece) => (piece.kind === 'text' ? piece.text : ''));
    return Buffer.from(plain.join(''), 'latin1').toString('utf8');
  });
  return [
    ...first(prefix),
    ...first(contains),
    ...first(glob).map((text) => text.replace(/\*/g, '').replace(/\?/g, 'x')),
    ...ofRegex,
    ...first(networks).map(addressIn),
    ...first(suffix),
  ];
}

/** `400-499` is a range, `in 192.0.2.0/24` a network. */
function honestText(written: string): string {
  const [range] = /^\d+(?=-\d+$)/.exec(written) ?? [];
  const network = /^in (\S+)$/.exec(written)?.[1];
  return range ?? (network === undefined ? written : addressIn(network));
}

function addressIn(network: string): string {
  return network.replace(/\/.*/, '');
}

function fixed(text: string, bare = false): Value {
  return { pieces: [{ kind: 'text', text: toBytes(text) }], bare };
}

function isList(condition: Condition): condition is readonly (string | number)[] {
  return Array.isArray(condition);
}

// ── encoders ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** As JSON.stringify, Go and most others do: what is no UTF-8 is U+FFFD. */
function asJson(text: string): string {
  return toBytes(JSON.stringify(Buffer.from(text, 'latin1').toString('utf8')).slice(1, -1));
}

/** As PHP, Python and .NET do: ASCII only, and `\/` or `\u003c` for what HTML would trip over. */
function asCarefulJson(text: string): string {
  const escaped = JSON.stringify(Buffer.from(text, 'latin1').toString('utf8')).slice(1, -1);
  return escaped
    .replace(/\//g, '\\/')
    .replace(/[<>&'+\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** As nginx does with escape=json: bytes stay bytes, whatever they are. */
function asJsonOfBytes(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** As Apache does in any format (ap_escape_logitem). */
function asApache(text: string): string {
  return text.replace(/["\\\x00-\x1f\x7f-\xff]/g, (character) => {
    const short = '\b\n\r\t\v'.indexOf(character);
    if (short >= 0) return `\\${'bnrtv'.charAt(short)}`;
    const isMark = character === '"' || character === '\\';
    return isMark
      ? `\\${character}`
      : `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** A value of go-logfmt: in quotes where it must be. */
function asGoLogfmt(text: string): string {
  const encoded = asJson(text);
  return encoded !== text || /[\s="\x00-\x20]/.test(text) || encoded.includes('\xef\xbf\xbd')
    ? `"${encoded}"`
    : text;
}

/** A value of logrus, in the quotes of Go's %q unless it is a plain word. */
function asLogrus(text: string): string {
  if (/^[\w./@^+-]+$/.test(text)) return text;
  const letters: Readonly<Record<string, string>> = {
    '\x07': 'a',
    '\b': 'b',
    '\f': 'f',
    '\n': 'n',
    '\r': 'r',
    '\t': 't',
    '\v': 'v',
    '"': '"',
    '\\': '\\',
  };
  const escaped = text.replace(/["\\\x00-\x1f\x7f-\xff]/g, (character) =>
    letters[character] === undefined
      ? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
      : `\\${letters[character]}`,
  );
  return `"${escaped}"`;
}

// ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────

function text(written: string): Piece {
  return { kind: 'text', text: written };
}

function encodedPieces(pieces: readonly Piece[], encode: Encode): Piece[] {
  return pieces.map((piece): Piece => {
    if (piece.kind === 'address' || piece.kind === 'session') return piece;
    if (piece.kind === 'text') return text(encode(piece.text));
    const write = (chosen: string): string | undefined => {
      const own = piece.write(chosen);
      return own === undefined ? undefined : encode(own);
    };
    return { kind: 'free', benign: encode(piece.benign), write };
  });
}

function logfmtOf(fields: readonly Field[], encode: Encode): Skeleton {
  const inQuotes = (value: string): string => {
    const encoded = encode(`${value} `); // with a blank in it, it is quoted
    return encoded.slice(1, -2);
  };
  return merged(
    fields.flatMap(([path, { pieces, bare }], index) => {
      const isOne = pieces.length === 1 && pieces[0]!.kind !== 'address';
      return [
        text(`${index === 0 ? '' : ' '}${toBytes(path)}=`),
        ...(bare || isOne
          ? encodedPieces(pieces, encode)
          : [text('"'), ...encodedPieces(pieces, inQuotes), text('"')]),
      ];
    }),
  );
}

/** By key what stands there: a value, or more keys. */
type Tree = Map<string, Tree | Value>;

function jsonOf(fields: readonly Field[], encode: Encode): Skeleton {
  const root: Tree = new Map();
  for (const [path, value] of fields) {
    const keys = path.split('.');
    let at = root;
    for (const key of keys.slice(0, -1)) {
      const inner = at.get(key);
      const next = inner instanceof Map ? inner : (new Map() as Tree);
      at.set(key, next);
      at = next;
    }
    at.set(keys.at(-1)!, value);
  }
  return merged(writeJson(root, encode));
}

function writeJson(value: Tree | Value, encode: Encode): Piece[] {
  if (!(value instanceof Map)) {
    const pieces = encodedPieces(value.pieces, encode);
    return value.bare ? pieces : [text('"'), ...pieces, text('"')];
  }
  const isPlace = [...value.keys()].every((key) => /^\d{1,2}$/.test(key));
  if (isPlace && value.size > 0) {
    const length = Math.max(...[...value.keys()].map(Number)) + 1;
    const members = Array.from({ length }, (_, index) => value.get(String(index)));
    return [
      text('['),
      ...members.flatMap((member, index) => [
        text(index === 0 ? '' : ','),
        ...(member ? writeJson(member, encode) : [text('null')]),
      ]),
      text(']'),
    ];
  }
  return [
    text('{'),
    ...[...value].flatMap(([key, member], index) => [
      text(`${index === 0 ? '' : ','}"${encode(toBytes(key))}":`),
      ...writeJson(member, encode),
    ]),
    text('}'),
  ];
}

/** Neighbouring texts are one. */
function merged(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const last = whole.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text')
      whole[whole.length - 1] = text(last.text + piece.text);
    else whole.push(piece);
  }
  return whole;
}

// ── access logs ──────────────────────────────────────────────────────────────────────────────────────────────────

const NGINX =
  '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user","request":"$request","uri":"$uri","status":"$status","body_bytes_sent":"$body_bytes_sent","http_referer":"$http_referer","http_user_agent":"$http_user_agent","http_x_forwarded_for":"$http_x_forwarded_for","http_host":"$http_host"}';

/** `<ip>` is the address, `<text>` what a client chooses, `<name>` the name of a header, `<path>` a target. */
const CADDY =
  '{"level":"info","ts":1767607872.1234567,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"<ip>","remote_port":"40022","client_ip":"<text>","proto":"HTTP/2.0","method":"POST","host":"<text>","uri":"<path>","headers":{"User-Agent":["<text>"],"<name>":["<text>"]},"tls":{"resumed":false,"version":772,"server_name":"<text>"}},"bytes_read":12,"user_id":"","duration":0.01,"size":179,"status":401,"resp_headers":{"Server":["Caddy"]}}';
const TRAEFIK =
  '{"ClientAddr":"[<ip>]:40022","ClientHost":"<text>","ClientPort":"40022","ClientUsername":"<text>","DownstreamContentSize":179,"DownstreamStatus":401,"Duration":1234567,"OriginStatus":401,"RequestAddr":"<text>","RequestMethod":"POST","RequestPath":"<path>","RequestProtocol":"HTTP/1.1","StartUTC":"2026-01-05T10:11:12.1234567Z","request_User-Agent":"<text>","request_<name>":"<text>","level":"info","msg":"","time":"2026-01-05T10:11:12Z"}';
const PINO_HTTP =
  '{"level":30,"time":1767607872123,"pid":812,"hostname":"web","req":{"id":1,"method":"POST","url":"<path>","query":{"<text>":"<text>"},"headers":{"host":"<text>","user-agent":"<text>","<name>":"<text>"},"remoteAddress":"<ip>","remotePort":40022},"res":{"statusCode":401,"headers":{}},"responseTime":3,"msg":"request completed"}';
const APACHE =
  '{"time":"[05/Jan/2026:10:11:12 +0000]","remoteIP":"<ip>","host":"<text>","request":"<path>","query":"<text>","method":"POST","status":"401","userAgent":"<text>","referer":"<text>"}';

const PLACES: Readonly<Record<string, Piece>> = {
  '<ip>': { kind: 'address' },
  '<text>': anything,
  '<path>': {
    kind: 'free',
    benign: '/',
    write: (chosen) => (chosen.startsWith('/') ? chosen : `/${chosen}`),
  },
  '<name>': {
    kind: 'free',
    benign: 'X-Other',
    // A token, as HTTP has it, in the case in which Go's servers write it.
    write: (chosen) =>
      /^[\w!#$%&'*+.^`|~-]+$/.test(chosen)
        ? chosen.toLowerCase().replace(/(?<![^-])[a-z]/g, (letter) => letter.toUpperCase())
        : undefined,
  },
};

function shaped(line: string, encode: Encode): Skeleton {
  const pieces = line.split(/(<\w+>)/).flatMap((part): Piece[] => {
    const place = PLACES[part];
    return place ? encodedPieces([place], encode) : [text(part)];
  });
  return merged(pieces);
}

/** The line of an `escape=json` format: what nginx writes into a format, escaped the other way. */
function ofNginx(template: string): Skeleton {
  // Without quotes around them, only what the server makes is taken; of these the skeletons of formats know the value.
  const known = template.replace(/:\s*\$\{?upstream_\w+\}?/g, ':0.004');
  return skeletonOfFormat(known).map((piece): Piece => {
    if (piece.kind !== 'free') return piece;
    const write = (chosen: string): string | undefined => {
      const written = piece.write(chosen);
      if (written === undefined || written === escapedByNginx('')) return written && '';
      const bytes = written.replace(/\\x([\dA-F]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      return asJsonOfBytes(bytes);
    };
    return { ...piece, write };
  });
}
