// The lines that web servers write, as forgeries are made of them: which places a client fills, and how each server writes
// what he sent. Written here a second time on purpose: what proves the parser of formats doesn't ask it.
import { skeletonOfFormat } from './skeletons.ts';
import type { Piece, Skeleton } from './skeletons.ts';

/** The lines of a log format; both servers' where nginx and Apache share one. */
export function skeletonsOfAccess(logFormat: string): readonly Skeleton[] {
  const format = logFormat.trim();
  if (format === 'haproxy') return [HAPROXY];
  if (format === 'traefik') return [TRAEFIK];
  const apache = APACHE_FORMATS[format];
  if (apache !== undefined && format === 'vhost_combined') return [skeletonOfApache(apache)];
  if (apache !== undefined) return [skeletonOfFormat(format), skeletonOfApache(apache)];
  return [format.includes('$') ? skeletonOfFormat(withoutQuotes(format)) : skeletonOfApache(format)];
}

// ── nginx ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `'…' '…'`, as it stands in nginx's config. */
function withoutQuotes(format: string): string {
  const text = format.replace(/^escape=default\s+/, '');
  if (!text.startsWith("'")) return text;
  return [...text.matchAll(/'([^']*)'/g)].map(([, part]) => part).join('');
}

// ── Apache ───────────────────────────────────────────────────────────────────────────────────────────────────────

const APACHE_FORMATS: Readonly<Record<string, string>> = {
  common: '%h %l %u %t "%r" %>s %b',
  combined: '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"',
  vhost_combined: '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
};

/** What the server writes, by directive: mod_log_config's manual. Everything else may be a client's. */
const BY_APACHE: Readonly<Record<string, string>> = {
  '%': '%',
  A: '198.51.100.1',
  '{c}a': '198.51.100.2',
  '{c}h': '198.51.100.2',
  b: '-',
  B: '179',
  D: '4021',
  I: '321',
  k: '0',
  l: '-',
  O: '512',
  p: '443',
  '{canonical}p': '443',
  '{local}p': '443',
  '{remote}p': '40022',
  P: '812',
  '{pid}P': '812',
  '{tid}P': '140210',
  '{hextid}P': '7f85',
  s: '401',
  S: '833',
  t: '[05/Jan/2026:10:11:12 +0000]',
  '{sec}t': '1767607872',
  '{msec}t': '1767607872123',
  '{usec}t': '1767607872123456',
  T: '0',
  '{s}T': '0',
  '{ms}T': '4',
  '{us}T': '4021',
  v: 'www.example.net',
  X: '+',
};

function skeletonOfApache(written: string): Skeleton {
  const format = (/^LogFormat\s+"(.*)"[^"]*$/.exec(written)?.[1] ?? written).replace(/\\"/g, '"');
  return format.split(/(%[!<>\d,]*(?:\{[^}]*\})?(?:\^t)?[A-Za-z%])/).map((part, index): Piece => {
    if (index % 2 === 0) return text(Buffer.from(part, 'utf8').toString('latin1'));
    const directive = part.replace(/^%[!<>\d,]*/, '');
    if (directive === 'h' || directive === 'a') return { kind: 'address' };
    const made = BY_APACHE[directive];
    if (made !== undefined) return text(made);
    // The first word of a request: it holds no blank.
    if (directive === 'm')
      return { kind: 'free', benign: 'GET', write: (sent) => (/^[\w!.*-]+$/.test(sent) ? sent : undefined) };
    if (directive === 'u')
      return { kind: 'free', benign: '-', write: (user) => escapedByApache(user) || '""' };
    return { kind: 'free', benign: directive === 'r' ? 'GET / HTTP/1.1' : 'x', write: escapedByApache };
  });
}

/** ap_escape_logitem of Apache 2.4. */
function escapedByApache(sent: string): string {
  const letters: Readonly<Record<string, string>> = { '\b': 'b', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' };
  return sent.replace(/["\\\0-\x1f\x7f-\xff]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\${letters[character] ?? `x${hexOf(character).toLowerCase()}`}`;
  });
}

// ── HAProxy ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** `option httplog` with a captured header, as log.c writes it. */
const HAPROXY: Skeleton = [
  { kind: 'address' },
  text(':40022 [05/Jan/2026:10:11:12.655] https~ app/srv1 0/0/1/4/+5 401 +512 - - ---- 1/1/0/0/0 0/0 {'),
  {
    kind: 'free',
    benign: 'www.example.net',
    write: (sent) => escapedByHaproxy(sent, /["#{|}\0-\x1f\x7f-\xff]/g),
  },
  text('} "'),
  {
    kind: 'free',
    benign: 'GET / HTTP/1.1',
    write: (sent) => escapedByHaproxy(sent, /["#\0-\x1f\x7f-\xff]/g),
  },
  text('"'),
];

function escapedByHaproxy(sent: string, encoded: RegExp): string {
  return sent.replace(encoded, (character) => `#${hexOf(character)}`);
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}

// ── Traefik ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Traefik escapes nothing. A name with a quote in it can't be told from what follows: that hole is known. */
const TRAEFIK: Skeleton = [
  { kind: 'address' },
  text(' - '),
  {
    kind: 'free',
    benign: '-',
    write: (sent) => (sent.includes('"') ? undefined : sent || '-'),
  },
  text(' [05/Jan/2026:10:11:12 +0000] "'),
  { kind: 'free', benign: 'GET / HTTP/1.1', write: (sent) => sent },
  text('" 401 179 "'),
  { kind: 'free', benign: '-', write: (sent) => sent || '-' },
  text('" "'),
  { kind: 'free', benign: 'curl/8', write: (sent) => sent || '-' },
  text('" 7 "web@file" "http://198.51.100.1:80" 5ms'),
];

function text(value: string): Piece {
  return { kind: 'text', text: value };
}
