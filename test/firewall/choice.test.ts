// Which back end is chosen where nobody said, by what a host has and its kernel answers.
import { describe, expect, it } from 'vitest';
import { chooseFirewall } from '../../src/firewall/index.ts';
import type { Exec } from '../../src/ports.ts';
import { noExec } from './worlds.ts';

const NFT = ['nft'];
const VARIANT = ['iptables-restore', 'iptables-save', 'ip6tables-restore', 'ip6tables-save'];
const IPTABLES = [...VARIANT, 'ipset'];

/** A host with these programs; `says` has what a program answers in place of success. */
function host(programs: readonly string[], says: Readonly<Record<string, string>> = {}): Exec {
  return {
    ...noExec,
    find: (name) => (programs.includes(name) ? `/usr/sbin/${name}` : undefined),
    async run({ file }) {
      const stderr = says[file.slice('/usr/sbin/'.length)];
      return { outcome: 'exited', code: stderr === undefined ? 0 : 1, stdout: '', stderr: stderr ?? '' };
    },
  };
}

const NO_KERNEL = 'internal:0:0-0: Error: cache initialization failed: Protocol not supported\n';
const NOT_PERMITTED = 'netlink: Error: cache initialization failed: Operation not permitted\n';

describe('a host', () => {
  it.each([
    ['with both', host([...NFT, ...IPTABLES]), { kind: 'nftables', why: undefined }],
    ['with nftables alone', host(NFT), { kind: 'nftables', why: undefined }],
    ['with neither', host([]), { kind: 'nftables', why: undefined }],
    ['with iptables alone', host(IPTABLES), { kind: 'iptables', why: 'nft is not installed' }],
    ['with iptables and no ipset', host(VARIANT), { kind: 'nftables', why: undefined }],
    [
      'with ipset and no ip6tables',
      host(['ipset', 'iptables-restore', 'iptables-save']),
      { kind: 'nftables' },
    ],
    [
      'whose kernel has no nf_tables',
      host([...NFT, ...IPTABLES], { nft: NO_KERNEL }),
      {
        kind: 'iptables',
        why: expect.stringMatching(/^this kernel does not answer nft \(.*not supported\)$/),
      },
    ],
    [
      'whose kernel has neither',
      host([...NFT, ...IPTABLES], { nft: NO_KERNEL, ipset: 'ipset v7.17: Cannot open session to kernel.' }),
      { kind: 'nftables', why: undefined },
    ],
    [
      'that does not permit it',
      host([...NFT, ...IPTABLES], { nft: NOT_PERMITTED }),
      { kind: 'nftables', why: undefined },
    ],
    [
      'with iptables alone that does not permit it',
      host(IPTABLES, { ipset: 'ipset v7.17: Kernel error received: Operation not permitted' }),
      { kind: 'iptables', why: 'nft is not installed' },
    ],
  ])('%s', async (_, exec, expected) => {
    expect(await chooseFirewall(exec)).toMatchObject(expected);
  });
});
