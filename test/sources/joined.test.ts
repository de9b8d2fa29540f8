// Files, journals and standard input as one: nothing lost between them, nothing held but one chunk of each.
import { setImmediate as breathe } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Chunk } from '../../src/model.ts';
import type { Feed } from '../../src/ports.ts';
import type { Sources } from '../../src/sources/contract.ts';
import { createInput, type Input } from '../../src/sources/input.ts';
import { joinSources } from '../../src/sources/joined.ts';
import { handClock } from './kit.ts';

/** A part that hands out what it is told to. */
function createPart(name: string, rows = 1) {
  const chunks: Chunk[] = [];
  let asked = 0;
  let closed = false;
  let wake: (() => void) | undefined;
  const part: Sources = {
    async next() {
      asked++;
      while (chunks.length === 0 && !closed) await new Promise<void>((resolve) => (wake = resolve));
      return chunks.shift();
    },
    caughtUp: async () => chunks.length === 0,
    status: () => Array.from({ length: rows }, () => ({}) as never),
    takeForgotten: () => [name],
    async close() {
      closed = true;
      wake?.();
    },
  };
  return {
    part,
    give(...texts: string[]): void {
      chunks.push(...texts.map((text) => ({ text: name + text }) as Chunk));
      wake?.();
    },
    end: () => void part.close(),
    get asked() {
      return asked;
    },
  };
}

const textOf = async (sources: Sources): Promise<string | undefined> => (await sources.next())?.text;

test('each part is served in its turn, however much another has', async () => {
  const [a, b] = [createPart('a'), createPart('b')];
  const sources = joinSources([a.part, b.part]);
  a.give('1', '2', '3', '4', '5');
  b.give('1', '2');
  const read: string[] = [];
  for (let i = 0; i < 7; i++) read.push((await textOf(sources))!);
  expect(read.slice(0, 4).toSorted()).toEqual(['a1', 'a2', 'b1', 'b2']);
  expect(read.filter((text) => text.startsWith('a'))).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  await sources.close();
});

test('a part is asked for its next chunk only when the one before was applied', async () => {
  const a = createPart('a');
  const sources = joinSources([a.part]);
  a.give('1', '2');
  expect(await textOf(sources)).toBe('a1');
  await breathe();
  expect(a.asked).toBe(1);
  expect(await textOf(sources)).toBe('a2');
  expect(a.asked).toBe(2);
  await sources.close();
});

test('what is held is not handed out yet', async () => {
  const [a, b] = [createPart('a'), createPart('b')];
  const sources = joinSources([a.part, b.part]);
  a.give('1');
  b.give('1');
  await sources.next();
  await breathe();
  expect(await sources.caughtUp()).toBe(false);
  await sources.next();
  expect(await sources.caughtUp()).toBe(true);
  await sources.close();
});

test('what is held can be taken at once, before what is followed changes', async () => {
  const [a, b] = [createPart('a'), createPart('b')];
  const sources = joinSources([a.part, b.part]);
  a.give('1', '2');
  b.give('1', '2');
  const first = await textOf(sources);
  await breathe();
  const held = sources.takeHeld().map(({ text }) => text);
  expect([first, ...held].toSorted((x, y) => (x! < y! ? -1 : 1))).toEqual(['a1', 'b1']);
  expect(sources.takeHeld()).toEqual([]);
  // And their parts are asked for the next ones.
  expect([a.asked, b.asked]).toEqual([1, 1]);
  const next = [(await textOf(sources))!, (await textOf(sources))!];
  expect(next.toSorted((x, y) => (x < y ? -1 : 1))).toEqual(['a2', 'b2']);
  await sources.close();
});

test('it ends when a part has ended and no other follows anything; and when it is closed', async () => {
  const [files, input] = [createPart('f', 0), createPart('i')];
  const alone = joinSources([files.part, input.part]);
  input.give('1');
  expect(await textOf(alone)).toBe('i1');
  input.end();
  expect(await textOf(alone)).toBeUndefined();

  const [more, other] = [createPart('f', 1), createPart('i')];
  const busy = joinSources([more.part, other.part]);
  other.end();
  const next = textOf(busy);
  more.give('1');
  expect(await next).toBe('f1');
  const last = textOf(busy);
  await busy.close();
  expect(await last).toBeUndefined();
});

test('a part that breaks breaks it', async () => {
  const broken = { ...createPart('a').part, next: () => Promise.reject(new Error('torn')) };
  const sources = joinSources([createPart('b').part, broken]);
  await expect(sources.next()).rejects.toThrow('torn');
  await sources.close();
});

/** Standard input in the test's hand. */
function createPipe(isFile = false) {
  const pieces: Buffer[] = [];
  let [readable, ended]: ((why: string) => void)[] = [];
  const feed: Feed = {
    isFile,
    take: () => pieces.shift(),
    onReadable: (listener) => void (readable = listener),
    onEnd: (listener) => void (ended = listener),
    close() {},
  };
  return {
    feed,
    write(text: string | Buffer): void {
      pieces.push(Buffer.from(text));
      readable?.('');
    },
    end: () => ended?.('it has ended'),
  };
}

function createInputFrom(pipe: ReturnType<typeof createPipe>, isWanted = true): Input {
  return createInput(isWanted, { clock: handClock(), open: () => pipe.feed });
}

test('standard input comes in whole lines, the last one at its end, and has no position', async () => {
  const pipe = createPipe();
  const input = createInputFrom(pipe);
  pipe.write('one\ntw');
  expect(await input.next()).toMatchObject({ source: '-', text: 'one\n', firstLine: 1, position: undefined });
  const next = input.next();
  await breathe();
  expect(await input.caughtUp()).toBe(true);
  pipe.write('o\nthree\nfour');
  expect(await next).toMatchObject({ text: 'two\nthree\n', firstLine: 2, lines: 2 });
  const last = input.next();
  pipe.end();
  expect(await last).toMatchObject({ text: 'four\n', firstLine: 4 });
  expect(await input.next()).toBeUndefined();
  expect(input.status()).toMatchObject([
    { id: '-', kind: 'input', state: 'failed', lines: 4, faults: [{ code: 'E_INPUT_ENDED' }] },
  ]);
});

test('a line without an end is cut, and its rest is none', async () => {
  const pipe = createPipe();
  const input = createInputFrom(pipe);
  for (let i = 0; i < 10; i++) pipe.write('x'.repeat(65_536));
  pipe.write('rest\nnext\n');
  expect((await input.next())!.text).toHaveLength(256 * 1_024 + 1);
  expect(await input.next()).toMatchObject({ text: 'next\n' });
  expect(input.status()).toMatchObject([{ lines: 2, skipped: 1, faults: [{ code: 'E_SOURCE_LONG_LINE' }] }]);
});

test('a file at standard input is read when its end is', async () => {
  const pipe = createPipe(true);
  const input = createInputFrom(pipe);
  pipe.write('one\n');
  await input.next();
  void input.next();
  await breathe();
  expect(await input.caughtUp()).toBe(false);
  pipe.end();
  expect(await input.caughtUp()).toBe(true);
});

test('standard input is opened when a jail wants it for the first time', async () => {
  const pipe = createPipe();
  const input = createInputFrom(pipe, false);
  expect(input.status()).toEqual([]);
  const next = input.next();
  await breathe();
  pipe.write('one\n');
  input.follow(true);
  expect(await next).toMatchObject({ text: 'one\n' });
});
