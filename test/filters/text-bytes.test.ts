// The bytes of parts of texts are those of the texts, whichever part was asked for before.
import { expect, test } from 'vitest';
import { TextBytes } from '../../src/filters/text-bytes.ts';

test('the bytes of any part of a text, and zeros behind the text', () => {
  const line = Array.from({ length: 251 }, (_, code) => String.fromCharCode(code + 1)).join('');
  const texts = ['', line, line.repeat(300), `${line.repeat(300)}x`, 'x'];
  const bytes = new TextBytes();
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 2_000; round++) {
    const text = texts[random(texts.length)]!;
    const from = random(text.length + 1);
    const to = from + random(Math.min(text.length - from, round % 9 === 0 ? 70_000 : 400) + 1);
    const found = bytes.of(text, from, to);
    const [first, behind] = [from - bytes.base, to - bytes.base];
    expect(Buffer.from(found.subarray(first, behind)).toString('latin1')).toBe(text.slice(from, to));
    if (to === text.length) expect([...found.subarray(behind, behind + 8)]).toEqual(Array(8).fill(0));
  }
});
