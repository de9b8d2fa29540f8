import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { createStamps, findStamp, formatDuration, formatInstant, parseDuration } from '../src/time.ts';

const NOW = Date.UTC(2026, 0, 5, 12, 0, 0);
const iso = (text: string): number => Date.parse(text);

describe('durations', () => {
  test.each([
    [90, 90_000],
    ['90', 90_000],
    ['90s', 90_000],
    ['1.5', 1_500],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['250ms', 250],
    ['forever', Infinity],
  ])('%s is read', (written, duration) => expect(parseDuration(written)).toBe(duration));

  test.each(['', ' ', '-1', 'm', '1h 30m', '10x', '1y', '1e3', 'Forever', '9'.repeat(30) + 'w'])(
    'only what is a duration is read as one: "%s"',
    (written) => expect(parseDuration(written)).toBeUndefined(),
  );

  test('a negative or endless number is no duration', () => {
    expect(parseDuration(-1)).toBeUndefined();
    expect(parseDuration(Infinity)).toBeUndefined();
  });

  test('whole seconds are written so that they are read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
    expect(formatDuration(Infinity)).toBe('forever');
    expect(formatDuration(5_400_000)).toBe('1h30m');
    expect(formatDuration(250)).toBe('250ms');
  });

  test('an instant is written in UTC with milliseconds', () => {
    expect(formatInstant(NOW)).toBe('2026-01-05T12:00:00.000Z');
  });
});

describe('the layouts of stamps', () => {
  const stamps = createStamps('UTC');
  test.each([
    ['05/Jan/2026:10:11:12 +0100', '2026-01-05T09:11:12Z'],
    ['[05/Jan/2026:10:11:12 -0330]', '2026-01-05T13:41:12Z'],
    ['2026/01/05 10:11:12', '2026-01-05T10:11:12Z'],
    ['2026-01-05T10:11:12', '2026-01-05T10:11:12Z'],
    ['2026-01-05 10:11:12', '2026-01-05T10:11:12Z'],
    ['2026-01-05 10:11:12,123', '2026-01-05T10:11:12.123Z'],
    ['2026-01-05T10:11:12.5Z', '2026-01-05T10:11:12.500Z'],
    ['2026-01-05T10:11:12.123456789+01:00', '2026-01-05T09:11:12.123Z'],
    ['2026-01-05T10:11:12-0800', '2026-01-05T18:11:12Z'],
    ['2026-01-05 10:11:12.123 +0100', '2026-01-05T09:11:12.123Z'],
    ['2026-01-05T23:59:60Z', '2026-01-06T00:00:00Z'],
    ['Jan  5 10:11:12', '2026-01-05T10:11:12Z'],
    ['Jan 5 10:11:12', '2026-01-05T10:11:12Z'],
    ['05-Jan-2026 10:11:12 +0200', '2026-01-05T08:11:12Z'],
    ['[05-Jan-2026 10:11:12.500 -0100]', '2026-01-05T11:11:12.500Z'],
    ['@40000000695b8e4a1dcd6500', '2026-01-05T10:11:12.500Z'],
    ['Jan 05 10:11:12', '2026-01-05T10:11:12Z'],
    ['Dec 31 10:11:12', '2025-12-31T10:11:12Z'],
    ['Jan  5 10:11:12.123456', '2026-01-05T10:11:12.123Z'],
    ['[Jan  5 10:11:12]', '2026-01-05T10:11:12Z'],
    ['2026/01/05 10:11:12.5', '2026-01-05T10:11:12.500Z'],
    ['[Mon Jan 05 10:11:12.123456 2026]', '2026-01-05T10:11:12.123Z'],
    ['Mon Jan  5 10:11:12 2026', '2026-01-05T10:11:12Z'],
    ['Mon Jan  5 10:11:12 UTC 2026', '2026-01-05T10:11:12Z'],
    ['Mon Jan  5 10:11:12 CEST 2026', '2026-01-05T10:11:12Z'],
    ['2026-01-05T10:11:12,123+0100', '2026-01-05T09:11:12.123Z'],
    ['2026-01-05T10:11:12.123456Z', '2026-01-05T10:11:12.123Z'],
    ['2026-01-05  9:11:12', '2026-01-05T09:11:12Z'],
    ['2026-01-05 10:11:12.123 UTC', '2026-01-05T10:11:12.123Z'],
    ['2026-01-05 10:11:12 GMT', '2026-01-05T10:11:12Z'],
    ['05-Jan-2026 10:11:12.123', '2026-01-05T10:11:12.123Z'],
    ['05 Jan 2026 10:11:12.123', '2026-01-05T10:11:12.123Z'],
    ['05.01.2026 10:11:12', '2026-01-05T10:11:12Z'],
    ['20260105 10:11:12', '2026-01-05T10:11:12Z'],
    ['260105 10:11:12', '2026-01-05T10:11:12Z'],
    ['260105  9:11:12', '2026-01-05T09:11:12Z'],
    ['05/Jan/2026:10:11:12.655', '2026-01-05T10:11:12.655Z'],
    ['1767604272', '2026-01-05T09:11:12Z'],
    ['1767604272.123', '2026-01-05T09:11:12.123Z'],
    ['1767604272.5', '2026-01-05T09:11:12.500Z'],
    ['1767604272123', '2026-01-05T09:11:12.123Z'],
    ['1767604272123.75', '2026-01-05T09:11:12.123Z'],
    ['1767604272123456', '2026-01-05T09:11:12.123Z'],
    ['1767604272123456789', '2026-01-05T09:11:12.123Z'],
  ])('%s', (written, instant) => {
    expect(stamps.field(written, NOW)).toBe(iso(instant));
    const line = `x ${written} and more`;
    expect(stamps.at(line, 2, NOW)).toEqual({ instant: iso(instant), end: 2 + written.length });
    // A second reading, from memory, says the same.
    expect(stamps.at(line, 2, NOW)).toEqual({ instant: iso(instant), end: 2 + written.length });
    expect(stamps.at(line, 3, NOW)).not.toEqual({ instant: iso(instant), end: 2 + written.length });
  });

  test.each([
    '',
    '[',
    'Feb 30 10:11:12',
    'Jan  0 10:11:12',
    'jan  5 10:11:12',
    'anF  5 10:11:12',
    'Jan  5 24:11:12',
    'Jan 5 24:11:12',
    'Jan 5  10:11:12',
    'Jan 0 10:11:12',
    'Jan  5 10:11:123',
    '2026-02-29T10:11:12Z',
    '2026-13-01 10:11:12',
    '2026-01-05',
    '2026-01-05 10:11',
    '2026/01/05 10:11:1x',
    '2026/01/05T10:11:12',
    '1969/12/31 10:11:12',
    '32/Jan/2026:10:11:12 +0100',
    '05/Jan/2026:10:11:12',
    '05/Jan/2026:10:11:12 +01',
    '05/Jan/2026:10:11:12 +0199',
    '176760427',
    '17676042721',
    '1767604272.',
    '-1767604272',
    '1767604272 ',
    'Mon Feb 30 10:11:12 2026',
    'Mon Jan  5 10:11:12',
    'Mon Jan  5 10:11:12 20260',
    'Mon Jan  5 10:11:12 utc 2026',
    'Day Jan  5 10:11:12 2026',
    '30-Feb-2026 10:11:12',
    '05-Jan 2026 10:11:12',
    '05-01-2026 10:11:12',
    '05/01/2026 10:11:12',
    '31.04.2026 10:11:12',
    '01.13.2026 10:11:12',
    '20260230 10:11:12',
    '20261301 10:11:12',
    '261301 10:11:12',
    '260105 24:11:12',
    '260105 10:11:123',
    '05/Jan/2026:10:11:12.65',
    '05/Jan/2026:10:11:12.6555',
    '32/Jan/2026:10:11:12.655',
    '2026-01-05T 9:11:12',
    '2026-01-05 10:11:12 UTCX',
    '2026-01-05 10:11:12 CET',
  ])('"%s" is no stamp as a whole', (text) => expect(stamps.field(text, NOW)).toBeUndefined());

  test('of a zone that is only an abbreviation, UTC is taken along and any other left to the line', () => {
    const berlin = createStamps('Europe/Berlin');
    const postgres = (zone: string) => berlin.at(`2026-01-05 10:11:12.123 ${zone} [812] LOG:  x`, 0, NOW);
    expect(postgres('UTC')).toEqual({ instant: iso('2026-01-05T10:11:12.123Z'), end: 27 });
    expect(postgres('CET')).toEqual({ instant: iso('2026-01-05T09:11:12.123Z'), end: 23 });
    expect(postgres('UTC+1')).toEqual({ instant: iso('2026-01-05T09:11:12.123Z'), end: 23 });
  });

  test('what was read last does not answer for another stamp that begins alike', () => {
    expect(stamps.field('2026/01/05 10:11:12', NOW)).toBe(iso('2026-01-05T10:11:12Z'));
    expect(stamps.field('2026/01/05 10:11:13', NOW)).toBe(iso('2026-01-05T10:11:13Z'));
    expect(stamps.at('2026/01/05 10:11:123', 0, NOW)).toBeUndefined();
    expect(stamps.field('05/Jan/2026:10:11:12 +0000', NOW)).toBe(iso('2026-01-05T10:11:12Z'));
    expect(stamps.field('05/Jan/2026:10:12:12 +0000', NOW)).toBe(iso('2026-01-05T10:12:12Z'));
    expect(stamps.field('05/Jan/2026:10:12:13 +0000', NOW)).toBe(iso('2026-01-05T10:12:13Z'));
    expect(stamps.at('Jan  5 10:11:1', 0, NOW)).toBeUndefined();
  });

  test('a reader that knows a minute reads any stamp as one that knows none', () => {
    const near = fc.record({
      day: fc.constantFrom('05', '06'),
      minute: fc.constantFrom('10:11', '10:12'),
      second: fc.constantFrom('00', '12', '59', '60', '1', '123'),
      zone: fc.constantFrom('+0100', '-0330'),
      form: fc.constantFrom<(day: string, time: string, zone: string) => string>(
        (day, time) => `2026/01/${day} ${time}`,
        (day, time, zone) => `${day}/Jan/2026:${time} ${zone}`,
        (day, time) => `Jan ${day.replace('0', ' ')} ${time}`,
        (day, time) => `Jan ${day.replace('0', ' ')} ${time}.250`,
        (day, time, zone) => `2026-01-${day}T${time}${zone}`,
      ),
      later: fc.constantFrom(0, 12 * 3_600_000, 365 * 86_400_000),
      behind: fc.constantFrom('', ' ', '] ', '5', '.7'),
    });
    fc.assert(
      fc.property(fc.array(near, { minLength: 10, maxLength: 30 }), (all) => {
        const knowing = createStamps('Europe/Berlin');
        for (const { form, day, minute, second, zone, later, behind } of all) {
          const text = form(day, `${minute}:${second}`, zone) + behind;
          expect(knowing.at(text, 0, NOW + later)).toEqual(
            createStamps('Europe/Berlin').at(text, 0, NOW + later),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  test('no text makes it fail', () => {
    const parts = [
      'Jan',
      ' ',
      '5',
      '10:11:12',
      '[',
      ']',
      '2026',
      '-',
      '/',
      ':',
      'T',
      '.',
      '+0100',
      '<34>',
      '1767604272',
      'Mon ',
      '05-Jan-2026 ',
      '05.01.2026 ',
      '260105 ',
      ' UTC',
      '\xff',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...parts), fc.string())), (pieces) => {
        const text = pieces.join('');
        const stamp = stamps.at(text, 0, NOW);
        if (stamp) expect(stamp.end).toBeLessThanOrEqual(text.length);
        expect(
          findStamp(text, stamps, NOW) === undefined || Number.isSafeInteger(findStamp(text, stamps, NOW)),
        ).toBe(true);
      }),
    );
  });
});

describe('the year that syslog leaves out', () => {
  const read = (text: string, now: string): string | undefined => {
    const instant = createStamps('UTC').field(text, iso(now));
    return instant === undefined ? undefined : formatInstant(instant);
  };
  test.each([
    ['Dec 31 23:59:59', '2026-01-01T00:00:01Z', '2025-12-31T23:59:59.000Z'],
    ['Jan  1 00:00:01', '2025-12-31T23:59:59Z', '2026-01-01T00:00:01.000Z'],
    ['Jan  1 12:00:00', '2025-12-31T23:59:59Z', '2026-01-01T12:00:00.000Z'],
    ['Jan  5 10:00:00', '2025-12-31T23:59:59Z', '2025-01-05T10:00:00.000Z'],
    ['Jan  5 10:00:00', '2026-12-31T23:59:59Z', '2026-01-05T10:00:00.000Z'],
    ['Jun  1 10:00:00', '2026-05-20T00:00:00Z', '2025-06-01T10:00:00.000Z'],
    ['Feb 29 10:00:00', '2026-03-01T00:00:00Z', '2024-02-29T10:00:00.000Z'],
    ['Feb 29 10:00:00', '2024-02-28T23:59:00Z', '2024-02-29T10:00:00.000Z'],
    ['Feb 29 10:00:00', '2024-02-01T00:00:00Z', '2020-02-29T10:00:00.000Z'],
    ['Feb 29 10:00:00', '2103-01-01T00:00:00Z', '2096-02-29T10:00:00.000Z'],
  ])('%s read at %s is %s', (text, now, instant) => expect(read(text, now)).toBe(instant));

  test('a reader that lives through New Year does not keep the old year', () => {
    const stamps = createStamps('UTC');
    expect(stamps.field('Jan  5 10:00:00', iso('2025-12-31T23:59:59Z'))).toBe(iso('2025-01-05T10:00:00Z'));
    expect(stamps.field('Jan  5 10:00:00', iso('2026-01-05T10:00:00Z'))).toBe(iso('2026-01-05T10:00:00Z'));
  });
});

describe('zones', () => {
  const read = (text: string, zone: string | undefined): string =>
    formatInstant(createStamps(zone).field(text, NOW)!);

  test.each([
    ['2026-01-05 10:11:12', 'Europe/Berlin', '2026-01-05T09:11:12.000Z'],
    ['2026/07/05 10:11:12', 'Europe/Berlin', '2026-07-05T08:11:12.000Z'],
    ['Dec 30 10:11:12', 'America/New_York', '2025-12-30T15:11:12.000Z'],
    ['2026-01-05 10:11:12.250', 'Asia/Kathmandu', '2026-01-05T04:26:12.250Z'],
    ['2026-01-05T10:11:12Z', 'Asia/Kathmandu', '2026-01-05T10:11:12.000Z'],
  ])('%s in %s', (text, zone, instant) => expect(read(text, zone)).toBe(instant));

  test('an hour that is shown twice is the first one, an hour that is skipped is read as before the change', () => {
    expect(read('2026-10-25 01:59:59', 'Europe/Berlin')).toBe('2026-10-24T23:59:59.000Z');
    expect(read('2026-10-25 02:30:00', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(read('2026-10-25 03:00:00', 'Europe/Berlin')).toBe('2026-10-25T02:00:00.000Z');
    expect(read('2026-03-29 01:59:59', 'Europe/Berlin')).toBe('2026-03-29T00:59:59.000Z');
    expect(read('2026-03-29 02:30:00', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
    expect(read('2026-03-29 03:00:00', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z');
  });

  test('without a zone the host’s is taken, as Date reads it', () => {
    const stamps = createStamps(undefined);
    for (let hour = 0; hour < 24 * 365; hour += 5) {
      const local = new Date(2025, 0, 1, hour, 30);
      const two = (value: number): string => String(value).padStart(2, '0');
      const text = `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())} ${two(local.getHours())}:${two(local.getMinutes())}:00`;
      expect(stamps.field(text, NOW)).toBe(new Date(text.replace(' ', 'T')).getTime());
    }
  });

  test('a zone that the system does not know is refused', () => {
    expect(() => createStamps('Mars/Olympus')).toThrow(RangeError);
  });
});

describe('a stamp somewhere in a line', () => {
  const stamps = createStamps('UTC');
  test.each([
    ['Jan  5 10:11:12 web sshd[812]: Failed password for root', '2026-01-05T10:11:12Z'],
    ['<38>Jan  5 10:11:12 web sshd[812]: x', '2026-01-05T10:11:12Z'],
    ['<38>1 2026-01-05T10:11:12.25Z web sshd 812 - - x', '2026-01-05T10:11:12.250Z'],
    ['2026/01/05 10:11:12 [error] 33#33: *1 user "x"', '2026-01-05T10:11:12Z'],
    ['[2026-01-05T10:11:12Z WARN app] x', '2026-01-05T10:11:12Z'],
    ['192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 200', '2026-01-05T10:11:12Z'],
    [
      '{"log":"a [05/Jan/2030:00:00:00 +0000] \\"time\\":\\"2030-01-05T10:11:12Z\\"\\n","stream":"stdout","time":"2026-01-05T10:11:12.5Z"}',
      '2026-01-05T10:11:12.500Z',
    ],
    [
      '2026-01-05T10:11:12.5Z stdout F 192.0.2.7 - - [05/Jan/2030:00:00:00 +0000] "GET',
      '2026-01-05T10:11:12.500Z',
    ],
    ['{"level":30,"time":1767604272123,"msg":"x"}', '2026-01-05T09:11:12.123Z'],
    ['2001:db8::1 - [x] [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 200', '2026-01-05T10:11:12Z'],
  ])('%s', (line, instant) => expect(findStamp(line, stamps, NOW)).toBe(iso(instant)));

  test('a user named like a stamp does not set the clock of an access log', () => {
    const line = '192.0.2.7 - [01/Jan/2030:00:00:00 +0000] [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 401';
    expect(findStamp(line, stamps, NOW)).toBe(iso('2026-01-05T10:11:12Z'));
  });

  test.each(['', '<', '<>', '<38>', 'GET / HTTP/1.1', '\x00\xff[[[[[[[[[[[[['])('"%s" has none', (line) =>
    expect(findStamp(line, stamps, NOW)).toBeUndefined(),
  );
});
