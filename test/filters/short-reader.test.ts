// Lines read many at a time by a program: what it is sure of is what access.ts reads, and of ordinary lines it is sure.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWords, readWords } from '../../src/address-words.ts';
import { createAccessLayout } from '../../src/filters/access.ts';
import { ADDRESS_VARIABLE, parseLogFormat, TIME_VARIABLES } from '../../src/filters/logformat.ts';
import { TEXT } from '../../src/filters/search/emit.ts';
import { MOST_ROWS, ROWS } from '../../src/filters/short/emit.ts';
import { createSearchRoom } from '../../src/filters/search/room.ts';
import { planReading } from '../../src/filters/short/plan.ts';
import { createShortReader } from '../../src/filters/short/reader.ts';
import { beginOf, fillWordsOf, instantOf, ROW } from '../../src/short-run.ts';
import { createStamps } from '../../src/time.ts';
import { NOW } from './engine.ts';

interface Read {
  readonly begin: number;
  readonly address: object;
  readonly at: number;
}

/** Both readers of a format, of as many sections as ask for address and stamp. */
function readers(written: string, more = 0) {
  const parsed = parseLogFormat(written);
  if (!parsed.ok) throw new Error(parsed.message);
  const { format } = parsed;
  const addressSlot = format.variables.indexOf(ADDRESS_VARIABLE);
  const timeSlot = TIME_VARIABLES.map((name) => format.variables.indexOf(name)).find((slot) => slot >= 0)!;
  const needed = Math.max(format.sectionOf[addressSlot]!, format.sectionOf[timeSlot]!);
  const depth = Math.min(needed + more, format.sections.length - 1);
  const layout = createAccessLayout(format, createStamps('UTC'));
  const room = createSearchRoom();
  const plan = planReading(format, depth, addressSlot, timeSlot);
  const reader = plan && createShortReader({ plan, minute: layout.minute }, room);

  /** As access.ts reads the line; undefined where it is not sure. */
  function readOne(bytes: Buffer, start: number, end: number): Read | undefined {
    const line = layout.openBytes(bytes, start, end, NOW);
    if (!layout.reach(line, depth)) return undefined;
    const address = createWords();
    const [from, to] = [line.bounds[addressSlot * 2]!, line.bounds[addressSlot * 2 + 1]!];
    if (!readWords(bytes, start + from, start + to, address)) return undefined;
    const at = layout.stampOf(line);
    return at === undefined ? undefined : { begin: start, address, at };
  }

  /** Where the line that begins at `start` ends, and the one behind it begins; and what of it there is to read. */
  function next(bytes: Buffer, start: number): { readonly read: Read | undefined; readonly after: number } {
    const feed = bytes.indexOf(10, start);
    const after = feed < 0 ? bytes.length : feed;
    const end = after > start && bytes[after - 1] === 13 ? after - 1 : after;
    return { read: end > start ? readOne(bytes, start, end) : undefined, after: after + 1 };
  }

  /** Line by line. */
  function readAll(bytes: Buffer): Read[] {
    const all: Read[] = [];
    for (let start = 0; start < bytes.length;) {
      const { read, after } = next(bytes, start);
      if (read) all.push(read);
      start = after;
    }
    return all;
  }

  /** Many at a time, and those that can't be read so one by one. @returns how many were, too. */
  function readMany(bytes: Buffer): { readonly all: Read[]; readonly many: number } {
    const all: Read[] = [];
    let many = 0;
    room.take({ bytes, text: '' });
    reader!.begin(NOW);
    for (let start = 0; start < bytes.length;) {
      start = reader!.pass(start, bytes.length, (run) => {
        for (; run.first < run.end; run.first++, many++) {
          const address = createWords();
          fillWordsOf(run, run.first, address);
          all.push({ begin: beginOf(run, run.first), address, at: instantOf(run, run.first) });
        }
      });
      if (start >= bytes.length) break;
      const { read, after } = next(bytes, start);
      if (read) all.push(read);
      start = after;
    }
    return { all, many };
  }
  return { readAll, readMany };
}

const group = fc.oneof(
  fc.nat(0xffff).map((number) => number.toString(16)),
  fc.constantFrom('', '0', '00000', 'FFFF', 'ffff'),
);
const address = fc.oneof(
  { weight: 4, arbitrary: fc.ipV4() },
  { weight: 4, arbitrary: fc.ipV6() },
  { weight: 2, arbitrary: fc.array(group, { minLength: 1, maxLength: 9 }).map((groups) => groups.join(':')) },
  fc
    .array(fc.oneof(fc.nat(300), fc.constantFrom('', '01')), { minLength: 3, maxLength: 5 })
    .map((parts) => parts.join('.')),
  fc.constantFrom(
    '::',
    '::1',
    '::ffff:192.0.2.9',
    '::ffff:c000:209',
    ...[
      '::ffff:0:192.0.2.9',
      '1:2:3:4:5:6:192.0.2.9',
      '1:2:3:4:5:6:7:192.0.2.9',
      '::.1.2.3',
      '::c0.0.2.9',
      '1:2:3:4:5:6:7::192.0.2.9',
      '1:2:3:4:5:6::192.0.2.9',
      '1::2:3:4:5:6:7:8:9',
      '1::2:3:4:5:6:7:8',
    ],
    '1::',
    ':1',
    '1:',
    '-',
    'unix:',
    '192.0.2.7:80',
  ),
);
const often = <T>(...values: T[]): fc.WeightedArbitrary<T> => ({
  weight: 8,
  arbitrary: fc.constantFrom(...values),
});
const who = fc.oneof(often('192.0.2.7', '255.255.255.255', '2001:db8::7', '2001:db8:1:2:3:4:5:6'), {
  weight: 4,
  arbitrary: address,
});
/** Then what stands around the name overlaps. */
const NOBODY = 'nobody';
const user = fc.oneof(
  often('-', 'anna'),
  fc.constantFrom(NOBODY, 'a\nb', '""', 'a"b', 'a\\"b', 'a] "b', '[x] [05/Jan/2026:10:11:12 +0000', '', '\\'),
);
const time = fc.oneof(
  often('10:11:12', '10:11:59'),
  fc.constantFrom('10:12:00', '10:11:60', '10:11:75', '10:11:1x', '10:\n1:12'),
);
const request = fc.oneof(
  often('GET / HTTP/1.1', 'GET /\\x22 HTTP/1.1'),
  fc.constantFrom('-', '', 'GET /" HTTP/1.1', 'G\\"', 'GET /\nx', '\n'),
);
const tail = fc.oneof(
  often(' 200 12', ' 200 12 "-" "x"'),
  fc.constantFrom('', ' 200 12 "-" "x" "y"', ' 200 - "\\"" "x\\\\"', ' x'),
);

/** One byte of a line becomes another, or goes, or one comes in. */
const mutation = fc.record({
  at: fc.nat(120),
  cut: fc.nat(1),
  insert: fc.constantFrom(
    '',
    '',
    '"',
    '\\',
    '[',
    ']',
    ' ',
    '.',
    ':',
    '\r',
    '0',
    'g',
    '\x80',
    '\xff',
    '\0',
    '\n',
  ),
});
const mutate = (line: string, mutations: readonly { at: number; cut: number; insert: string }[]): string =>
  mutations.reduce((text, { at, cut, insert }) => text.slice(0, at) + insert + text.slice(at + cut), line);

const FORMATS: readonly (readonly [name: string, written: string, more: number])[] = [
  ['combined', 'combined', 0],
  ['combined, all of it', 'combined', 9],
  ['common, all of it', 'common', 9],
  ['the host in front, and the stamp in ISO', '$host $remote_addr [$time_iso8601] "$request" $status', 0],
  [
    'the stamp in front, as far as the address',
    '[$time_local] $status "$request" $remote_addr "$http_referer"',
    0,
  ],
  ['the stamp in front, all of it', '[$time_local] $status "$request" $remote_addr "$http_referer"', 9],
  ['Apache', '%h %l %u %t "%r" %>s %b', 0],
  ['two stamps', '$remote_addr [$time_local] $time_iso8601 "$request"', 0],
  ['a name beside a quote', '[$time_local] $remote_addr $remote_user"$request"', 0],
  ['tabs', '$time_local\t$remote_addr\t"$request"', 9],
];

function lineOf(written: string, ip: string, name: string, at: string, line: string, rest: string): string {
  const local = `05/Jan/2026:${at} +0000`;
  if (written.startsWith('$host')) return `example.org ${ip} [2026-01-05T${at}+00:00] "${line}"${rest}`;
  if (written.startsWith('[$time_local] $status')) return `[${local}] 200 "${line}" ${ip} "${name}"`;
  if (written.includes('$time_iso8601'))
    return `${ip} [${local}] 2026-01-05T${at.replace('\n', '1')}+00:00 "${line}"`;
  if (written.includes('$remote_user"')) return `[${local}] ${ip} ${name === '""' ? '"" ' : name}"${line}"`;
  if (written.includes('\t')) return `${local}\t${ip}\t"${line}"`;
  return `${ip} - ${name} [${local}] "${line}"${rest}`.replace(`${NOBODY} `, '');
}

describe.each(FORMATS)('%s', (_, written, more) => {
  it('is read as line by line', () => {
    const each = fc
      .tuple(
        who,
        user,
        time,
        request,
        tail,
        fc.oneof(often([]), fc.array(mutation, { minLength: 1, maxLength: 2 })),
        fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n', '\r\r\n', '\n\r\n'),
      )
      .map(
        ([ip, name, at, line, rest, mutations, end]) =>
          `${mutate(lineOf(written, ip, name, at, line, rest), mutations)}${end}`,
      );
    const { readAll, readMany } = readers(written, more);
    let many = 0;
    fc.assert(
      fc.property(fc.array(each, { minLength: 20, maxLength: 60 }), fc.boolean(), (lines, isCut) => {
        const text = lines.join('');
        const bytes = Buffer.from(isCut ? text.trimEnd() : text, 'latin1');
        const found = readMany(bytes);
        expect(found.all).toEqual(readAll(bytes));
        many += found.many;
      }),
      { numRuns: 20 },
    );
    expect(many).toBeGreaterThan(100);
  });
});

it('of ordinary lines it is sure, however many there are, in whichever minute', () => {
  const { readAll, readMany } = readers('combined');
  const lines = Array.from({ length: 5_000 }, (_, n) => {
    const at = `10:${String(Math.floor(n / 1_500) + 10)}:${String(Math.floor(n / 25) % 60).padStart(2, '0')}`;
    const ip = n % 3 === 0 ? `2001:db8:${n.toString(16)}::${n % 7}` : `198.51.100.${n % 256}`;
    return lineOf('combined', ip, '-', at, 'GET / HTTP/1.1', ' 200 12 "-" "x"');
  });
  const bytes = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
  const { all, many } = readMany(bytes);
  expect(all).toEqual(readAll(bytes));
  // The first of each minute tells which one it is.
  expect(many).toBe(5_000 - 4);
});

it('an address is read wherever readWords reads it', () => {
  const { readAll, readMany } = readers('combined');
  let readable = 0;
  fc.assert(
    fc.property(fc.array(address, { minLength: 50, maxLength: 100 }), (addresses) => {
      const lines = ['192.0.2.7', ...addresses].map((ip) =>
        lineOf('combined', ip, '-', '10:11:12', 'GET / HTTP/1.1', ''),
      );
      const bytes = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
      const { all, many } = readMany(bytes);
      expect(all).toEqual(readAll(bytes));
      // The first line of all tells the minute.
      expect(many).toBeGreaterThanOrEqual(all.length - 1);
      readable += many;
    }),
    { numRuns: 30 },
  );
  expect(readable).toBeGreaterThan(500);
});

it.each(['$remote_addr:$remote_port [$time_local]', '$remote_addr [$msec]', '$remote_addr "$request"'])(
  'left to access.ts: %s',
  (written) => {
    const parsed = parseLogFormat(written);
    if (!parsed.ok) throw new Error(parsed.message);
    const { variables } = parsed.format;
    const timeSlot = variables.findIndex((name) => TIME_VARIABLES.includes(name));
    expect(planReading(parsed.format, 0, variables.indexOf(ADDRESS_VARIABLE), timeSlot)).toBeUndefined();
  },
);

it('rows leave the room in front of the text to what may be looked for there', () => {
  expect(ROWS + MOST_ROWS * ROW * 4).toBeLessThanOrEqual(TEXT - 256);
});
