import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/address.ts';
import { nearest, printable, utf8 } from '../src/text.ts';

describe('printable', () => {
  it.each([
    ['plain text', 'plain text'],
    ['Grüße 日本 🙂', 'Grüße 日本 🙂'],
    ['\x1b[2J\x07', '\\x1b[2J\\x07'],
    ['one\r\ntwo\tthree', 'one\\x0d\\x0atwo\\x09three'],
    ['\x9b31m', '\\x9b31m'],
    ['user\u202egpj.exe', 'user\\u202egpj.exe'],
    ['\u200b\ufeff\u2028\u2066', '\\u200b\\ufeff\\u2028\\u2066'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}\u{10ffff}', '\\u{e0041}\\u{10ffff}'],
    ['C:\\x1b', 'C:\\\\x1b'],
  ])('%j is shown as %s', (hostile, shown) => {
    expect(printable(hostile)).toBe(shown);
  });

  it('cuts what is too long, and no character in half', () => {
    expect(printable('abcdef', 3)).toBe('abc…');
    expect(printable('abc', 3)).toBe('abc');
    expect(printable('ab🙂🙂', 3)).toBe('ab…');
    expect(printable('ab🙂🙂', 4)).toBe('ab🙂…');
  });

  it('leaves nothing that a terminal could obey', () => {
    const codes = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 0x3000 }), fc.integer({ min: 0, max: 0x10ffff })),
    );
    fc.assert(
      fc.property(codes, (code) => {
        const text = String.fromCodePoint(...code);
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('shows different texts differently', () => {
    const texts = ['\x1b', '\\x1b', '\\\\x1b', '\u202e', '\\u202e'];
    expect(new Set(texts.map((text) => printable(text))).size).toBe(texts.length);
  });
});

describe('bytes read as latin1', () => {
  it('are decoded as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(utf8(Buffer.from(text, 'utf8').toString('latin1'))).toBe(text);
      }),
    );
  });

  it('that are kept don’t keep the chunk that they were cut from', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => process.memoryUsage().external + process.memoryUsage().heapUsed;
    const bytes = Buffer.alloc(1 << 20, 'x');
    bytes.write('Failed password for root from 192.168.100.100 port 22');
    const kept: unknown[] = [];
    collect();
    const before = held();
    for (let i = 0; i < 128; i++) {
      const chunk = bytes.toString('latin1');
      kept.push(utf8(chunk.slice(0, 53)), parseAddress(chunk.slice(30, 45))?.text);
    }
    collect();
    expect(kept.slice(-2)).toEqual([
      'Failed password for root from 192.168.100.100 port 22',
      '192.168.100.100',
    ]);
    // Views would hold 128 MiB. Half of that leaves room for what the collector has not given back yet.
    expect(held() - before).toBeLessThan(64 << 20);
  });

  it('that are no UTF-8 become the replacement character', () => {
    expect(utf8('a\xffb')).toBe('a\ufffdb');
    expect(utf8('cut \xe2\x82')).toBe('cut \ufffd');
  });
});

it.each([
  ['maxretry', 'maxRetry'],
  ['maxRetyr', 'maxRetry'],
  ['fidnTime', 'findTime'],
  ['bantime', 'banTime'],
  ['log', 'logs'],
  ['logs', 'logs'],
  ['colour', undefined],
  ['x', undefined],
])('the known word nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['maxRetry', 'findTime', 'banTime', 'logs', 'ports'])).toBe(expected);
});
