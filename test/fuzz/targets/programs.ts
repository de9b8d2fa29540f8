// What other programs say: journalctl's export format, nft's and ipset's listings.
import { BailiffError } from '../../../src/errors.ts';
import { readBans, readPorts } from '../../../src/firewall/iptables-listing.ts';
import { readBanSet } from '../../../src/firewall/iptables-sets.ts';
import { createElementCutter } from '../../../src/firewall/nft-elements.ts';
import { readLayout, readOwners, readTable } from '../../../src/firewall/nft-listing.ts';
import { instantOf } from '../../../src/sources/cursor.ts';
import { createEntryReader, type Entry } from '../../../src/sources/export-format.ts';
import { createLineMaker } from '../../../src/sources/journal-lines.ts';
import { holds, same, type Target } from '../target.ts';

const NOW = Date.UTC(2026, 0, 6);
const LIMIT = 256;

function entriesOf(bytes: Buffer, cuts: (at: number) => number): Entry[] {
  const reader = createEntryReader(LIMIT);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + Math.max(1, cuts(at)));
    reader.push(bytes.subarray(at, next));
    for (let entry = reader.next(); entry; entry = reader.next()) entries.push(entry);
    at = next;
  }
  return entries;
}

const told = (entries: readonly Entry[]): unknown => entries.map(({ fields, isCut }) => [[...fields], isCut]);

function exported(fields: readonly (readonly [string, string])[]): Buffer {
  const parts = fields.map(([name, value]) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(value.length));
    return Buffer.concat([Buffer.from(`${name}\n`), length, Buffer.from(value, 'latin1'), Buffer.from('\n')]);
  });
  return Buffer.concat([...parts, Buffer.from('\n')]);
}

export function journalTarget(): Target {
  return {
    name: 'journal',
    holds: 'wherever the pipe cuts, the entries are the same; an entry is one line; a message forges neither',
    seeds: [
      '__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1767607872123456\nMESSAGE=plain\n_PID=1\n\n',
      '__CURSOR=a\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb\nc\n_STREAM_ID=x\n_LINE_BREAK=nul\n\n',
      'MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffx',
      'SYSLOG_RAW=x\0y\nCONTAINER_ID_FULL=c\nCONTAINER_PARTIAL_MESSAGE=true\n\n',
    ],
    words: [
      'MESSAGE=',
      'MESSAGE\n',
      '\n\n',
      '_PID=',
      '_HOSTNAME=',
      'SYSLOG_IDENTIFIER=',
      '__REALTIME_TIMESTAMP=',
      '\x05\0\0\0\0\0\0\0',
      '_STREAM_ID=',
      '_LINE_BREAK=line-max',
      '__CURSOR=',
    ],
    longest: 2_048,
    run(input) {
      const bytes = Buffer.from(input, 'latin1');
      const whole = entriesOf(bytes, () => bytes.length);
      same(told(entriesOf(bytes, (at) => (input.charCodeAt(at) % 7) + 1)), told(whole), 'cut otherwise');
      const maker = createLineMaker([]);
      for (const entry of whole) {
        const { text } = maker.lineOf(entry);
        holds(
          text.endsWith('\n') &&
            !/[\0-\x09\x0b-\x1f\x7f]/.test(text) &&
            text.indexOf('\n') === text.length - 1,
          'not one line',
          text,
        );
        instantOf(entry.fields.get('__CURSOR') ?? '');
      }
      const value = input.slice(0, LIMIT);
      const own = entriesOf(
        exported([
          ['__CURSOR', 'c'],
          ['MESSAGE', value],
          ['_PID', '1'],
        ]),
        () => 5,
      );
      same(
        told(own),
        [
          [
            [
              ['__CURSOR', 'c'],
              ['MESSAGE', value],
              ['_PID', '1'],
            ],
            false,
          ],
        ],
        'written and read',
      );
    },
  };
}

export function nftTarget(): Target {
  const listing = (elements: string): string =>
    `{"nftables":[{"metainfo":{"version":"1.0.6"}},{"table":{"family":"inet","name":"bailiff","handle":1}},{"set":{"family":"inet","name":"ban4_32_any","table":"bailiff","type":"ipv4_addr","flags":["timeout"],"elem":[${elements}]}},{"set":{"family":"inet","name":"owner_812_99","table":"bailiff"}},{"chain":{"family":"inet","table":"bailiff","name":"prerouting","type":"filter","hook":"prerouting","prio":-300,"policy":"accept"}},{"rule":{"family":"inet","table":"bailiff","chain":"prerouting","expr":[{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":"@ban4_32_any"}},{"counter":{"packets":1,"bytes":2}},{"drop":null}]}}]}`;
  return {
    name: 'nft',
    holds:
      'any listing is read or refused as unreadable; what it blocks are addresses of the sets that a rule asks',
    seeds: [
      listing('"192.0.2.7", {"elem": {"val": "192.0.2.9", "timeout": 630, "expires": 629}}'),
      listing('{"elem":{"val":"192.0.2.9","comment":"a\\"}}","expires":1}}'),
      listing('').replace('"@ban4_32_any"', '{"set":[22,{"range":[8000,8002]}]}').replace('saddr', 'dport'),
      '{"nftables":[]}',
      'Error: No such file or directory',
    ],
    words: [
      '"elem":[',
      '"elem": {"val": "',
      '"expires": ',
      '{"range":[0,65535]}',
      '"right":"@ban4_32_any"',
      '"dport"',
      '"tcp"',
      'null',
      '"ban6_64_tcp_22"',
      '1e9',
      '-1',
      '"owner_1_2"',
    ],
    async run(input) {
      for (const read of [readLayout, readOwners]) refusedAtMost(() => read(input));
      try {
        const listing = createElementCutter();
        // As it comes: in pieces that end anywhere.
        for (let at = 0, length = 1; at < input.length; at += length, length = (length % 97) + 1)
          listing.take(input.slice(at, at + length));
        const { blocks } = readTable(listing, NOW);
        for (const { network, until } of blocks)
          holds(
            network.bits <= 128 && (until === undefined || Number.isFinite(until)),
            'no block',
            network.text,
            until,
          );
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    },
  };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof BailiffError && error.code === 'E_FIREWALL_UNAVAILABLE';

function refusedAtMost(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

export function ipsetTarget(): Target {
  const set = readBanSet('bailiff-ban4-32-any')!;
  return {
    name: 'ipset',
    holds: 'any listing is read, and what it blocks are addresses of the set',
    seeds: [
      'create bailiff-ban4-32-any hash:net family inet timeout 0 comment\nadd bailiff-ban4-32-any 192.0.2.7 timeout 599 comment "until 1798675200000"\nadd x 192.0.2.0/24 timeout 0\n',
      'add bailiff-ports-22 22\nadd bailiff-ports-22 80\n',
    ],
    words: ['add x ', ' timeout ', ' comment "until ', '192.0.2.7', '0.0.0.0/1', '\n'],
    async run(input) {
      for (const port of readPorts(input)) holds(port >= 0, 'no port', port);
      readBanSet(input);
      const { blocks, renewals } = await readBans(input, set, { protocol: 'any', ports: [] }, NOW);
      for (const { network } of blocks)
        holds(network.family === 4 && network.bits === 32, 'not of the set', network.text);
      for (const line of renewals) holds(!/\n/.test(line), 'two commands in a line', line);
    },
  };
}
