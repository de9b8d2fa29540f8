// Whose a line is that matches nothing: whoever relayed it, and never by what a client may have begun.
import { describe, expect, it } from 'vitest';
import { createScanner } from '../../src/filters/scanner.ts';
import { NOW, bytes, filterOf, pattern } from './engine.ts';

const ACCESS = filterOf({ layout: 'access', where: { path: '/login', status: 401 } });
const LINE = '203.0.113.7 - - [05/Jan/2026:10:11:12 +0000] "GET /shop HTTP/1.1" 200 179 "-" "ü"';
const AT = Date.UTC(2026, 0, 5, 10, 11, 12);

const docker = (line: string): string =>
  bytes(`{"log":${JSON.stringify(line)},"stream":"stdout","time":"2026-01-05T10:11:13.000000001Z"}`);
const cri = (line: string, tag = 'F'): string =>
  bytes(`2026-01-05T10:11:13.000000001Z stdout ${tag} ${line}`);

/** Of the last of the lines. */
function whose(filter: typeof ACCESS, ...lines: readonly string[]): unknown {
  const text = lines.map((line) => `${line}\n`).join('');
  const end = text.length - 1;
  const told = createScanner([filter]).whose!(text, end - lines.at(-1)!.length, end, NOW);
  return told && [told.address.text, told.at];
}

describe('a line that matches nothing', () => {
  it.each([
    ['as it stands', bytes(LINE)],
    ['with a priority', bytes(`<190>${LINE}`)],
    ['relayed by a syslog daemon', bytes(`Jan  5 10:11:13 web nginx[812]: ${LINE}`)],
    ['in RFC 5424', bytes(`<190>1 2026-01-05T10:11:13Z web nginx - - - ${LINE}`)],
  ])('is its client’s, %s', (_, line) => {
    expect(whose(ACCESS, line)).toEqual(['203.0.113.7', AT]);
    expect(whose(ACCESS, 'another', line)).toEqual(['203.0.113.7', AT]);
  });

  it.each([
    ['Docker', docker(`${LINE}\n`)],
    ['the CRI', cri(bytes(LINE))],
    ['the CRI, relayed before', cri(bytes(`Jan  5 10:11:13 web nginx: ${LINE}`))],
  ])('is its client’s in a file of %s, once it is seen that it begins there', (_, line) => {
    expect(whose(ACCESS, docker('a whole line\n'), line)).toEqual(['203.0.113.7', AT]);
    expect(whose(ACCESS, cri('a whole line'), line)).toEqual(['203.0.113.7', AT]);
    // The last part of a longer one begins where the client wants.
    expect(whose(ACCESS, cri('a part, filled up', 'P'), line)).toBeUndefined();
    expect(whose(ACCESS, docker('a'.repeat(16 * 1024)), line)).toBeUndefined();
    expect(whose(ACCESS, line)).toBeUndefined();
  });

  it('is nobody’s where another program wrote it', () => {
    expect(whose(ACCESS, bytes(`Jan  5 10:11:13 web app[812]: ${LINE}`))).toBeUndefined();
  });

  it('has the stamp of whoever relayed it where it has none itself', () => {
    const unstamped = filterOf(
      { layout: 'access', where: { status: 401 } },
      { logFormat: '$remote_addr "$request" $status' },
    );
    const line = '203.0.113.7 "GET /shop HTTP/1.1" 200';
    expect(whose(unstamped, `Jan  5 10:11:13 web nginx: ${line}`)).toEqual(['203.0.113.7', AT + 1_000]);
    expect(whose(unstamped, cri('before'), cri(line))).toEqual(['203.0.113.7', AT + 1_000]);
  });

  it('is nobody’s to a filter of words', () => {
    expect(createScanner([filterOf({ match: [pattern('^fail <ip>$')] })]).whose).toBeUndefined();
  });
});
