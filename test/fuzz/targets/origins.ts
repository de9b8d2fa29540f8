// Who a line is about: addresses, forwarding headers; and paths, stamps, durations and printable text.
import { fromStored, mask, parseAddress, parseNetwork, toStored } from '../../../src/address.ts';
import { createAddressReader } from '../../../src/filters/addresses.ts';
import { createForwarding, createOriginReader } from '../../../src/filters/forwarded.ts';
import { pathOf, plainPath, queryOf, splitRequest } from '../../../src/filters/path.ts';
import { createStamps, findStamp, formatDuration, formatInstant, parseDuration } from '../../../src/time.ts';
import { beginningOf, nearest, printable, utf8 } from '../../../src/text.ts';
import { holds, same, type Target } from '../target.ts';

const NOW = Date.UTC(2026, 0, 6);
const CLIENT = '192.0.2.7';
const PROXY = parseAddress('10.0.0.1')!;

export function addressesTarget(): Target {
  const read = createAddressReader();
  return {
    name: 'addresses',
    holds:
      'what is read is canonical: printed and read again it is the same, as bytes too; no octal, no zone',
    seeds: [
      '192.0.2.7',
      '::ffff:192.0.2.7',
      '[2001:db8::1]:443',
      '2001:db8::/32',
      '127.0.0.1/8',
      '64:ff9b::192.0.2.1',
      '192.0.2.7:80.',
      '010.0.0.1',
      'fe80::1%eth0',
    ],
    words: [
      '::',
      ':',
      '.',
      '/',
      '0',
      '255',
      'ffff',
      '%',
      '[',
      ']',
      '::ffff:',
      '64:ff9b::',
      '0x',
      '/128',
      '/96',
    ],
    longest: 128,
    run(input) {
      read(input);
      const parsed = parseNetwork(input);
      if (!parsed) {
        holds(parseAddress(input) === undefined, 'an address, but no network');
        return;
      }
      const { network } = parsed;
      same(parseNetwork(network.text), { network, hostBits: false }, 'printed and read');
      const { bytes, bits } = toStored(network);
      // Within ::ffff:0:0/96 a shorter prefix is IPv6.
      same(fromStored(bytes, bits).text, network.text, 'stored and fetched');
      same(mask(network, network.bits).text, network.text, 'masked by its own length');
      holds(!/%|^0\d+[.]|[.]0\d/.test(input), 'an octal or a zone', input);
      holds(!/^::ffff:[^:]+:[^:]+$/.test(network.text), 'IPv4 in a coat', network.text);
    },
  };
}

export function forwardedTarget(): Target {
  const read = createAddressReader();
  const forwarding = createForwarding([PROXY], read)!;
  const behindProxy = createOriginReader([PROXY], read);
  const direct = createOriginReader([], read);
  return {
    name: 'forwarded',
    holds:
      'whatever the headers say, nobody is named but who connected or whom a trusted proxy has added at their end',
    seeds: [
      '203.0.113.9',
      '203.0.113.9, 10.0.0.1',
      'for=203.0.113.9;proto=http, for="[2001:db8::9]:1"',
      'unknown, "',
      'for="_x',
      '", 203.0.113.9',
    ],
    words: [', ', 'for=', 'For=', ';by=', '"', '"[', ']"', ';', '10.0.0.1', '=', '\\"'],
    longest: 1_024,
    run(input) {
      const told = [
        `${input}, ${CLIENT}`,
        `${input},for=${CLIENT}`,
        `${input}, for="${CLIENT}:1";proto=https`,
      ];
      for (const header of told) same(forwarding.clientOf([header])?.text, CLIENT, header);
      // The proxy writes one, and hands the other on as it came.
      for (const headers of [
        [CLIENT, input],
        [input, CLIENT],
      ]) {
        const client = forwarding.clientOf(headers)?.text;
        holds(client === undefined || client === CLIENT, 'another is named', client, headers);
      }
      // Trusted or not, a stranger's header says nothing.
      const stranger = parseAddress('198.51.100.4')!;
      same(behindProxy(stranger, [input])?.address.text, stranger.text, 'a header of a stranger');
      same(direct(stranger, [input])?.address.text, stranger.text, 'a header, and no proxy trusted');
      same(direct(undefined, [`${input}, ${CLIENT}`])?.address.text, CLIENT, 'a list without a proxy');
      same(
        behindProxy(undefined, [`${input}, ${CLIENT}, 10.0.0.1`])?.address.text,
        CLIENT,
        'a list behind a proxy',
      );
    },
  };
}

export function pathsTarget(): Target {
  return {
    name: 'paths',
    holds:
      'a path is resolved: no //, no dots, nothing left to decode twice; the quick way says what the long way says',
    seeds: [
      '/login',
      '//a/./b/../%6cogin?x=1#y',
      'http://host/x',
      '/%2e%2e/',
      '/a%00',
      'POST /a b HTTP/1.1',
      '/x/.y/..z/',
    ],
    words: ['%2e', '%2f', '%25', '%00', '../', './', '//', '?', '#', 'http://', ' HTTP/1.1', 'GET ', '\\'],
    run(input) {
      queryOf(input);
      const path = pathOf(input);
      if (path !== undefined) {
        holds(path.startsWith('/') && !path.includes('\0'), 'no path', path);
        holds(
          path
            .split('/')
            .slice(1, -1)
            .every((part) => part !== '' && part !== '.' && part !== '..'),
          'not resolved',
          path,
        );
        const written = path.replace(/[%?#]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
        same(pathOf(written), path, 'written and read');
      }
      const { method, target } = splitRequest(input);
      const quick = plainPath(`<${input}>`, 1, input.length + 1);
      if (quick !== undefined) same(quick, method === '' ? undefined : pathOf(target), 'the quick way');
    },
  };
}

export function stampsTarget(): Target {
  const stamps = createStamps('UTC');
  const local = createStamps('Europe/Berlin');
  return {
    name: 'stamps',
    holds:
      'a stamp ends within its text, is an instant that can be written, and one written as ISO 8601 is read as it was',
    seeds: [
      'Jan  5 10:11:12',
      '2026-01-05T10:11:12.123+01:00',
      '05/Jan/2026:10:11:12 +0000',
      '1767607872.123',
      '@4000000052f5b8a8',
      '[Mon Jan 05 10:11:12.123456 2026]',
      '2026/01/05 10:11:12',
      '{"time":"2026-01-05T10:11:12Z"}',
      '<34>1 2026-01-05T10:11:12Z x',
      '29 Feb 2025 23:59:60',
      '2026-03-29 02:30:00',
    ],
    words: [
      'Jan',
      'Feb',
      '29',
      '31',
      '24:00:00',
      ':60',
      '.999999999',
      'Z',
      '+14:00',
      '-0000',
      ' +0100',
      '9999',
      '0000',
      '1969',
      '[',
      ']',
      'T',
      '/',
      'Mon ',
      'AM',
      'PM',
      'CEST',
    ],
    longest: 512,
    run(input) {
      for (const reader of [stamps, local]) {
        for (const from of [0, 1, input.length >> 1]) {
          const stamp = reader.at(input, from, NOW);
          if (!stamp) continue;
          holds(stamp.end > from && stamp.end <= input.length, 'an end outside', stamp.end, input.length);
          holds(Math.abs(stamp.instant) <= 8.64e15, 'no instant', stamp.instant);
          same(reader.at(input, from, NOW), stamp, 'read twice');
          const written = formatInstant(stamp.instant);
          if (written.length === 24 && stamp.instant > 0)
            same(reader.field(written, NOW), Date.parse(written), written);
        }
        const found = findStamp(input, reader, NOW);
        holds(found === undefined || Number.isFinite(found), 'no instant', found);
      }
    },
  };
}

const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u;

export function textTarget(): Target {
  return {
    name: 'text',
    holds: 'printable text holds nothing that acts on a terminal; durations are read as they were printed',
    seeds: [
      'a\x1b[31mb',
      '\xe2\x80\xae',
      '1h30m',
      '90',
      'forever',
      '1.5',
      '\xf0\x9f\x98\x80',
      '10ms',
      '\\x1b',
    ],
    words: ['1w', '2d', 'ms', '\xe2\x80\x8b', '\xef\xbb\xbf', '\xc2\x9b', '\xed\xa0\x80'],
    longest: 1_024,
    run(input) {
      for (const text of [input, utf8(input), Buffer.from(input, 'latin1').toString('utf16le')]) {
        const safe = printable(text, 200);
        holds(!UNSAFE.test(safe), 'something unsafe', safe);
        // Each unit is written with ten characters at most.
        holds(safe.length <= 200 * 10 + 1, 'too long', safe.length);
        holds(beginningOf(text, 10) === text.slice(0, 10), 'another beginning');
      }
      nearest(input.slice(0, 40), ['maxRetry', 'findTime', '']);
      const duration = parseDuration(input);
      if (duration === undefined) return;
      holds(duration >= 0, 'a negative duration', duration);
      const printed = formatDuration(duration);
      same(formatDuration(parseDuration(printed)!), printed, 'printed and read');
    },
  };
}
