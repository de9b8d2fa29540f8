// How often a literal stands in a log, about: by that it is decided which of several a search looks for. Pure.
import type { Literal } from '../literal.ts';

/** Lines that any log is full of, in which nothing has happened that a filter would look for. */
const SAMPLE = [
  '203.0.113.7 - - [05/Jan/2026:10:11:12 +0100] "GET /products/1234/reviews?page=2 HTTP/1.1" 200 5316 "https://www.example.org/" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"',
  '2001:db8:12:3::4a7f - anna [05/Jan/2026:10:11:13 +0100] "GET /assets/style.9b1c.css HTTP/2.0" 304 0 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"',
  '203.0.113.9 - - [05/Jan/2026:10:11:13 +0100] "HEAD / HTTP/1.1" 301 169 "-" "Monitor/2.1 (+https://monitor.example.net)"',
  '203.0.113.15 - - [05/Jan/2026:10:11:14 +0100] "GET /robots.txt HTTP/1.1" 200 68 "-" "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"',
  '203.0.113.16 - - [05/Jan/2026:10:11:14 +0100] "POST /api/v1/session HTTP/1.1" 200 31 "-" "python-requests/2.31.0"',
  '203.0.113.17 - - [05/Jan/2026:10:11:14 +0100] "GET /search?q=source+order&sort=date HTTP/1.1" 200 9120 "-" "curl/8.5.0"',
  '203.0.113.19 - - [05/Jan/2026:10:11:16 +0100] "GET /img/old-logo.png HTTP/2.0" 404 153 "https://example.org/" "Mozilla/5.0 (X11; Linux x86_64)"',
  'Jan  5 10:11:12 web1 sshd[8123]: pam_unix(sshd:session): session opened for user deploy(uid=1000) by (uid=0)',
  'Jan  5 10:11:12 web1 sshd[8123]: Received disconnect from 203.0.113.7 port 40122:11: disconnected by user',
  '{"level":"info","time":"2026-01-05T10:11:12.000Z","msg":"request completed","reqId":4711,"method":"GET","url":"/news/31","status":200,"ip":"203.0.113.7","responseTime":65.28}',
];
const FOLDED = SAMPLE.map((line) => line.toLowerCase());
/** Characters of a line, about. */
const LINE = 150;

const BYTES = Buffer.from(SAMPLE.join('\n'), 'latin1');
/** By byte: which share of all bytes it is. */
const SHARES = new Float64Array(256).fill(0.25 / BYTES.length);
/** By two bytes: do they stand side by side in the sample? */
const PAIRS = new Uint8Array(0x10000);
/** Those that never do are the rarer for it. */
const UNSEEN = 0.05;

BYTES.forEach((byte, index) => {
  SHARES[byte]! += 1 / BYTES.length;
  PAIRS[byte * 256 + (BYTES[index + 1] ?? 0)] = 1;
});

/** Which share of all bytes a byte is. */
export function shareOf(byte: number): number {
  return SHARES[byte]!;
}

/** The values that the byte at an index of a literal may have. */
export function valuesAt({ bytes, fold }: Literal, index: number): readonly number[] {
  const byte = bytes.charCodeAt(index);
  return fold && isLetter(byte) ? [byte & ~32, byte | 32] : [byte];
}

export function isLetter(byte: number): boolean {
  return (byte | 32) >= 97 && (byte | 32) <= 122;
}

/** Which share of all bytes could stand at an index of a literal. */
export function shareAt({ bytes, fold }: Literal, index: number): number {
  const byte = bytes.charCodeAt(index);
  return fold && isLetter(byte) ? SHARES[byte & ~32]! + SHARES[byte | 32]! : SHARES[byte]!;
}

/** In which share of all lines one of the literals stands, about; more than 1 where several do in each. */
export function commonness(literals: readonly Literal[]): number {
  let sum = 0;
  for (const literal of literals) sum += commonnessOf(literal);
  return sum;
}

function commonnessOf(literal: Literal): number {
  const { bytes, fold } = literal;
  let share = LINE;
  let isSeen = true;
  for (let index = 0; index < bytes.length; index++) {
    share *= shareAt(literal, index);
    if (index === 0 || isSeenPair(bytes, index, fold)) continue;
    share *= UNSEEN;
    isSeen = false;
  }
  const lines = isSeen ? (fold ? FOLDED : SAMPLE).filter((line) => line.includes(bytes)).length : 0;
  return lines > 0 ? lines / SAMPLE.length : share;
}

function isSeenPair(bytes: string, index: number, fold: boolean): boolean {
  const [before, byte] = [bytes.charCodeAt(index - 1), bytes.charCodeAt(index)];
  if (PAIRS[before * 256 + byte] === 1) return true;
  if (!fold) return false;
  // One of the two in the other case; a whole word in capitals is rarer than that.
  return PAIRS[upper(before) * 256 + byte] === 1 || PAIRS[upper(before) * 256 + upper(byte)] === 1;
}

function upper(byte: number): number {
  return isLetter(byte) ? byte & ~32 : byte;
}
