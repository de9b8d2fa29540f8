import { createFirewall } from '../../src/firewall/index.ts';
import { needs } from '../support/programs.ts';
import { describeConformance, type World } from './conformance.ts';
import { onOldKernel, onThisKernel, unreal } from './worlds.ts';

const create = ({ kind, ports }: World) => createFirewall(kind, ports);

describeConformance('memory', () => unreal('memory'), create);
describeConformance('dry-run', () => unreal('dry-run'), create);
describeConformance('nftables on an old kernel', onOldKernel, create);
needs(
  'root',
  'ip',
  'nft',
  'iptables',
  'ipset',
)('with a kernel', () => {
  describeConformance('nftables', () => onThisKernel('nftables'), create);
  describeConformance('iptables', () => onThisKernel('iptables'), create);
});
