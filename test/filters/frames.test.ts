import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/filters/contract.ts';
import { createScanner } from '../../src/filters/scanner.ts';
import type { Match } from '../../src/model.ts';
import { NOW, bytes, filterOf, pattern, scan } from './engine.ts';

const login = filterOf({ layout: 'access', where: { method: 'POST', path: '/login', status: 401 } });
const unstamped = filterOf(
  { layout: 'access', where: { status: 401 } },
  { logFormat: '$remote_addr "$request" $status' },
);
const error = filterOf({ program: ['nginx'], match: [pattern('^\\[error\\] x, client: <ip>$')] });
const plain = filterOf({ match: [pattern('^fail <ip>$')] });
const sshd = filterOf({ layout: 'syslog', program: ['sshd'], match: [pattern('^fail <ip>$')] });

const LINE = '192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "POST /login HTTP/1.1" 401 179 "-" "ü"';
const AT = Date.UTC(2026, 0, 5, 10, 11, 12);
/** When the frame was written: a second later. */
const LATER = AT + 1_000;

const docker = (line: string, end = '\n', more = ''): string =>
  bytes(
    `{"log":${JSON.stringify(line + end).replace(/[<>&]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)},"stream":"stdout"${more},"time":"2026-01-05T10:11:13.000000001Z"}`,
  );
const cri = (line: string, tag = 'F', stream = 'stdout'): string =>
  bytes(`2026-01-05T10:11:13.000000001Z ${stream} ${tag} ${line}`);
const syslog = (line: string): string => bytes(`Jan  5 10:11:13 web nginx: ${line}`);

/** What judging a line and scanning it alone both say; the scan also tells where. */
function both(filter: Filter, line: string): Match | string {
  const verdict = filter.judge(line, NOW);
  const found = scan([filter], `${line}\n`);
  if (verdict.outcome !== 'match') {
    expect(found).toEqual([]);
    return verdict.outcome;
  }
  const { match } = found[0]!;
  expect([match.start, match.end]).toEqual([0, line.length]);
  expect([verdict.match.start, verdict.match.end]).toEqual([0, line.length]);
  expect({ ...match.fields, at: match.at, ip: match.address.text }).toEqual({
    ...verdict.match.fields,
    at: verdict.match.at,
    ip: verdict.match.address.text,
  });
  return match;
}

describe('a frame around an access log', () => {
  it.each([
    ['none', bytes(LINE)],
    ['a priority', bytes(`<190>${LINE}`)],
    ['a syslog header', syslog(LINE)],
    ['a syslog header and a priority', `<190>${syslog(LINE)}`],
    ['an ISO stamp', bytes(`2026-01-05T10:11:13.123456+00:00 web.example.net nginx[812]: ${LINE}`)],
    ['the tag of nginx_access', bytes(`Jan  5 10:11:13 web nginx_access: ${LINE}`)],
    ['RFC 5424', bytes(`<190>1 2026-01-05T10:11:13Z web nginx - - - ${LINE}`)],
    ['RFC 5424 with data', bytes(`<190>1 2026-01-05T10:11:13Z web nginx 8 - [a b="]\\""] ${LINE}`)],
    ['Docker', docker(LINE)],
    ['Docker with attributes', docker(LINE, '\n', ',"attrs":{"tag":"web \\"x\\"}"}')],
    ['Docker, with a line end of Windows', docker(LINE, '\r\n')],
    ['the CRI', cri(LINE)],
    ['the CRI, with an offset', cri(LINE).replace('Z', '+00:00')],
    ['Docker around syslog', docker(Buffer.from(`<190>${syslog(LINE)}`, 'latin1').toString())],
    ['the CRI around syslog', cri(`Jan  5 10:11:13 web haproxy[1]: ${LINE}`)],
  ])('is taken off: %s', (_, line) => {
    expect(both(login, line)).toMatchObject({
      at: AT,
      address: { text: '192.0.2.7' },
      fields: { path: '/login', http_user_agent: 'ü' },
    });
  });

  it.each([
    ['another program', `Jan  5 10:11:13 web app[1]: ${LINE}`, 'no-match'],
    ['another program, RFC 5424', `<190>1 2026-01-05T10:11:13Z web app - - - ${LINE}`, 'no-match'],
    ['no host', `Jan  5 10:11:13 nginx: ${LINE}`, 'no-layout'],
    ['a stamp without a zone', `2026-01-05T10:11:13 web nginx: ${LINE}`, 'no-layout'],
    ['a stamp that no syslog daemon writes', `2026-01-05 10:11:13 web nginx: ${LINE}`, 'no-layout'],
    ['a level in the place of the host', `2026-01-05T10:11:13Z ERROR nginx: ${LINE}`, 'no-layout'],
    ['a date that does not exist', `Feb 30 10:11:13 web nginx: ${LINE}`, 'no-layout'],
    ['a priority that does not exist', `<192>${LINE}`, 'no-layout'],
    [
      'a header within a header',
      `Jan  5 10:11:13 web nginx: Jan  5 10:11:13 web nginx: ${LINE}`,
      'no-layout',
    ],
    ['the CRI within the CRI', cri(cri(LINE)), 'no-layout'],
    ['the CRI without a tag', cri(LINE, 'X'), 'no-layout'],
    ['the CRI with another stream', cri(LINE, 'F', 'stdin'), 'no-layout'],
    ['a stamp of whole seconds', cri(LINE).replace('.000000001', ''), 'no-layout'],
    ['Docker within Docker', docker(docker(LINE)), 'no-layout'],
    ['Docker with a key more', docker(LINE).replace('}', ',"x":1}'), 'no-layout'],
    ['Docker cut off', docker(LINE).slice(0, -1), 'no-layout'],
    ['two lines in one', docker(`x\n${LINE}`), 'no-layout'],
    ['a part', cri(LINE, 'P'), 'no-layout'],
  ])('is not believed: %s', (_, line, outcome) => {
    expect(both(login, bytes(line))).toBe(outcome);
  });

  it('gives its stamp where the line has none', () => {
    const bare = '192.0.2.7 "GET / HTTP/1.1" 401';
    expect(both(unstamped, bytes(bare))).toMatchObject({ at: undefined });
    for (const line of [syslog(bare), docker(bare), cri(bare), docker(`<34>${syslog(bare)}`)])
      expect(both(unstamped, line)).toMatchObject({ at: LATER });
  });

  it('is not looked for in a line that fits as it stands', () => {
    const filter = filterOf(
      { layout: 'access', where: {} },
      { logFormat: '$time_iso8601 $server_name $http_user_agent' + ' $remote_addr' },
    );
    const agent = 'nginx: 2030-01-05T10:11:12+00:00 www.example.net x 203.0.113.9';
    const line = `2026-01-05T10:11:12+00:00 www.example.net ${agent} 192.0.2.7`;
    expect(both(filter, line)).toMatchObject({ at: AT, address: { text: '192.0.2.7' } });
  });

  it('listens to the programs that a filter names', () => {
    const shop = filterOf({ layout: 'access', program: ['shop'], where: { status: 401 } });
    expect(both(shop, bytes(`Jan  5 10:11:13 web shop[9]: ${LINE}`))).toMatchObject({ at: AT });
    expect(both(shop, syslog(LINE))).toBe('no-match');
  });

  it('listens to all parts of a program that a filter names with `/*`', () => {
    const message = 'fail 192.0.2.7';
    const parts = { program: ['shop/*'], match: [pattern('^fail <ip>$')] };
    for (const filter of [filterOf(parts), filterOf({ ...parts, layout: 'syslog' })])
      for (const [tag, isHeard] of [
        ['shop/front', true],
        ['shop/a/b', true],
        ['shop', false],
        ['shops/front', false],
        ['my/shop/x', false],
      ] as const) {
        const heard = both(filter, `Jan  5 10:11:12 web ${tag}[9]: ${message}`);
        expect(heard !== 'no-match', tag).toBe(isHeard);
      }
  });
});

describe('a frame around lines of text', () => {
  const failure = '[error] x, client: 192.0.2.7';
  it.each([
    [`2026/01/05 10:11:12 ${failure}`, AT],
    [`<187>Jan  5 10:11:13 web nginx: 2026/01/05 10:11:12 ${failure}`, AT],
    [`Jan  5 10:11:13 web nginx: ${failure}`, LATER],
    [docker(`2026/01/05 10:11:12 ${failure}`), AT],
    [docker(`Jan  5 10:11:13 web nginx[1]: 2026/01/05 10:11:12 ${failure}`), AT],
    [cri(failure, 'F', 'stderr'), LATER],
  ])('%s', (line, at) => {
    expect(both(error, line)).toMatchObject({ at, address: { text: '192.0.2.7' } });
  });

  it('is taken off a line of syslog too, whose own stamp counts', () => {
    const line = 'Jan  5 10:11:12 web sshd[812]: fail 192.0.2.7';
    for (const framed of [line, `<38>${line}`, docker(line), cri(line)])
      expect(both(sshd, framed)).toMatchObject({ at: AT, session: '812' });
  });

  it('is a syslog header only where the filter names the program: other lines may look like one', () => {
    expect(both(plain, '<38>fail 192.0.2.7')).toMatchObject({ at: undefined });
    expect(both(plain, 'Jan  5 10:11:12 web chat: fail 192.0.2.7')).toBe('no-match');
    expect(both(error, `Jan  5 10:11:12 web chat: ${failure}`)).toBe('no-match');
  });
});

describe('a long line in parts', () => {
  const scanAll = (
    filter: Filter,
    chunks: readonly (readonly [text: string, source: string])[],
  ): string[] => {
    const scanner = createScanner([filter]);
    return chunks.flatMap(([text, source]) => {
      const found: string[] = [];
      scanner.scan(
        text,
        NOW,
        (_, match) => found.push(`${match.address.text} ${text.slice(match.start, match.end).slice(0, 48)}`),
        source,
      );
      return found;
    });
  };
  /** A request so long that the line is cut behind it; the rest is a whole line of its own. */
  const head = `192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "POST /login?${'x'.repeat(16_400)}`.slice(
    0,
    16_384,
  );
  const rest = ' HTTP/1.1" 401 179 "-" "-"';
  const forged = LINE.replace('192.0.2.7', '203.0.113.9');

  it.each([
    ['the CRI', cri(head, 'P'), cri(rest), cri(forged)],
    ['Docker', docker(head, ''), docker(rest), docker(forged)],
  ])('is put together: %s', (_, first, second, whole) => {
    const tail = second.slice(0, 48);
    expect(scanAll(login, [[`${first}\n${second}\n`, 'a']])).toEqual([`192.0.2.7 ${tail}`]);
    // Over the edge of a chunk, and with another source's lines between.
    const split: [string, string][] = [
      [`${first}\n`, 'a'],
      [`${whole}\n`, 'b'],
      [`${second}\n${whole}\n`, 'a'],
    ];
    expect(scanAll(login, split)).toEqual([
      `203.0.113.9 ${whole.slice(0, 48)}`,
      `192.0.2.7 ${tail}`,
      `203.0.113.9 ${whole.slice(0, 48)}`,
    ]);
    // What a client made stand at the beginning of a part is no line.
    expect(scanAll(login, [[`${first}\n${whole}\n`, 'a']])).toEqual([]);
  });

  it('is put together by stream', () => {
    const chunk = [cri(head, 'P'), cri(forged, 'F', 'stderr'), cri(rest)].join('\n');
    expect(scanAll(login, [[`${chunk}\n`, 'a']]).map((found) => found.split(' ')[0])).toEqual([
      '203.0.113.9',
      '192.0.2.7',
    ]);
  });

  it('does not grow without end', () => {
    const parts = Array.from({ length: 40 }, () => cri('x'.repeat(16_384), 'P')).join('\n');
    const scanner = createScanner([plain]);
    for (let chunk = 0; chunk < 5; chunk++) scanner.scan(`${parts}\n`, NOW, () => {}, 'a');
    expect(scanAll(plain, [[`${cri(' end')}\n${cri('fail 192.0.2.7')}\n`, 'a']])).toHaveLength(1);
  });

  it('of Docker is whole where it is short, whatever it ends with', () => {
    expect(scanAll(plain, [[`${docker('x', '')}\n${docker('fail 192.0.2.7')}\n`, 'a']])).toHaveLength(1);
  });
});

describe('a scan of framed lines', () => {
  const hostile = fc
    .array(
      fc.constantFrom(
        ...['","stream":"stdout","time":"2026-01-05T10:11:13Z"}', '{"log":"', '\\n', '\\', '"', ' stdout F '],
        ...['2026-01-05T10:11:13.1Z stdout F ', 'Jan  5 10:11:13 web nginx: ', '<34>', '203.0.113.9', LINE],
        ...[
          '<',
          '\u2028',
          'ü',
          '\t',
          ' - - [05/Jan/2026:10:11:12 +0000] "POST /login HTTP/1.1" 401 1 "-" "-"',
        ],
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join(''));
  /** As nginx writes it. */
  const escaped = (value: string): string =>
    bytes(value).replace(
      /["\\\0-\x1f\x7f-\xff]/g,
      (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
  const frames = [
    bytes,
    docker,
    cri,
    syslog,
    (line: string) => docker(`<34>Jan  5 10:11:13 web nginx: ${line}`),
  ];

  it('sees the address of who sent it, whatever it holds and whatever is around it', () => {
    const property = fc.property(
      fc.array(fc.tuple(hostile, hostile), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...frames),
      (requests, frame) => {
        const lines = requests.map(([query, agent]) =>
          frame(
            `192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "POST /login?${escaped(query)} HTTP/1.1" 401 1 "-" "${escaped(agent)}"`,
          ),
        );
        const text = `${lines.join('\n')}\n`;
        const found = scan([login], text).map(({ match }) => [
          match.address.text,
          match.at,
          text.slice(match.start, match.end),
        ]);
        expect(found).toEqual(lines.map((line) => ['192.0.2.7', AT, line]));
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it('lets nothing out of a line of text', () => {
    const said = filterOf({ match: [pattern('^said: <text> from <ip>$')] });
    const property = fc.property(hostile, fc.constantFrom(...[bytes, docker, cri]), (text, frame) => {
      const match = both(said, frame(`said: ${text} from 192.0.2.7`));
      expect(match).toMatchObject({ address: { text: '192.0.2.7' }, fields: { text } });
      expect(both(plain, frame(`said: ${text}`))).toBe('no-match');
    });
    fc.assert(property, { numRuns: 500 });
  });
});
