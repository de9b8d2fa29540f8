import { expect, test } from 'vitest';
import { createSourceWatch } from '../../../src/daemon/intake/source-watch.ts';
import type { Journey } from '../../../src/daemon/pipeline.ts';
import type { Chunk } from '../../../src/model.ts';
import { createTestClock } from '../clock.ts';

const chunk = {
  source: '/var/log/a.log',
  patterns: [],
  text: 'x\n',
  lines: 1,
  live: false,
} as unknown as Chunk;
const journey = (candidates: number, unframed: number): Journey => ({
  ...{ bans: [], matches: 0, fromTheFuture: 0, broken: 0 },
  candidates,
  unframed,
});

test('a log whose lines have no form that its filters expect is a fault, as long as it is so', () => {
  const watch = createSourceWatch(() => undefined, createTestClock(0));
  const codes = (): string[] => (watch.faults.get(chunk.source)?.list() ?? []).map(({ code }) => code);
  watch.observe(chunk, journey(10, 10));
  expect(codes()).toEqual([]);
  watch.observe(chunk, journey(10, 1));
  expect(codes()).toEqual(['E_SOURCE_UNFRAMED']);
  watch.observe(chunk, journey(10, 1));
  expect(codes()).toEqual([]);
});
