import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../bin/bailiff', import.meta.url));
const space = `bailiff-teardown-${process.pid}`;

function inside(...words: string[]): string {
  return execFileSync('ip', ['netns', 'exec', space, ...words], { encoding: 'utf8' });
}

/** Needs root, iproute2 and nftables: a kernel of its own for every rule that is made here. */
describe.runIf(process.geteuid!() === 0)('teardown without a daemon', () => {
  beforeAll(() => void execFileSync('ip', ['netns', 'add', space]));
  afterAll(() => void execFileSync('ip', ['netns', 'del', space]));

  test('takes Bailiff’s table away and nothing else; a second time it is harmless', () => {
    inside(
      'nft',
      'add table inet bailiff; add set inet bailiff ban-any-4 { type ipv4_addr; flags timeout; }; add table inet other',
    );
    for (let time = 0; time < 2; time++) {
      const out = inside('/bin/sh', LAUNCHER, 'teardown', '--json', '--runtime', '/nonexistent');
      expect(JSON.parse(out)).toEqual({ mode: 'stood-down' });
      expect(inside('nft', 'list', 'tables').trim()).toBe('table inet other');
    }
  });
});
