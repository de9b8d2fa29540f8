// Who listens on this host, who is connected to it, and whose connections are taken past the firewall: as /proc/net tells it (proc(5)), without any program.
import { readFileSync } from 'node:fs';
import { fromStored } from '../../address.ts';
import type { Network } from '../../model.ts';

export interface Socket {
  readonly protocol: 'tcp' | 'udp';
  /** The port on this host. */
  readonly port: number;
  readonly local: Network;
  readonly peer: Network;
  readonly isListening: boolean;
}

const LISTEN = '0A';
/** The word of a 16-byte address's first half that says that an IPv4 address follows. */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** @returns every socket of this network namespace; those of a family that the kernel lacks are missing. */
export function readSockets(): Socket[] {
  return (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((table) => {
    try {
      return parseSockets(
        readFileSync(`/proc/net/${table}`, 'latin1'),
        table.startsWith('tcp') ? 'tcp' : 'udp',
      );
    } catch {
      return [];
    }
  });
}

/** @param text one of these tables, its head included. */
export function parseSockets(text: string, protocol: Socket['protocol']): Socket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, peer, state] = line.trim().split(/\s+/);
      const [here, there] = [endOf(local), endOf(peer)];
      if (!here || !there) return [];
      const isListening = protocol === 'tcp' ? state === LISTEN : there.port === 0;
      return [{ protocol, port: here.port, local: here.address, peer: there.address, isListening }];
    });
}

/** `0100007F:0050`: words of four bytes, each in the order of this machine; little-endian where Bailiff runs. */
function endOf(text: string | undefined): { address: Network; port: number } | undefined {
  const [hex, port] = text?.split(':') ?? [];
  if (!hex || !port || (hex.length !== 8 && hex.length !== 32)) return undefined;
  const bytes = Buffer.from(hex, 'hex').swap32();
  const stored = bytes.length === 4 ? Buffer.concat([MAPPED, bytes]) : bytes;
  return { address: fromStored(stored, 128), port: Number.parseInt(port, 16) };
}

/** Is a connection of the network taken past the firewall? undefined: this kernel does not tell. */
export function isOffloaded(network: Network): boolean | undefined {
  try {
    const source = ` src=${network.text.split('/')[0]} `;
    const lines = readFileSync('/proc/net/nf_conntrack', 'latin1').split('\n');
    return lines.some((line) => line.includes('[OFFLOAD]') && line.includes(source));
  } catch {
    return undefined;
  }
}
