// What a line that a filter takes is made of: fixed text, the address, and the places that a client may fill.
// Made from the pattern's tree or the log format, so that forgeries can be tried in each place.
import type { ByteSet } from './bytes.ts';
import { FORWARDING_FIELDS } from './forwarded.ts';
import { ADDRESS, SESSION } from './placeholders.ts';
import type { PatternDefinition } from './contract.ts';
import { parsePattern } from './syntax.ts';
import { captureNames, cat, childrenOf } from './tree.ts';
import type { Node } from './tree.ts';

/** All texts are latin1, as lines are. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'address' }
  /** The id of a session: as little a client's as the address is. */
  | { readonly kind: 'session' }
  | {
      readonly kind: 'free';
      /** What an honest client would have there. */
      readonly benign: string;
      /** How the service writes a client's text there; undefined where it can't be written. */
      readonly write: (text: string) => string | undefined;
      /**
       * How it would stand there if the service wrote what the pattern's class leaves out, a blank above all; undefined
       * where the class leaves nothing out, lists what stands in no field, or the filter states the limit.
       */
      readonly beyond?: (text: string) => string;
    };

export type Skeleton = readonly Piece[];

/** More alternatives than any pattern needs; each is varied once, not with all others. */
const MOST_SKELETONS = 48;
const SPACE = 32;

/**
 * The messages that a pattern takes, each alternative and each optional part with and without.
 * A run of anything (`<user>`, `.*`), or of anything but a few (`[^"]*`), is taken for a client's: he may have written what
 * the pattern hopes he didn't. A run that holds no space (`\\S+`) or only what is listed (`[A-Za-z ]+`) is the filter's word
 * that the service writes nothing else there. It is believed of a list without a name; a run that only leaves something
 * out, and what the pattern keeps as a field, are tried with more, unless the filter states that the service limits it.
 * @param limits the names of such fields.
 * @param proxy who handed the requests on: his address stands where the one who connected stands, and the client's at the
 *   end of what he has added to the header; undefined where the client has connected himself.
 * @returns none where requests are handed on and the pattern has no forwarding header.
 */
export function skeletonsOfPattern(
  definition: PatternDefinition,
  limits: ReadonlySet<string> = new Set(),
  proxy?: string,
): Skeleton[] {
  const parsed = parsePattern(definition.regex);
  if (!parsed.ok) return [];
  const names = captureNames(parsed.node);
  const headers = FORWARDING_FIELDS.filter((name) => names.includes(name));
  const isToldApart = names.includes(ADDRESS);
  // Whatever follows an open end may be a client's.
  const whole = endsOpen(parsed.node) ? cat([parsed.node, ANYTHING]) : parsed.node;
  const write = (chain: Chain | undefined): Skeleton[] =>
    variantsOf(whole, { limits, isNamed: false, isLimited: false, chain })
      .slice(0, MOST_SKELETONS)
      .map((variant) => setApart(merged(variant)));
  if (proxy === undefined) return write(isToldApart ? undefined : { header: headers[0], proxy, isToldApart });
  // Of several headers the proxy writes one; the others are the client's.
  return headers.flatMap((header) => write({ header, proxy, isToldApart }));
}

/** How a request came: which header was added to, by which proxy, and whether who connected stands apart from it. */
interface Chain {
  readonly header: string | undefined;
  readonly proxy: string | undefined;
  readonly isToldApart: boolean;
}

/** The line that a log format writes. What the server makes is fixed, everything else is a client's, escaped as nginx does. */
export function skeletonOfFormat(format: string): Skeleton {
  const text = FORMATS[format] ?? format.replace(/^\s*escape=default\s+/, '');
  return merged(
    text.split(/(\$\{\w+\}|\$\w+)/).map((part): Piece => {
      const name = /^\$\{?(\w+)\}?$/.exec(part)?.[1];
      if (name === undefined) return textOf(Buffer.from(part, 'utf8').toString('latin1'));
      if (name === 'remote_addr') return { kind: 'address' };
      const made = Object.hasOwn(MADE_BY_SERVER, name) ? MADE_BY_SERVER[name] : undefined;
      if (made !== undefined) return textOf(made);
      return { kind: 'free', benign: 'x', write: escapedByNginx, ...CHOSEN_WITHIN_LIMITS[name] };
    }),
  );
}

/** nginx's default escaping (ngx_http_log_escape): measured with 1.22. Nothing is written as `-`. */
export function escapedByNginx(text: string): string {
  if (text === '') return '-';
  return text.replace(
    /["\\\x00-\x1f\x7f-\xff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

type Chosen = Partial<Pick<Extract<Piece, { kind: 'free' }>, 'benign' | 'write'>>;

/** What a client fills, but nginx doesn't write everything in: measured with 1.22. */
const CHOSEN_WITHIN_LIMITS: Readonly<Partial<Record<string, Chosen>>> = {
  request: { benign: 'GET / HTTP/1.1' },
  host: { benign: 'www.example.net', write: hostByNginx },
  request_uri: { benign: '/', write: pathByNginx },
  uri: { benign: '/', write: pathByNginx },
  document_uri: { benign: '/', write: pathByNginx },
};

/** A Host with a blank, a control character or a slash in it is answered 400, and the server's name logged. Ports are cut off. */
function hostByNginx(text: string): string {
  if (text === '' || /[\0-\x20\x7f/]/.test(text)) return 'www.example.net';
  const literal = /^\[[^\]]*\]/.exec(text)?.[0];
  return escapedByNginx(literal ?? text.split(':')[0]!);
}

/** Blanks too, which nginx took up to 1.21.0; without a slash in front the request is answered 400 and `-` logged. */
function pathByNginx(text: string): string {
  return escapedByNginx(text === '' || /^[/?]/.test(text) ? text : `/${text}`);
}

/** Written here a second time on purpose: what proves the parser of formats doesn't ask it. */
const FORMATS: Readonly<Record<string, string>> = {
  combined:
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
  common: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent',
};

const MADE_BY_SERVER: Readonly<Record<string, string>> = {
  time_local: '05/Jan/2026:10:11:12 +0000',
  time_iso8601: '2026-01-05T10:11:12+00:00',
  msec: '1767607872.123',
  status: '401',
  body_bytes_sent: '179',
  bytes_sent: '512',
  request_time: '0.004',
  request_length: '321',
  request_method: 'GET',
  request_id: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  server_protocol: 'HTTP/1.1',
  connection: '4711',
  connection_requests: '1',
  connection_time: '0.101',
  pid: '33',
  pipe: '.',
  scheme: 'https',
  https: 'on',
  hostname: 'web',
  server_name: 'www.example.net',
  server_addr: '198.51.100.1',
  server_port: '443',
  remote_port: '40022',
  realip_remote_addr: '198.51.100.2',
  realip_remote_port: '40023',
  gzip_ratio: '-',
  ssl_protocol: 'TLSv1.3',
  ssl_cipher: 'TLS_AES_256_GCM_SHA384',
  ssl_session_reused: '.',
  http2: 'h2',
  request_completion: 'OK',
  limit_req_status: 'PASSED',
  upstream_cache_status: 'MISS',
  proxy_protocol_addr: '198.51.100.3',
  proxy_protocol_port: '40024',
};

const ANYTHING: Node = {
  kind: 'repeat',
  body: { kind: 'set', set: new Uint8Array(256).fill(1) },
  min: 0,
  max: Infinity,
  lazy: false,
};

function endsOpen(node: Node): boolean {
  if (node.kind === 'end') return false;
  if (node.kind === 'alt') return node.options.some(endsOpen);
  if (node.kind === 'cat') return node.parts.length === 0 || endsOpen(node.parts.at(-1)!);
  if (node.kind === 'capture') return endsOpen(node.body);
  return true;
}

/** Which fields the service limits, whether this is one, and whether it is a field that is kept. */
interface Within {
  readonly limits: ReadonlySet<string>;
  readonly isNamed: boolean;
  readonly isLimited: boolean;
  readonly chain: Chain | undefined;
}

function withinField(within: Within, name: string): Within {
  return { ...within, isNamed: true, isLimited: within.isLimited || within.limits.has(name) };
}

/** The first variant is the plainest; each further one differs from it in one choice. */
function variantsOf(node: Node, within: Within): Piece[][] {
  switch (node.kind) {
    case 'byte':
      return [[textOf(String.fromCharCode(node.byte))]];
    case 'set':
      return [[textOf(memberOf(node.set))]];
    case 'capture':
      if (node.name === ADDRESS)
        return [[within.chain?.proxy === undefined ? { kind: 'address' } : textOf(within.chain.proxy)]];
      if (within.chain && node.name === within.chain.header)
        return variantsOfChain(variantsOf(node.body, withinField(within, node.name)), within.chain);
      if (node.name === SESSION) return [[{ kind: 'session' }]];
      return variantsOf(node.body, withinField(within, node.name));
    case 'alt':
      return node.options.flatMap((option) => variantsOf(option, within));
    case 'cat':
      return variantsOfSequence(node.parts, within);
    case 'repeat':
      return variantsOfRepeat(node, within);
    default:
      return [[]]; // edges, and what stands behind them, take no text
  }
}

/** A header to which each hop has added who connected to it: behind what the client has written, or alone. */
function variantsOfChain(written: readonly Piece[][], { proxy, isToldApart }: Chain): Piece[][] {
  const added: Piece[] = [{ kind: 'address' }];
  if (proxy !== undefined && !isToldApart) added.push(textOf(`, ${proxy}`));
  return [...written.map((pieces) => [...pieces, textOf(', '), ...added]), added];
}

function variantsOfSequence(parts: readonly Node[], within: Within): Piece[][] {
  const all = parts.map((part) => variantsOf(part, within));
  const plain = all.map((variants) => variants[0]!);
  const others = all.flatMap((variants, index) =>
    variants.slice(1).map((variant) => plain.with(index, variant).flat()),
  );
  return [plain.flat(), ...others].slice(0, MOST_SKELETONS);
}

function variantsOfRepeat(node: Node & { kind: 'repeat' }, within: Within): Piece[][] {
  const bytes = bytesIn(node.body);
  const once = variantsOf(node.body, within);
  const times = Math.max(node.min, 1);
  const benign = Array.from({ length: times }, () => once[0]!.map(benignOf).join('')).join('');
  if (node.max === Infinity) {
    const leavesOut = bytes.reduce((sum, member) => sum + member, 0) > 128;
    const isText = leavesOut && bytes[SPACE] === 1;
    const fits = (text: string): boolean => Buffer.from(text, 'latin1').every((byte) => bytes[byte] === 1);
    const write = (text: string): string | undefined =>
      isText || (text.length >= node.min && fits(text)) ? text : undefined;
    const isTried = !isText && !within.isLimited && (leavesOut || (within.isNamed && hasLetters(bytes)));
    return [[{ kind: 'free', benign, write, ...(isTried ? { beyond: (text: string) => text } : {}) }]];
  }
  const repeated = once.map((variant) => Array.from({ length: times }, () => variant).flat());
  return node.min === 0 ? [...repeated, []] : repeated;
}

/** Every byte that may stand in what the node takes. */
function bytesIn(node: Node): ByteSet {
  const all = new Uint8Array(256);
  if (node.kind === 'byte') all[node.byte] = 1;
  if (node.kind === 'set') all.set(node.set);
  for (const child of childrenOf(node)) bytesIn(child).forEach((member, byte) => (all[byte]! |= member));
  return all;
}

/** Numbers are a service's own; words may be a client's. */
function hasLetters(set: ByteSet): boolean {
  return set.some((member, byte) => member === 1 && /[A-Za-z]/.test(String.fromCharCode(byte)));
}

function memberOf(set: ByteSet): string {
  for (const character of 'x7-_ ') if (set[character.charCodeAt(0)]) return character;
  return String.fromCharCode(Math.max(0, set.indexOf(1)));
}

function textOf(text: string): Piece {
  return { kind: 'text', text };
}

function benignOf(piece: Piece): string {
  if (piece.kind === 'text') return piece.text;
  return piece.kind === 'free' ? piece.benign : '';
}

/** What would be a part of what stands before it. */
const GOES_ON: Readonly<Partial<Record<Piece['kind'], RegExp>>> = {
  address: /^[\w.:[\]]/,
  session: /^[\w.-]/,
};

/** Behind an address or an id a service writes no text that could go on with it: `from 192.0.2.7 x`, never `from 192.0.2.7x`. */
function setApart(pieces: readonly Piece[]): Piece[] {
  let goesOn: RegExp | undefined;
  return pieces.map((piece) => {
    if (piece.kind !== 'free') goesOn = GOES_ON[piece.kind];
    if (piece.kind !== 'free' || !goesOn) return piece;
    const behind = goesOn;
    const apart = (text: string): string => (behind.test(text) ? ` ${text}` : text);
    const write = (text: string): string | undefined => piece.write(apart(text));
    const benign = [piece.benign, '', '-', ')'].map(write).find((text) => text !== undefined);
    const beyond = piece.beyond && { beyond: apart };
    return { ...piece, benign: benign ?? piece.benign, write, ...beyond };
  });
}

/** Neighbouring texts are one, and so are neighbouring places that take anything. */
function merged(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const last = whole.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text')
      whole[whole.length - 1] = textOf(last.text + piece.text);
    else if (piece.kind !== 'text' || piece.text !== '') whole.push(piece);
  }
  return whole;
}
