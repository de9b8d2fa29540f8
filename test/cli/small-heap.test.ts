// What a flood leaves behind is given back, where to look for it doesn't hold the daemon up. In a process of its own: V8's
// settings are a process's.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/checkout.ts';
import { run } from '../support/run.ts';

/** An object of this kind takes some 50 bytes with its place in the list. */
const PROGRAM = `
import { getHeapStatistics } from 'node:v8';
const { createGivingBack } = await import(process.argv[1]);
const giveBack = createGivingBack();
const mib = () => Math.round(getHeapStatistics().used_heap_size / 1024 / 1024);
const make = (size) => Array.from({ length: size * 20_000 }, (_, index) => ({ index, next: index + 0.5 }));
const kept = make(Number(process.argv[2]));
let junk = make(Number(process.argv[3]));
junk = undefined;
const before = mib();
giveBack();
const after = mib();
let more = make(4);
more = undefined;
giveBack();
console.log(JSON.stringify({ before, after, again: mib(), kept: kept.length }));
`;

/** MiB in use before and after, and when it was done again with four more, with so much that is kept and so much that isn't. */
async function given(kept: number, junk: number): Promise<Record<'before' | 'after' | 'again', number>> {
  const args = ['--input-type=module', '-e', PROGRAM, join(ROOT, 'src/cli/small-heap.ts')];
  const { stdout, stderr } = await run(process.execPath, [...args, String(kept), String(junk)]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<'before' | 'after' | 'again', number>;
}

test('garbage goes, also where there is more of it than what is looked through at once', async () => {
  const { before, after } = await given(10, 240);
  expect(before).toBeGreaterThan(256);
  expect(after).toBeLessThan(40);
});

test('nothing is looked through where very much is in use', async () => {
  const { before, after } = await given(400, 20);
  expect(before).toBeGreaterThan(384);
  expect(Math.abs(after - before)).toBeLessThan(10);
});

test('what has hardly grown since is not looked through again', async () => {
  const { after, again } = await given(30, 20);
  expect(after).toBeLessThan(50);
  expect(again).toBeGreaterThan(after + 2);
});
