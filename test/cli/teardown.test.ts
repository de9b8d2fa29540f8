import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BAILIFF } from '../support/built.ts';

const space = `bailiff-teardown-${process.pid}`;

function inside(...words: string[]): string {
  return execFileSync('ip', ['netns', 'exec', space, ...words], { encoding: 'utf8' });
}

/** Needs root, iproute2, nftables, iptables and ipset: a kernel of its own for every rule that is made here. */
describe.runIf(process.geteuid!() === 0)('teardown without a daemon', () => {
  beforeAll(() => void execFileSync('ip', ['netns', 'add', space]));
  afterAll(() => void execFileSync('ip', ['netns', 'del', space]));

  test('takes Bailiff’s table away and nothing else; a second time it is harmless', () => {
    inside(
      'nft',
      'add table inet bailiff; add set inet bailiff ban-any-4 { type ipv4_addr; flags timeout; }; add table inet other',
    );
    for (let time = 0; time < 2; time++) {
      const out = inside('/bin/sh', BAILIFF, 'teardown', '--json', '--runtime', '/nonexistent');
      expect(JSON.parse(out)).toEqual({ mode: 'stood-down' });
      expect(inside('nft', 'list', 'tables').trim()).toBe('table inet other');
    }
  });

  test('by whom the kernel doesn’t let is refused, and nothing goes', () => {
    inside('nft', 'add table inet bailiff');
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
    const ran = spawnSync(
      'ip',
      ['netns', 'exec', space, ...nobody, '/bin/sh', BAILIFF, 'teardown', '--runtime', '/nonexistent'],
      { encoding: 'utf8' },
    );
    expect([ran.status, ran.stdout]).toEqual([77, '']);
    expect(ran.stderr).toMatch(/^bailiff: no daemon answers, and you may not change the firewall yourself: /);
    expect(inside('nft', 'list', 'tables').trim().split('\n')).toContain('table inet bailiff');
    inside('nft', 'delete table inet bailiff');
  });

  test('takes Bailiff’s chains and sets of iptables away and nothing else', () => {
    inside('iptables', '-t', 'filter', '-A', 'INPUT', '-p', 'udp', '--dport', '9', '-j', 'DROP');
    inside('ipset', 'create', 'theirs', 'hash:ip');
    const found = () => inside('iptables-save') + inside('ip6tables-save') + inside('ipset', 'save');
    const before = withoutComments(found());
    inside('ipset', 'create', 'bailiff-ban4-32-any', 'hash:net', 'timeout', '0', 'comment');
    for (const rule of [
      '-N bailiff-prerouting',
      '-A bailiff-prerouting -m set --match-set bailiff-ban4-32-any src -j DROP',
      '-A PREROUTING -j bailiff-prerouting',
      '-N bailiff-made',
    ])
      inside('iptables', '-t', 'raw', ...rule.split(' '));
    for (let time = 0; time < 2; time++) {
      inside('/bin/sh', BAILIFF, 'teardown', '--json', '--runtime', '/nonexistent');
      expect(withoutComments(found())).toBe(before);
    }
  });
});

/** Saved rules say when they were saved. */
function withoutComments(saved: string): string {
  return saved.replaceAll(/^#.*\n/gm, '');
}
