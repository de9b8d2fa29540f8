// Variables whose values are of known characters, mostly because the server makes them: where such a field ends is never a
// client's choice. Every other variable counts as one that a client may fill with anything. The names are nginx's; those of
// the fields that only others have follow below.
import { byteSet } from './bytes.ts';
import type { ByteSet } from './bytes.ts';

const ranges = (text: string): ByteSet =>
  byteSet(
    [...text.matchAll(/(.)-(.)|(.)/g)].map(([, from, to, single]) => {
      const low = (from ?? single!).charCodeAt(0);
      return [low, (to ?? single!).charCodeAt(0)] as const;
    }),
  );

// `-` is what nginx writes for nothing. It comes last, so that it is no range.
const NUMBER = ranges('0-9.-');
const WORD = ranges('0-9A-Za-z_.-');
const ADDRESS = ranges('0-9A-Za-z:.-'); // letters for `unix:`

const FIXED: Readonly<Record<string, ByteSet>> = {
  remote_addr: ADDRESS,
  realip_remote_addr: ADDRESS,
  server_addr: ADDRESS,
  remote_port: NUMBER,
  realip_remote_port: NUMBER,
  server_port: NUMBER,
  status: NUMBER,
  body_bytes_sent: NUMBER,
  bytes_sent: NUMBER,
  request_length: NUMBER,
  request_time: NUMBER,
  connection: NUMBER,
  connection_requests: NUMBER,
  connection_time: NUMBER,
  gzip_ratio: NUMBER,
  msec: NUMBER,
  pid: NUMBER,
  pipe: WORD,
  scheme: WORD,
  https: WORD,
  request_id: WORD,
  request_method: ranges('A-Z_-'),
  server_protocol: ranges('0-9A-Z./-'),
  ssl_protocol: WORD,
  ssl_cipher: WORD,
  ssl_session_reused: WORD,
  hostname: WORD,
  http2: WORD,
  request_completion: WORD,
  limit_req_status: WORD,
  upstream_cache_status: WORD,
  proxy_protocol_addr: ADDRESS,
  proxy_protocol_port: NUMBER,
  // A client's choice, but nginx answers a Host with a blank or a slash in it with 400 and logs the server's name for it
  // (measured with 1.22). Quotes are escaped.
  host: ranges('!#-.0-~'),
  server_name: ranges('0-9A-Za-z_.*~-'),
  // Apache's, HAProxy's and Traefik's.
  request_time_ms: NUMBER,
  request_time_us: NUMBER,
  request_count: NUMBER,
  bytes_transferred: NUMBER,
  tid: WORD,
  connection_status: ranges('X+-'),
  method: ranges("!#$%&'*+.^_`|~0-9A-Za-z-"),
};

/**
 * Variables that a client fills, and that begin with a slash or are `-` or begin with a question mark (`GET http://h?x`):
 * what stands before and holds no slash ends there. How far they go isn't known: before 1.21.1 nginx took blanks in them.
 */
const PATHS: ReadonlySet<string> = new Set(['request_uri', 'uri', 'document_uri']);

/** `05/Jan/2026:10:11:12 +0100`, `2026-01-05T10:11:12+01:00` and HAProxy's `05/Jan/2026:10:11:12.655`. */
const LENGTHS: Readonly<Record<string, number>> = { time_local: 26, time_iso8601: 25, accept_date: 24 };

/** How far a value goes. */
export type Extent =
  /** As far as these characters do. */
  | { readonly kind: 'run'; readonly characters: ByteSet }
  | { readonly kind: 'fixed'; readonly length: number }
  /** Nobody knows, but it begins with a slash (where it has one). */
  | { readonly kind: 'path' }
  /** Nobody knows: a client may have filled it with anything. */
  | { readonly kind: 'free' };

/** What nginx writes for a variable. */
export function extentOf(variable: string): Extent {
  const length = Object.hasOwn(LENGTHS, variable) ? LENGTHS[variable]! : 0;
  if (length > 0) return { kind: 'fixed', length };
  if (isFixed(variable)) return { kind: 'run', characters: FIXED[variable]! };
  return { kind: PATHS.has(variable) ? 'path' : 'free' };
}

export const NUMERIC_VARIABLES: ReadonlySet<string> = new Set([
  'status',
  'body_bytes_sent',
  'bytes_sent',
  'request_length',
  'request_time',
  'connection_requests',
  'remote_port',
  'server_port',
  'upstream_status',
  'bytes_read',
  'request_time_ms',
  'request_time_us',
]);

/** Is it of known characters? */
export function isFixed(variable: string): boolean {
  return Object.hasOwn(FIXED, variable);
}
